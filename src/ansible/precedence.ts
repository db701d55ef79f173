// The order of a host's layers: Ansible's default VARIABLE_PRECEDENCE for groups, then what belongs
// to the host, then extra vars, then what nobody can override.
import type { MapEntry } from '../yaml/node.ts';
import { PRIORITY } from './group-graph.ts';
import type { GraphGroup, GraphHost, InventoryGraph } from './group-graph.ts';
import type { InventoryHost } from './inventory.ts';
import type { Layer, LayerTree } from './layer.ts';
import { identityLayer, originLayer, playbookLayer } from './magic.ts';
import type { ReadSource } from './inventory.ts';
import type { VarsFolder, VarsLayers } from './vars-folders.ts';

export interface LayerSources {
  readonly graph: InventoryGraph;
  /** Whose group_vars and host_vars count, before those of the playbook's folder. */
  readonly inventoryFolders: readonly string[];
  readonly varsLayers: VarsLayers;
  readonly extra: readonly Layer[];
  readonly playbookDir: string;
}

/**
 * Prepares the layers of hosts; hosts in the same groups share the work. The function gives a
 * host's layers in the order and the groups in which Ansible combines them.
 * @see https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_variables.html#understanding-variable-precedence
 */
export function createLayering(sources: LayerSources): (host: GraphHost) => LayerTree {
  const ofGroup = rememberFirst(layersOfGroup);
  const ofGroups = rememberFirst((groups: readonly GraphGroup[]) =>
    layersOfGroups(groups, sources, ofGroup),
  );
  return (host) => [
    ...ofGroups(host.groups),
    ...layersOfHost(host, sources),
    sources.extra,
    playbookLayer(host, sources.playbookDir),
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
): LayerTree {
  const all = sources.graph.groups.get('all');
  const fromFiles = (names: readonly string[]): LayerTree =>
    inFolders(sources, 'group_vars', names);
  return [
    all === undefined ? [] : ofGroup(all),
    groups.map(ofGroup),
    ...fromFiles(['all']),
    ...fromFiles(groups.map((group) => group.name)),
  ];
}

/**
 * Of all inventories together, then of the playbook; in each all names of the first folder, then all
 * of the second.
 */
function inFolders(
  { inventoryFolders, playbookDir, varsLayers }: LayerSources,
  kind: VarsFolder,
  names: readonly string[],
): LayerTree {
  const inFolder = (folder: string): Layer[] =>
    names.flatMap((name) => varsLayers(folder, kind, name));
  return [inventoryFolders.map(inFolder), inFolder(playbookDir)];
}

function layersOfGroup(group: GraphGroup): Layer[] {
  return group.definitions.flatMap(({ source, value }) =>
    inventoryLayer(source, value, without(PRIORITY, value.vars)),
  );
}

function layersOfHost(host: GraphHost, sources: LayerSources): LayerTree {
  const own = host.definitions.flatMap(({ source, value }, index) =>
    inventoryLayer(source, value, index === 0 ? value.vars : withoutPort(value)),
  );
  return [
    [originLayer(host), ...own, identityLayer(host)],
    ...inFolders(sources, 'host_vars', [host.name]),
  ];
}

/** The port of `host:22` counts only where the first source names the host. */
function withoutPort(host: InventoryHost): InventoryHost['vars'] {
  const isOfName = host.vars.get('ansible_port')?.at === host.at;
  return isOfName ? without('ansible_port', host.vars) : host.vars;
}

function without(name: string, vars: InventoryHost['vars']): InventoryHost['vars'] {
  return vars.has(name) ? new Map([...vars].filter(([key]) => key !== name)) : vars;
}

function inventoryLayer(
  source: ReadSource,
  { name: of, places }: Pick<InventoryHost, 'name' | 'places'>,
  nodes: InventoryHost['vars'],
): Layer[] {
  if (nodes.size === 0) return [];
  const vars = new Map<string, MapEntry>();
  for (const [key, value] of nodes) vars.set(key, { at: places.get(key) ?? value.at, key, value });
  const { file, path } = source;
  return [{ kind: 'inventory', file, path, of, vars, encrypted: false }];
}
