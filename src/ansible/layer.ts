// One place that gives variables to a host. A host's variables are the list of its layers, lowest
// precedence first; a value of a higher layer replaces the lower one whole (Ansible's default
// `hash_behaviour`).
import type { MapEntry } from '../yaml/node.ts';

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

/** Gives the winning entry for a name. `layers` stand lowest precedence first. */
export function lookupIn(layers: readonly Layer[], name: string): Lookup {
  const closed: string[] = [];
  for (let index = layers.length - 1; index >= 0; index--) {
    const layer = layers[index];
    if (layer === undefined) continue;
    const entry = layer.vars?.get(name);
    if (entry !== undefined) return { found: { entry, layer }, closed };
    if (layer.vars === null) closed.push(layer.file);
  }
  return { found: null, closed };
}
