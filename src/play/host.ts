// A host as a running play sees it: every value that counts in Ansible counts here, wherever it comes
// from. Values are asked for one by one, and rendered only where they are used.
import type { Layer, Lookup } from '../ansible/layer.ts';
import type { PlayVariables } from '../ansible/play-variables.ts';
import { resolveNode } from '../ansible/references.ts';
import type { HostView } from '../inventory.ts';
import type { PlayFolders } from './folders.ts';
import { isSource } from './inventories.ts';
import { compareLayers, kindOf, layerOf } from './layers.ts';
import { isStandIn } from './loads.ts';

export interface PlayHostOptions extends PlayFolders {
  readonly variables: PlayVariables;
  /** Every name that the play has a value for. */
  readonly names: readonly string[];
  readonly groups: readonly string[];
  readonly inventoryFolder: string;
}

/** What Ansible makes itself: none of it is the operator's. */
const MADE_BY_ANSIBLE =
  /^(?:ansible_|groups$|hostvars$|vars$|environment$|omit$|play_hosts$|role_)/;

function isOperators(name: string, prefix: string): boolean {
  return name.startsWith(prefix) && !MADE_BY_ANSIBLE.test(name);
}

/** Gives the view of a host. Files that are seen later on count as they are then. */
export function viewPlayHost(options: PlayHostOptions): HostView {
  const { variables, host, groups, inventoryFolder, playbookFolder } = options;
  const known = new Map<string, Layer | null>();
  const seen = new Map<string, Layer>();
  const find = (name: string): Layer | null => {
    const layer = known.get(name);
    if (layer !== undefined) return layer;
    const variable = variables.find(name);
    const isThere = variable !== null && !isStandIn(variable.entry.value);
    const found = isThere ? layerOf(variable, options) : null;
    known.set(name, found);
    return found;
  };
  const lookup = (name: string): Lookup => lookupIn([find(name), ...seen.values()], name, options);
  return {
    name: host,
    groups,
    inventoryFolder,
    playbookFolder,
    // Ansible has merged them already.
    mergeMaps: false,
    isInventory: (file) => options.sources.some((source) => isSource(file, source)),
    get layers() {
      const found = [...known.values()].filter((layer) => layer !== null);
      return [...found, ...seen.values()].toSorted((a, b) => compareLayers(a, b, options));
    },
    play: {
      render: (node) => variables.render(node),
      see: (files) => {
        for (const file of files) {
          if (file.path !== null)
            seen.set(file.path, { ...file, kind: kindOf(file.path, options) });
        }
      },
    },
    lookup,
    names: (prefix = '') => new Set(options.names.filter((name) => isOperators(name, prefix))),
    resolve: (node) => resolveNode(node, lookup),
  };
}

/** A file that was read anew replaces what Ansible has of it. */
function lookupIn(layers: readonly (Layer | null)[], name: string, play: PlayFolders): Lookup {
  const [first, ...seen] = layers;
  const isOld = seen.some((file) => file?.path === first?.path && file?.vars?.has(name) === true);
  const candidates = [isOld ? null : (first ?? null), ...seen].filter((layer) => layer !== null);
  const sorted = candidates.toSorted((a, b) => compareLayers(a, b, play));
  const layer = sorted.findLast(({ vars }) => vars?.has(name) === true);
  const entry = layer?.vars?.get(name);
  const closed = sorted.filter(({ vars }) => vars === null).map(({ file }) => file);
  return layer === undefined || entry === undefined
    ? { found: null, closed }
    : { found: { entry, layer }, closed: [] };
}
