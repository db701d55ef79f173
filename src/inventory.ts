// The first stage: the hosts of the inventory with their variables, as Ansible sees them.
import type { AnsibleConfig } from './ansible/config.ts';
import type { ListInventory } from './ansible/dynamic.ts';
import { loadExtraLayer } from './ansible/extra-layers.ts';
import { compareNames, joinSources } from './ansible/group-graph.ts';
import type { GraphHost } from './ansible/group-graph.ts';
import { isListed } from './ansible/inventory-folder.ts';
import { flattenLayers, lookupIn, lookupMerged } from './ansible/layer.ts';
import type { Layer, LayerTree, Lookup } from './ansible/layer.ts';
import { selectHosts } from './ansible/limit.ts';
import { createLayering } from './ansible/precedence.ts';
import { resolveNode } from './ansible/references.ts';
import type { Rendered } from './ansible/render.ts';
import type { Resolved } from './ansible/references.ts';
import { readSources } from './ansible/sources.ts';
import type { ReadSource } from './ansible/inventory.ts';
import { resolveOption, showPath, statFile } from './ansible/text-file.ts';
import type { Decrypt } from './ansible/text-file.ts';
import { loadVarsFolders } from './ansible/vars-folders.ts';
import type { VarsLayers, VarsNames } from './ansible/vars-folders.ts';
import { didYouMean } from './definitions/suggest.ts';
import { InputError, settleAll } from './errors.ts';
import type { YamlNode } from './yaml/node.ts';

/** A host with its variables. */
export interface HostView {
  readonly name: string;
  /** As in `group_names`: sorted, without `all`. */
  readonly groups: readonly string[];
  /**
   * Absolute: the folder of the inventory that names the host, of several the last; for a list of
   * hosts the playbook folder.
   */
  readonly inventoryFolder: string;
  readonly playbookFolder: string;
  /** `hash_behaviour=merge`: a map does not hide the maps of the same variable below it. */
  readonly mergeMaps: boolean;
  /** Is this file an inventory of the run, or would it be one if it were there? */
  isInventory(file: string): boolean;
  /** Lowest precedence first. In a play: as far as something was looked up. */
  readonly layers: readonly Layer[];
  /** Everything that is known of a running play; undefined: the variables come from files. */
  readonly play?: HostInPlay;
  lookup(name: string): Lookup;
  /** Every variable name that a readable layer defines; with a prefix, only those that begin so. */
  names(prefix?: string): ReadonlySet<string>;
  /** Follows the references in a value of this host. */
  resolve(node: YamlNode): Resolved;
}

/** What Ansible, which runs, adds to a host. */
export interface HostInPlay {
  /** Has Ansible render a value of this host. */
  render(node: YamlNode): Rendered;
  /** Has files counted as they are now: what Ansible read at its start may be older. */
  see(files: readonly Layer[]): void;
}

export interface LoadOptions {
  /** The values of `-i`, in their order. */
  readonly inventory: readonly string[];
  readonly limit?: string | undefined;
  /** The values of `-e`, in their order. */
  readonly extraVars: readonly string[];
  readonly playbookDir: string;
  readonly cwd: string;
  /** The settings of Ansible; undefined: its defaults. */
  readonly config?: AnsibleConfig | undefined;
  /** Has Ansible list inventories that are no files of hosts; null: those are refused. */
  readonly list?: ListInventory | null;
  /** Decrypts a whole-file vault; null: no vault password is at hand, such files stay closed. */
  readonly decrypt: Decrypt | null;
}

/**
 * Loads the hosts within the limit, with all that inventories, group_vars, host_vars and extra vars
 * say about them; files of other hosts are not read. Throws InputError with the faults of all
 * inventories, or else of all other files.
 */
export async function loadInventory(options: LoadOptions): Promise<readonly HostView[]> {
  const { cwd, decrypt } = options;
  const mergeMaps = options.config?.mergeMaps === true;
  const playbookDir = findPlaybookDir(options);
  const sources = await readInventories(options, playbookDir);
  const graph = joinSources(sources);
  const hosts = selectHosts(graph, { limit: options.limit, cwd, didYouMean });
  const inventoryFolders = foldersOf(sources, { playbookDir, mergeMaps });
  const folders = new Set([...inventoryFolders, playbookDir]);
  const show = (path: string): string => showPath(path, cwd);
  const [extra, varsLayers] = await settleAll<[Layer[], VarsLayers]>([
    settleAll(options.extraVars.filter(Boolean).map((text) => loadExtraLayer(text, options))),
    loadVarsFolders([...folders], namesOf(hosts), { show, decrypt }),
  ]);
  const treeOf = createLayering({ graph, inventoryFolders, varsLayers, extra, playbookDir });
  const settings = { playbookDir, mergeMaps, isInventory: inventoryTest(sources, options) };
  return hosts.map((host) => viewHost(host, treeOf(host), settings));
}

function findPlaybookDir({ playbookDir, cwd }: LoadOptions): string {
  const path = resolveOption(playbookDir, cwd);
  if (statFile(path, playbookDir)?.isDirectory() === true) return path;
  const found = `the playbook folder "${playbookDir}" is no folder`;
  throw new InputError({ code: 'E_OPTION', found, fix: 'give a folder after --playbook-dir' });
}

/** The values of `-i`, or else what the settings of Ansible name. */
function givenInventories({ inventory, config }: LoadOptions): readonly string[] {
  const named = inventory.filter(Boolean);
  return named.length > 0 ? named : (config?.inventory ?? []);
}

async function readInventories(options: LoadOptions, playbookDir: string): Promise<ReadSource[]> {
  const given = givenInventories(options);
  const mergeMaps = options.config?.mergeMaps === true;
  if (given.length > 0) return readSources(given, { ...options, playbookDir, mergeMaps });
  const fix =
    'add -i with the path of an inventory, such as -i inventory/hosts, or set inventory in ansible.cfg';
  throw new InputError({ code: 'E_OPTION', found: 'no inventory is given', fix });
}

/**
 * Gives the folders of inventories whose vars count. Of a folder that stands twice only the last
 * place counts, since there it hides its first; but not where maps are merged in this order.
 */
function foldersOf(
  sources: readonly ReadSource[],
  { playbookDir, mergeMaps }: ViewOptions,
): readonly string[] {
  const folders = sources.flatMap(({ folder, path }) => (path === null ? [] : [folder]));
  if (mergeMaps) return folders;
  const others = folders.filter((folder) => folder !== playbookDir);
  return [...new Set(others.toReversed())].toReversed();
}

interface ViewOptions {
  readonly playbookDir: string;
  readonly mergeMaps: boolean;
}

function namesOf(hosts: readonly GraphHost[]): VarsNames {
  const groups = hosts.flatMap((host) => host.groups.map((group) => group.name));
  return {
    group_vars: new Set(['all', ...groups]),
    host_vars: new Set(hosts.map((host) => host.name)),
  };
}

/** In a folder of inventories every new file would be one, too. */
function inventoryTest(
  sources: readonly ReadSource[],
  options: LoadOptions,
): HostView['isInventory'] {
  const files = new Set(sources.flatMap(({ path }) => (path === null ? [] : [path])));
  const folders = givenInventories(options)
    .map((given) => resolveOption(given, options.cwd))
    .filter((path) => statFile(path, path)?.isDirectory() === true);
  return (file) => files.has(file) || folders.some((folder) => isListed(file, folder));
}

interface ViewSettings extends ViewOptions {
  readonly isInventory: HostView['isInventory'];
}

function viewHost(
  host: GraphHost,
  tree: LayerTree,
  { playbookDir: playbookFolder, mergeMaps, isInventory }: ViewSettings,
): HostView {
  const layers = flattenLayers(tree);
  const lookup = (name: string): Lookup =>
    mergeMaps ? lookupMerged(tree, name) : lookupIn(layers, name);
  return {
    name: host.name,
    groups: host.groups.map((group) => group.name).sort(compareNames),
    inventoryFolder: host.definitions.at(-1)?.source.folder ?? playbookFolder,
    playbookFolder,
    mergeMaps,
    isInventory,
    layers,
    lookup,
    names: (prefix = '') => namesIn(layers, prefix),
    resolve: (node) => resolveNode(node, lookup),
  };
}

function namesIn(layers: readonly Layer[], prefix: string): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { vars } of layers) {
    for (const name of vars?.keys() ?? []) if (name.startsWith(prefix)) names.add(name);
  }
  return names;
}
