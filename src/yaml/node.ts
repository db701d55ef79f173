// The data that Ansible's loader would hand out, with the place of every value. Nodes are plain
// records: aliases are followed and merge keys are merged when they are made, so that nobody
// after the parser has to know about either.
import type { Position } from '../errors.ts';

/** A date or date-time as YAML 1.1 has it, in the form of Python's `isoformat()`. */
export interface YamlDate {
  readonly iso: string;
}

/** What a scalar means. Integers beyond 2^53 are bigint. */
export type ScalarValue = string | number | bigint | boolean | null | YamlDate;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly at: Position;
  readonly value: ScalarValue;
  /** `vault`: `value` is the text of an envelope. `unsafe`: `value` is never templated. */
  readonly tag?: 'vault' | 'unsafe';
  /** True for a number that has a fraction or exponent in its text: Python's float. */
  readonly float?: true;
}

export interface MapEntry {
  /** Where the key stands. */
  readonly at: Position;
  readonly key: ScalarValue;
  readonly value: YamlNode;
}

export interface MapNode {
  readonly kind: 'map';
  readonly at: Position;
  readonly entries: readonly MapEntry[];
}

export interface SeqNode {
  readonly kind: 'seq';
  readonly at: Position;
  readonly items: readonly YamlNode[];
}

export type YamlNode = ScalarNode | MapNode | SeqNode;

/** Gives the value under a string key, or undefined. */
export function getEntry(map: MapNode, key: string): MapEntry | undefined {
  return map.entries.find((entry) => entry.key === key);
}

/** Gives the text of a scalar's value, for names and messages. */
export function scalarText(value: ScalarValue): string {
  return value !== null && typeof value === 'object' ? value.iso : String(value);
}

/** Names a node's type in the words of an error message: `a string`, `a map`, `null`, … */
export function describeType(node: YamlNode): string {
  if (node.kind === 'map') return 'a map';
  if (node.kind === 'seq') return 'a list';
  if (node.tag === 'vault') return 'a vaulted value';
  if (node.value === null) return 'null';
  if (typeof node.value === 'object') return 'a date';
  return { string: 'a string', boolean: 'a boolean' }[typeof node.value as string] ?? 'a number';
}
