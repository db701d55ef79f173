// Which groups a host is in and which of them win: the groups of all inventory sources as one
// graph below `all`, ordered by depth, then `ansible_group_priority`, then name.
import { InputError } from '../errors.ts';
import type { Fault } from '../errors.ts';
import type { YamlNode } from '../yaml/node.ts';
import { checkGroups } from './group-checks.ts';
import { draftGroups, orderByParents } from './group-drafts.ts';
import type { GroupDraft, GroupDrafts, HostDefinitions, SourceOf } from './group-drafts.ts';
import type { InventoryGroup, ReadSource } from './inventory.ts';

/** The one variable of a group in an inventory file that is not a variable. */
export const PRIORITY = 'ansible_group_priority';

export interface GraphGroup {
  readonly name: string;
  /** The group as each source that names it has it, in the order of the sources. */
  readonly definitions: readonly SourceOf<InventoryGroup>[];
  /** Names of the groups right below it, in the order in which they got there. */
  readonly children: readonly string[];
  /** Names of the hosts that stand in the group itself, in the same order. */
  readonly hosts: readonly string[];
  /** Steps on the longest way from `all`, which has 0. */
  readonly depth: number;
  readonly priority: number;
}

export interface GraphHost {
  readonly name: string;
  readonly definitions: HostDefinitions;
  /** Its groups and their ancestors without `all`, lowest precedence first. */
  readonly groups: readonly GraphGroup[];
}

export interface InventoryGraph {
  /** In the order in which the sources name them. */
  readonly groups: ReadonlyMap<string, GraphGroup>;
  /** In the order in which the sources name them. */
  readonly hosts: ReadonlyMap<string, GraphHost>;
}

/**
 * Joins inventory sources, later ones over earlier ones. Throws InputError with every name that
 * cannot be used, every loop of groups and every priority that is no whole number.
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html#how-variables-are-merged
 */
export function joinSources(sources: readonly ReadSource[]): InventoryGraph {
  const drafts = draftGroups(sources);
  const hosts = collectHosts(sources);
  const faults = checkGroups(drafts, hosts);
  const priorities = readPriorities(drafts, faults);
  if (faults.length > 0) throw new InputError(faults);
  const direct = directGroups(drafts.values());
  const ungrouped = [...(drafts.get('ungrouped')?.hosts ?? []), ...hosts.keys()].filter(
    (name) => !direct.has(name),
  );
  const groups = new Map<string, GraphGroup>();
  for (const name of orderByParents(drafts)) {
    const { definitions = [], parents = [], children = [] } = drafts.get(name) ?? {};
    const depths = [...parents].map((parent) => groups.get(parent)?.depth ?? 0);
    const depth = Math.max(-1, ...depths) + 1;
    const members = [
      ...(name === 'ungrouped' ? new Set(ungrouped) : (drafts.get(name)?.hosts ?? [])),
    ];
    const priority = priorities.get(name) ?? 1;
    groups.set(name, {
      name,
      definitions,
      children: [...children],
      hosts: members,
      depth,
      priority,
    });
  }
  const inOrder = [...drafts.keys()].flatMap((name) => groups.get(name) ?? []);
  return {
    groups: new Map(inOrder.map((group) => [group.name, group])),
    hosts: placeHosts(direct, drafts, groups, hosts),
  };
}

/** Orders names as Python does: by code point, not by UTF-16 code unit. */
export function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function collectHosts(sources: readonly ReadSource[]): Map<string, HostDefinitions> {
  const hosts = new Map<string, HostDefinitions>();
  for (const source of sources) {
    for (const [name, value] of source.hosts) {
      const known = hosts.get(name);
      hosts.set(name, known === undefined ? [{ source, value }] : [...known, { source, value }]);
    }
  }
  return hosts;
}

function readPriorities(drafts: GroupDrafts, faults: Fault[]): Map<string, number> {
  const priorities = new Map<string, number>();
  for (const { name, definitions } of drafts.values()) {
    for (const { value: group } of definitions) {
      const node = group.vars.get(PRIORITY);
      if (node === undefined) continue;
      const priority = toInteger(node);
      if (priority !== null) priorities.set(name, priority);
      else
        faults.push({ code: 'E_INVENTORY', at: node.at, found: `${PRIORITY} is no whole number` });
    }
  }
  return priorities;
}

/** As Python's `int()`. */
function toInteger(node: YamlNode): number | null {
  if (node.kind !== 'scalar' || node.tag === 'vault') return null;
  const { value } = node;
  if (typeof value === 'string') return /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'number' && Number.isFinite(value) ? Math.trunc(value) : null;
}

function placeHosts(
  direct: ReadonlyMap<string, readonly string[]>,
  drafts: GroupDrafts,
  groups: ReadonlyMap<string, GraphGroup>,
  hosts: ReadonlyMap<string, HostDefinitions>,
): Map<string, GraphHost> {
  const sorted = new Map<string, readonly GraphGroup[]>();
  const placed = new Map<string, GraphHost>();
  for (const [name, definitions] of hosts) {
    const names = direct.get(name) ?? ['ungrouped'];
    const key = names.join('/');
    const known = sorted.get(key) ?? sortGroups(withAncestors(drafts, groups, names));
    sorted.set(key, known);
    placed.set(name, { name, definitions, groups: known });
  }
  return placed;
}

/** Hosts that are in no other group than `all` are left out: these are `ungrouped`. */
function directGroups(drafts: Iterable<GroupDraft>): Map<string, string[]> {
  const direct = new Map<string, string[]>();
  for (const { name, hosts } of drafts) {
    if (name === 'all' || name === 'ungrouped') continue;
    for (const host of hosts) {
      const known = direct.get(host);
      if (known === undefined) direct.set(host, [name]);
      else known.push(name);
    }
  }
  return direct;
}

function withAncestors(
  drafts: GroupDrafts,
  groups: ReadonlyMap<string, GraphGroup>,
  names: readonly string[],
): GraphGroup[] {
  const reached = new Set(names);
  for (const name of reached) {
    for (const parent of drafts.get(name)?.parents ?? []) reached.add(parent);
  }
  reached.delete('all');
  return [...reached].flatMap((name) => groups.get(name) ?? []);
}

function sortGroups(groups: readonly GraphGroup[]): GraphGroup[] {
  return [...groups].sort(
    (a, b) => a.depth - b.depth || a.priority - b.priority || compareNames(a.name, b.name),
  );
}
