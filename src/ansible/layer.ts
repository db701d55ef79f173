// One place that gives variables to a host. A host's variables are the list of its layers, lowest
// precedence first; a value of a higher layer replaces the lower one whole, but for maps with
// `hash_behaviour=merge`, where it counts in which order Ansible combines the layers.
import type { MapEntry } from '../yaml/node.ts';
import { mergeValues } from './merge-maps.ts';

/**
 * `magic`: what Ansible itself defines, such as `inventory_hostname`. In a play there are more:
 * `default`: defaults of a role, which everything else wins over; `play`: what wins over host_vars,
 * such as the vars of a play; `unknown`: Ansible does not tell.
 */
export type LayerKind =
  'default' | 'inventory' | 'group_vars' | 'host_vars' | 'play' | 'extra' | 'magic' | 'unknown';

export interface Layer {
  readonly kind: LayerKind;
  /** As the user would type it: relative to the current folder when below it, else absolute. */
  readonly file: string;
  /** The same as an absolute path, for comparing with the file that a run would write; null where it is no file. */
  readonly path: string | null;
  /** Which group or host it belongs to; `all` for extra vars. */
  readonly of: string;
  /** By name; null: a whole-file vault that was left closed. */
  readonly vars: ReadonlyMap<string, MapEntry> | null;
  /** The file is encrypted as a whole. */
  readonly encrypted: boolean;
  /** What the file holds, for the comments in it; absent where it was left closed, or is no file of vars. */
  readonly text?: string;
  /** Only we have read it: the running play does not see what stands in it. */
  readonly unseen?: true;
}

/** What a host's layers say about one name. */
export interface Lookup {
  readonly found: { readonly entry: MapEntry; readonly layer: Layer } | null;
  /** Closed vault files that rank above what was found, or all of them if nothing was found. */
  readonly closed: readonly string[];
}

/** Layers, lowest precedence first; what stands in a list of its own is combined before it counts. */
export type LayerTree = readonly (Layer | LayerTree)[];

/** Gives the layers of a tree, lowest precedence first. */
export function flattenLayers(tree: LayerTree): Layer[] {
  return tree.flatMap((part) => ('kind' in part ? part : flattenLayers(part)));
}

/** Gives the winning entry for a name. `layers` stand lowest precedence first. */
export function lookupIn(layers: readonly Layer[], name: string): Lookup {
  const closed: string[] = [];
  for (let index = layers.length - 1; index >= 0; index -= 1) {
    const layer = layers[index];
    if (layer?.vars === null) closed.push(layer.file);
    const entry = layer?.vars?.get(name);
    if (layer !== undefined && entry !== undefined) return { found: { entry, layer }, closed };
  }
  return { found: null, closed };
}

/**
 * The same with `hash_behaviour=merge`: a map is merged with the maps below it, and the layer is the
 * topmost of those that hold it. Any closed file may hold more of a map.
 */
export function lookupMerged(tree: LayerTree, name: string): Lookup {
  const found = mergeIn(tree, name);
  const layers = flattenLayers(tree);
  const isMap = found?.entry.value.kind === 'map';
  const closed = isMap ? closedIn(layers.toReversed()) : lookupIn(layers, name).closed;
  return { found, closed: [...new Set(closed)] };
}

function closedIn(layers: readonly Layer[]): string[] {
  return layers.filter(({ vars }) => vars === null).map(({ file }) => file);
}

function mergeIn(tree: LayerTree, name: string): Lookup['found'] {
  let found: Lookup['found'] = null;
  for (const part of tree) {
    const next: Lookup['found'] = 'kind' in part ? entryIn(part, name) : mergeIn(part, name);
    if (next === null) continue;
    found =
      found === null ? next : { entry: mergeEntry(found.entry, next.entry), layer: next.layer };
  }
  return found;
}

function mergeEntry(low: MapEntry, high: MapEntry): MapEntry {
  return { ...high, value: mergeValues(low.value, high.value) };
}

function entryIn(layer: Layer, name: string): Lookup['found'] {
  const entry = layer.vars?.get(name);
  return entry === undefined ? null : { entry, layer };
}
