import type { MapEntry, MapNode, YamlNode } from '../yaml/node.ts';

/**
 * Gives the value that `hash_behaviour=merge` makes of two: maps are merged, at every depth, and
 * anything else of the higher place replaces the lower one.
 * @see https://docs.ansible.com/ansible/latest/reference_appendices/config.html#default-hash-behaviour
 */
export function mergeValues(low: YamlNode, high: YamlNode): YamlNode {
  return low.kind === 'map' && high.kind === 'map' ? mergeMaps(low, high) : high;
}

function mergeMaps(low: MapNode, high: MapNode): MapNode {
  const entries = new Map<MapEntry['key'], MapEntry>();
  for (const entry of low.entries) entries.set(entry.key, entry);
  for (const entry of high.entries) {
    const known = entries.get(entry.key);
    const value = known === undefined ? entry.value : mergeValues(known.value, entry.value);
    entries.set(entry.key, { ...entry, value });
  }
  return { ...high, entries: [...entries.values()] };
}
