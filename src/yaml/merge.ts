// Maps as Python dicts: which keys are the same, and what `<<` makes of two maps.
import type { MapEntry, ScalarValue } from './node.ts';

/**
 * Gives a text that is the same for two keys that are the same to a Python dict: 1, 1.0 and true
 * are one key.
 */
export function keyIdentity(key: ScalarValue): string {
  if (typeof key === 'string') return `s${key}`;
  if (key === null) return 'null';
  if (typeof key === 'object') return `date ${key.iso}`;
  if (typeof key === 'number' && !Number.isInteger(key)) return `float ${key}`;
  return `int ${BigInt(key)}`;
}

/**
 * Merges maps: of the same key the later map's value counts, at the earlier map's place.
 * `clash` is called for keys that are the same to Python, but not of one type.
 * @see https://yaml.org/type/merge.html
 */
export function mergeEntries(
  maps: readonly (readonly MapEntry[])[],
  clash: (entry: MapEntry) => void,
): readonly MapEntry[] {
  const entries = new Map<string, MapEntry>();
  for (const entry of maps.flat()) {
    const identity = keyIdentity(entry.key);
    const earlier = entries.get(identity);
    if (earlier !== undefined && typeof earlier.key !== typeof entry.key) clash(entry);
    entries.set(identity, entry);
  }
  return [...entries.values()];
}
