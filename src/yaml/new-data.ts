// Values that are to be put into a vars file, under the keys that lead to them.
import type { MapEntry, MapNode, ScalarNode, YamlNode } from './node.ts';
import type { Position } from '../errors.ts';
import { resolvePlain } from './scalar.ts';

/** A value to be written. */
export interface NewValue {
  /** `vault`: `text` is an envelope. `unsafe`: a text that Ansible must not template. */
  readonly kind: 'vault' | 'unsafe';
  readonly text: string;
}

export type NewMap = ReadonlyMap<string, NewValue | NewMap>;

/** A value with the keys that lead to it. */
export interface PathValue {
  readonly path: readonly [string, ...string[]];
  readonly value: NewValue;
}

/** Gives a map that holds each value under its path. Throws TypeError where one begins another. */
export function buildMap(values: readonly PathValue[]): NewMap {
  const root: Draft = new Map();
  for (const { path, value } of values) insert(root, path, value);
  return root;
}

type Draft = Map<string, NewValue | Draft>;

function insert(map: Draft, [key, ...rest]: readonly string[], value: NewValue): void {
  if (key === undefined) return;
  const there = map.get(key);
  if (rest.length === 0 && there === undefined) {
    map.set(key, value);
    return;
  }
  const inner: Draft | NewValue = there ?? new Map<string, NewValue | Draft>();
  if (rest.length === 0 || !(inner instanceof Map)) {
    throw new TypeError('a value in the place of another');
  }
  map.set(key, inner);
  insert(inner, rest, value);
}

/** Tells a map of values from a value. */
export function isNewMap(data: NewValue | NewMap): data is NewMap {
  return data instanceof Map;
}

/**
 * Gives the data of a file once it holds the new values, too: in the place of old ones, or behind the
 * last entry of their map. What is no map on the way there is replaced.
 */
export function withNewData(old: YamlNode | null, data: NewMap, at: Position): MapNode {
  const entries: MapEntry[] = old?.kind === 'map' ? [...old.entries] : [];
  for (const [key, value] of data) {
    const index = entries.findIndex((entry) => entry.key === key);
    const there = entries[index];
    const node = toNode(there?.value ?? null, value, at);
    if (there === undefined) entries.push({ at, key, value: node });
    else entries[index] = { ...there, value: node };
  }
  return { kind: 'map', at: old?.at ?? at, entries };
}

function toNode(old: YamlNode | null, data: NewValue | NewMap, at: Position): YamlNode {
  return isNewMap(data) ? withNewData(old, data, at) : toScalar(data, at);
}

function toScalar({ kind, text }: NewValue, at: Position): ScalarNode {
  if (kind === 'unsafe' && looksLikeOther(text)) return { kind: 'scalar', at, value: text };
  return { kind: 'scalar', at, value: text, tag: kind };
}

/** Ansible reads `!unsafe "12"` as if it stood without quotes: as a number. */
export function looksLikeOther(text: string): boolean {
  return typeof resolvePlain(text)?.value !== 'string';
}
