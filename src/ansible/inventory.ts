// What one inventory file says: its groups with their variables, children and hosts. How several
// files make one inventory is not decided here.
import { dirname } from 'node:path';
import type { Position } from '../errors.ts';
import type { YamlNode } from '../yaml/node.ts';
import type { HostNames } from './host-name.ts';
import { mergeValues } from './merge-maps.ts';

export interface InventoryGroup {
  readonly name: string;
  /** `ansible_group_priority` among them, which Ansible takes for the group's priority. */
  readonly vars: ReadonlyMap<string, YamlNode>;
  /** Where the names of variables stand, if not in the line of their values. */
  readonly places: ReadonlyMap<string, Position>;
  /** Names of the groups right below it. */
  readonly children: readonly string[];
  /** Names of the hosts that stand in the group itself. */
  readonly hosts: readonly string[];
  /** Where it is first named; absent for `all` and `ungrouped` where the file does not name them. */
  readonly at?: Position | undefined;
}

export interface InventoryHost {
  readonly name: string;
  readonly vars: ReadonlyMap<string, YamlNode>;
  /** Where the names of variables stand, if not in the line of their values. */
  readonly places: ReadonlyMap<string, Position>;
  /** Where it is first named. */
  readonly at: Position;
}

export interface InventorySource {
  readonly file: string;
  /** The file's folder, as the file was named. */
  readonly folder: string;
  /** `all` and `ungrouped` are always among them, `ungrouped` as a child of `all`. */
  readonly groups: ReadonlyMap<string, InventoryGroup>;
  /** In the order in which the file names them. */
  readonly hosts: ReadonlyMap<string, InventoryHost>;
}

/** How an inventory is read. */
export interface ReadingOptions {
  /** `hash_behaviour=merge`: a map that stands twice for one group or host is merged. */
  readonly mergeMaps: boolean;
  /** Tells whether an earlier source has the group. */
  readonly isKnown: (group: string) => boolean;
}

/** As Ansible reads the first inventory, with its default settings. */
export const PLAIN_READING: ReadingOptions = { mergeMaps: false, isKnown: () => false };

/** A source that was read, with where it stands. */
export interface ReadSource extends InventorySource {
  /** Absolute; null for a list of hosts. */
  readonly path: string | null;
}

interface GroupDraft {
  readonly name: string;
  readonly vars: Map<string, YamlNode>;
  readonly places: Map<string, Position>;
  readonly children: Set<string>;
  readonly hosts: Set<string>;
  at: Position | undefined;
}

/** A host while its file is being read. */
export interface HostDraft extends InventoryHost {
  readonly vars: Map<string, YamlNode>;
  readonly places: Map<string, Position>;
}

/** An inventory file's content while it is being read. */
export interface InventoryDraft {
  readonly groups: Map<string, GroupDraft>;
  readonly hosts: Map<string, HostDraft>;
  readonly mergeMaps: boolean;
}

/** Gives the inventory with which Ansible begins: `all` with the child `ungrouped`. */
export function createDraft({
  mergeMaps,
}: Pick<ReadingOptions, 'mergeMaps'> = PLAIN_READING): InventoryDraft {
  const draft: InventoryDraft = { groups: new Map(), hosts: new Map(), mergeMaps };
  addGroup(draft, 'all').children.add('ungrouped');
  addGroup(draft, 'ungrouped');
  return draft;
}

/** Gives the group of a name and makes it if it is new. */
export function addGroup(draft: InventoryDraft, name: string, at?: Position): GroupDraft {
  const group = draft.groups.get(name) ?? createGroup(name);
  group.at ??= at;
  draft.groups.set(name, group);
  return group;
}

function createGroup(name: string): GroupDraft {
  return {
    name,
    vars: new Map(),
    places: new Map(),
    children: new Set(),
    hosts: new Set(),
    at: undefined,
  };
}

/** Puts hosts into a group. `port` counts only where a host is named for the first time. */
export function addHosts(
  draft: InventoryDraft,
  group: GroupDraft,
  { names, port }: HostNames,
  at: Position,
): HostDraft[] {
  return names.map((name) => {
    group.hosts.add(name);
    const known = draft.hosts.get(name);
    if (known !== undefined) return known;
    const host: HostDraft = { name, vars: new Map(), places: new Map(), at };
    if (port !== null && port > 0)
      host.vars.set('ansible_port', { kind: 'scalar', at, value: port });
    draft.hosts.set(name, host);
    return host;
  });
}

/** Sets a variable of a group or host. */
export function setVariable(
  { mergeMaps }: Pick<InventoryDraft, 'mergeMaps'>,
  vars: Map<string, YamlNode>,
  name: string,
  value: YamlNode,
): void {
  const known = mergeMaps ? vars.get(name) : undefined;
  vars.set(name, known === undefined ? value : mergeValues(known, value));
}

/** Gives the finished content of a file. */
export function toSource(draft: InventoryDraft, file: string): InventorySource {
  const groups = new Map<string, InventoryGroup>();
  for (const [name, group] of draft.groups) {
    groups.set(name, { ...group, children: [...group.children], hosts: [...group.hosts] });
  }
  return { file, folder: dirname(file), groups, hosts: draft.hosts };
}
