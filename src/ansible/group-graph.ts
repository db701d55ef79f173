// Which groups a host is in and which of them win: the groups of all inventory sources as one
// graph below `all`, ordered by depth, then `ansible_group_priority`, then name.
import { InputError } from '../errors.ts';
import type { Fault } from '../errors.ts';
import type { YamlNode } from '../yaml/node.ts';
import { checkGroups } from './group-checks.ts';
import { draftGroups, orderByParents } from './group-drafts.ts';
import type { GroupDraft, GroupDrafts, SourceOf } from './group-drafts.ts';
import type { InventoryGroup, InventoryHost, InventorySource } from './inventory.ts';

/** The one variable of a group in an inventory file that is not a variable. */
export const PRIORITY = 'ansible_group_priority';

export interface GraphGroup {
  readonly name: string;
  /** The group as each source that names it has it, in the order of the sources. */
  readonly definitions: readonly SourceOf<InventoryGroup>[];
  /** Steps on the longest way from `all`, which has 0. */
  readonly depth: number;
  readonly priority: number;
}

export interface GraphHost {
  readonly name: string;
  readonly definitions: readonly SourceOf<InventoryHost>[];
  /** Its groups and their ancestors without `all`, lowest precedence first. */
  readonly groups: readonly GraphGroup[];
}

export interface InventoryGraph {
  readonly groups: ReadonlyMap<string, GraphGroup>;
  /** In the order in which the sources name them. */
  readonly hosts: ReadonlyMap<string, GraphHost>;
}

/**
 * Joins inventory sources, later ones over earlier ones. Throws InputError with every name that
 * cannot be used, every loop of groups and every priority that is no whole number.
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html#how-variables-are-merged
 */
export function joinSources(sources: readonly InventorySource[]): InventoryGraph {
  const drafts = draftGroups(sources);
  const hosts = collectHosts(sources);
  const faults = checkGroups(drafts, hosts);
  const priorities = readPriorities(drafts, faults);
  if (faults.length > 0) throw new InputError(faults);
  const groups = new Map<string, GraphGroup>();
  for (const name of orderByParents(drafts)) {
    const { definitions = [], parents = [] } = drafts.get(name) ?? {};
    const depths = [...parents].map((parent) => groups.get(parent)?.depth ?? 0);
    const depth = Math.max(-1, ...depths) + 1;
    groups.set(name, { name, definitions, depth, priority: priorities.get(name) ?? 1 });
  }
  return { groups, hosts: placeHosts(drafts, groups, hosts) };
}

/** Orders names as Python does: by code point, not by UTF-16 code unit. */
export function compareNames(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function collectHosts(sources: readonly InventorySource[]): Map<string, SourceOf<InventoryHost>[]> {
  const hosts = new Map<string, SourceOf<InventoryHost>[]>();
  for (const source of sources) {
    for (const [name, value] of source.hosts) {
      const known = hosts.get(name);
      if (known === undefined) hosts.set(name, [{ source, value }]);
      else known.push({ source, value });
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
  drafts: GroupDrafts,
  groups: ReadonlyMap<string, GraphGroup>,
  definitions: ReadonlyMap<string, readonly SourceOf<InventoryHost>[]>,
): Map<string, GraphHost> {
  const sorted = new Map<string, readonly GraphGroup[]>();
  const hosts = new Map<string, GraphHost>();
  for (const [name, names] of directGroups(drafts.values(), definitions.keys())) {
    const key = names.join('/');
    const known = sorted.get(key) ?? sortGroups(withAncestors(drafts, groups, names));
    sorted.set(key, known);
    hosts.set(name, { name, definitions: definitions.get(name) ?? [], groups: known });
  }
  return hosts;
}

/** A host is in `ungrouped` exactly when it is in no other group but `all`. */
function directGroups(
  drafts: Iterable<GroupDraft>,
  hosts: Iterable<string>,
): Map<string, string[]> {
  const direct = new Map<string, string[]>();
  for (const host of hosts) direct.set(host, []);
  for (const group of drafts) {
    if (group.name === 'all' || group.name === 'ungrouped') continue;
    for (const host of group.hosts) direct.get(host)?.push(group.name);
  }
  for (const names of direct.values()) if (names.length === 0) names.push('ungrouped');
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
