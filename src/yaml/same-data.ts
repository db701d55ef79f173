import type { MapEntry, ScalarNode, ScalarValue, YamlNode } from './node.ts';

/**
 * Tells whether two nodes hold the same data: values, types, tags and order, wherever they stand.
 * White space around a vault envelope is no data.
 */
export function isSameData(a: YamlNode, b: YamlNode): boolean {
  if (a === b) return true;
  if (a.kind === 'map') return b.kind === 'map' && areSame(a.entries, b.entries, isSameEntry);
  if (a.kind === 'seq') return b.kind === 'seq' && areSame(a.items, b.items, isSameData);
  return b.kind === 'scalar' && isSameScalar(a, b);
}

function areSame<T>(a: readonly T[], b: readonly T[], isSame: (a: T, b: T) => boolean): boolean {
  return a.length === b.length && a.every((one, index) => isSame(one, b[index] as T));
}

function isSameEntry(a: MapEntry, b: MapEntry): boolean {
  return isSameValue(a.key, b.key) && isSameData(a.value, b.value);
}

function isSameScalar(a: ScalarNode, b: ScalarNode): boolean {
  return a.tag === b.tag && a.float === b.float && isSameValue(contentOf(a), contentOf(b));
}

function contentOf({ tag, value }: ScalarNode): ScalarValue {
  return tag === 'vault' && typeof value === 'string' ? value.trim() : value;
}

function isSameValue(a: ScalarValue, b: ScalarValue): boolean {
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') {
    return Object.is(a, b);
  }
  return a.iso === b.iso;
}
