// Values as the role's action plugin sends them: what Ansible has loaded, unrendered, with the place
// where it stands as far as Ansible knows (ansible_pos up to 2.18, Origin tags since).
import type { Position } from '../errors.ts';
import type { MapEntry, ScalarNode, ScalarValue, YamlNode } from '../yaml/node.ts';

/** One value; exactly one of `vault`, `text`, `map`, `list` and `plain` is there. */
export interface SentValue {
  /** File or description, line and column. */
  readonly at?: readonly [string | null, number | null, number | null] | null;
  readonly vault?: string;
  readonly text?: string;
  /** Whether Ansible would take the text for a template. */
  readonly template?: boolean;
  readonly map?: readonly (readonly [SentValue, SentValue])[];
  readonly list?: readonly SentValue[];
  /** Any other value as Python prints it, with its type. */
  readonly plain?: string;
  readonly type?: string;
}

/** What leads from a variable to a value in it. */
export type ValuePath = readonly (string | number | boolean | null)[];

export interface ReadOptions {
  /** Gives the name of a file for messages. */
  readonly show: (path: string) => string;
  /** Told of each value that may be a template, with its path. */
  readonly onTemplate?: (node: ScalarNode, path: ValuePath) => void;
}

interface Place {
  readonly path: ValuePath;
  /** The place of what holds the value. */
  readonly at: Position;
}

/** Gives a value as a node. What has no place of its own gets that of what holds it. */
export function toNode(sent: SentValue, place: Place, options: ReadOptions): YamlNode {
  const at = placeOf(sent, options.show) ?? place.at;
  if (sent.map !== undefined) {
    return { kind: 'map', at, entries: sent.map.map((pair) => toEntry(pair, place, at, options)) };
  }
  if (sent.list !== undefined) {
    const items = sent.list.map((item, index) =>
      toNode(item, { path: [...place.path, index], at }, options),
    );
    return { kind: 'seq', at, items };
  }
  const node = toScalar(sent, at);
  if (sent.template === true) options.onTemplate?.(node, place.path);
  return node;
}

/** Gives the same for what Ansible has rendered, all at one place: no text of it is a template. */
export function toRendered(sent: SentValue, at: Position): YamlNode {
  return settle(toNode(sent, { path: [], at }, { show: (path) => path }), at);
}

function settle(node: YamlNode, at: Position): YamlNode {
  if (node.kind === 'seq') return { ...node, at, items: node.items.map((one) => settle(one, at)) };
  if (node.kind === 'scalar') {
    const isText = typeof node.value === 'string' && node.tag === undefined;
    return isText ? { ...node, at, tag: 'unsafe' } : { ...node, at };
  }
  const entries = node.entries.map((entry) => ({ ...entry, at, value: settle(entry.value, at) }));
  return { ...node, at, entries };
}

function toEntry(
  [key, value]: readonly [SentValue, SentValue],
  { path }: Place,
  at: Position,
  options: ReadOptions,
): MapEntry {
  const name = toScalar(key, at).value;
  const keyAt = placeOf(key, options.show) ?? at;
  const step = typeof name === 'object' || typeof name === 'bigint' ? null : name;
  return { at: keyAt, key: name, value: toNode(value, { path: [...path, step], at }, options) };
}

function toScalar({ vault, text, template, plain = '', type = '' }: SentValue, at: Position) {
  const node = { kind: 'scalar', at } as const;
  if (vault !== undefined) return { ...node, value: vault, tag: 'vault' } as const;
  if (text !== undefined && template !== true)
    return { ...node, value: text, tag: 'unsafe' } as const;
  if (text !== undefined) return { ...node, value: text };
  if (/float/i.test(type)) return { ...node, value: Number(plain), float: true } as const;
  return { ...node, value: readPlain(plain, type) };
}

function readPlain(plain: string, type: string): ScalarValue {
  if (/bool/i.test(type)) return plain === 'True';
  if (/None/.test(type)) return null;
  if (!/int/i.test(type)) return { iso: plain };
  const number = Number(plain);
  return Number.isSafeInteger(number) ? number : BigInt(plain);
}

function placeOf({ at }: SentValue, show: ReadOptions['show']): Position | null {
  const [file = null, line = null, column = null] = at ?? [];
  if (file === null) return null;
  const name = file.startsWith('/') ? show(file) : file;
  return { file: name, line: line ?? 0, column: line === null ? 0 : (column ?? 1) };
}
