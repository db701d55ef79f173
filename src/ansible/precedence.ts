// The order of a host's layers: Ansible's default VARIABLE_PRECEDENCE for groups, then what belongs
// to the host, then extra vars, then what nobody can override.
import { dirname, resolve } from 'node:path';
import type { Position } from '../errors.ts';
import type { MapEntry, YamlNode } from '../yaml/node.ts';
import { PRIORITY, compareNames } from './group-graph.ts';
import type { GraphGroup, GraphHost, InventoryGraph } from './group-graph.ts';
import type { InventoryGroup } from './inventory.ts';
import type { Layer } from './layer.ts';
import { HOST_LIST } from './sources.ts';
import type { VarsFolder, VarsLayers } from './vars-folders.ts';

export interface LayerSources {
  readonly graph: InventoryGraph;
  /** Whose group_vars and host_vars count: the inventories' folders, then the playbook's. */
  readonly folders: readonly string[];
  readonly varsLayers: VarsLayers;
  readonly extra: readonly Layer[];
  readonly cwd: string;
  readonly playbookDir: string;
}

/**
 * Prepares the layers of hosts; hosts in the same groups share the work. The function gives a
 * host's layers, lowest precedence first.
 * @see https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_variables.html#understanding-variable-precedence
 */
export function createLayering(sources: LayerSources): (host: GraphHost) => readonly Layer[] {
  const ofGroup = rememberFirst((group: GraphGroup) => layersOfGroup(group, sources.cwd));
  const ofGroups = rememberFirst((groups: readonly GraphGroup[]) =>
    layersOfGroups(groups, sources, ofGroup),
  );
  return (host) => [
    ...ofGroups(host.groups),
    ...layersOfHost(host, sources),
    ...sources.extra,
    magicLayer(host, { playbook_dir: sources.playbookDir }),
  ];
}

function rememberFirst<K, V>(make: (key: K) => V): (key: K) => V {
  const made = new Map<K, V>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}

function layersOfGroups(
  groups: readonly GraphGroup[],
  sources: LayerSources,
  ofGroup: (group: GraphGroup) => readonly Layer[],
): Layer[] {
  const all = sources.graph.groups.get('all');
  const fromFiles = (names: readonly string[]): Layer[] => inFolders(sources, 'group_vars', names);
  return [
    ...(all === undefined ? [] : ofGroup(all)),
    ...groups.flatMap(ofGroup),
    ...fromFiles(['all']),
    ...fromFiles(groups.map((group) => group.name)),
  ];
}

/** All names of the first folder, then all of the second: so Ansible reads them. */
function inFolders(sources: LayerSources, kind: VarsFolder, names: readonly string[]): Layer[] {
  return sources.folders.flatMap((folder) =>
    names.flatMap((name) => sources.varsLayers(folder, kind, name)),
  );
}

function layersOfGroup(group: GraphGroup, cwd: string): Layer[] {
  return group.definitions.flatMap(({ source, value }) =>
    inventoryLayer(source.file, cwd, { of: group.name, vars: withoutPriority(value.vars) }),
  );
}

function withoutPriority(vars: InventoryGroup['vars']): InventoryGroup['vars'] {
  if (!vars.has(PRIORITY)) return vars;
  return new Map([...vars].filter(([name]) => name !== PRIORITY));
}

function layersOfHost(host: GraphHost, sources: LayerSources): Layer[] {
  const { name } = host;
  const [first] = host.definitions;
  const path = pathOf(first?.source.file ?? HOST_LIST, sources.cwd);
  const origin = path === null ? {} : { inventory_file: path, inventory_dir: dirname(path) };
  return [
    magicLayer(host, origin),
    ...host.definitions.flatMap(({ source, value }) =>
      inventoryLayer(source.file, sources.cwd, { of: name, vars: value.vars }),
    ),
    magicLayer(host, {
      inventory_hostname: name,
      inventory_hostname_short: shortName(name),
      group_names: host.groups.map((group) => group.name).sort(compareNames),
    }),
    ...inFolders(sources, 'host_vars', [name]),
  ];
}

function inventoryLayer(
  file: string,
  cwd: string,
  { of, vars: nodes }: { of: string; vars: InventoryGroup['vars'] },
): Layer[] {
  if (nodes.size === 0) return [];
  const vars = new Map<string, MapEntry>();
  for (const [key, value] of nodes) vars.set(key, { at: value.at, key, value });
  return [{ kind: 'inventory', file, path: pathOf(file, cwd), of, vars, encrypted: false }];
}

function pathOf(file: string, cwd: string): string | null {
  return file === HOST_LIST ? null : resolve(cwd, file);
}

/** What Ansible defines, placed where the inventory names the host. */
function magicLayer(host: GraphHost, values: Readonly<Record<string, string | string[]>>): Layer {
  const at = host.definitions[0]?.value.at ?? { file: HOST_LIST, line: 1, column: 1 };
  const vars = new Map<string, MapEntry>();
  for (const [key, value] of Object.entries(values))
    vars.set(key, { at, key, value: magicNode(value, at) });
  return { kind: 'magic', file: at.file, path: null, of: host.name, vars, encrypted: false };
}

/** Never templated, like everything that comes from a name. */
function magicNode(value: string | readonly string[], at: Position): YamlNode {
  return typeof value === 'string'
    ? { kind: 'scalar', at, value, tag: 'unsafe' }
    : { kind: 'seq', at, items: value.map((item) => magicNode(item, at)) };
}

/** The part before the first dot, but IP addresses stay whole. */
function shortName(name: string): string {
  const isAddress = /^\d{1,3}(?:\.\d{1,3}){3}$/.test(name) || name.includes(':');
  return isAddress ? name : name.replace(/\..*$/s, '');
}
