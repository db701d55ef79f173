// One place that gives variables to a host. A host's variables are the list of its layers, lowest
// precedence first; a value of a higher layer replaces the lower one whole, but for maps with
// `hash_behaviour=merge`.
import type { MapEntry } from '../yaml/node.ts';
import { mergeValues } from './merge-maps.ts';

/** `magic`: what Ansible itself defines, such as `inventory_hostname`. */
export type LayerKind = 'inventory' | 'group_vars' | 'host_vars' | 'extra' | 'magic';

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
}

/** What a host's layers say about one name. */
export interface Lookup {
  readonly found: { readonly entry: MapEntry; readonly layer: Layer } | null;
  /** Closed vault files that rank above what was found, or all of them if nothing was found. */
  readonly closed: readonly string[];
}

/**
 * Gives the winning entry for a name. `layers` stand lowest precedence first. With `mergeMaps` a map
 * is merged with the maps below it; its closed files are then those down to the lowest of them.
 */
export function lookupIn(
  layers: readonly Layer[],
  name: string,
  { mergeMaps }: { readonly mergeMaps: boolean },
): Lookup {
  const closed: string[] = [];
  let found: Lookup['found'] = null;
  for (let index = layers.length - 1; index >= 0; index -= 1) {
    const layer = layers[index];
    if (layer?.vars === null) closed.push(layer.file);
    const entry = layer?.vars?.get(name);
    if (layer === undefined || entry === undefined) continue;
    if (found !== null && entry.value.kind !== 'map') break;
    found = found === null ? { entry, layer } : mergeBelow(found, entry);
    if (!mergeMaps || entry.value.kind !== 'map') break;
  }
  return { found, closed };
}

function mergeBelow(
  { entry, layer }: NonNullable<Lookup['found']>,
  low: MapEntry,
): NonNullable<Lookup['found']> {
  return { entry: { ...entry, value: mergeValues(low.value, entry.value) }, layer };
}
