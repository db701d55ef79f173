// Ansible tries JSON before YAML, and the two differ: `1e3` is a number only in JSON, and only
// JSON joins "\ud83d\udc34" to one character. So does this: JSON as Python reads it (with NaN and
// Infinity), with positions. Whatever is not JSON is left to the YAML parser.
import { InputError } from '../errors.ts';
import type { Fault } from '../errors.ts';
import { DEEPEST, duplicateKey } from './faults.ts';
import type { MapEntry, ScalarNode, YamlNode } from './node.ts';
import type { Locate } from './position.ts';
import { readInteger } from './scalar.ts';
import type { ScalarMeaning } from './scalar.ts';

const BEGINNING = /^[ \t\n\r]*[[{"\-0-9tfnNI]/;
const END = /[ \t\n\r]*$/y;
const TOKEN =
  /[ \t\n\r]*(?:([[\]{},:])|("[^"\\\0-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\0-\x1f]*)*")|(-?(?:0|[1-9][0-9]*))((?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)|(true|false|null|NaN|-?Infinity))/y;

const WORDS: Readonly<Record<string, ScalarMeaning>> = {
  true: { value: true },
  false: { value: false },
  null: { value: null },
  NaN: { value: NaN, float: true },
  Infinity: { value: Infinity, float: true },
  '-Infinity': { value: -Infinity, float: true },
};

const LONE_SURROGATE = /\p{Surrogate}/u;

interface Token {
  readonly offset: number;
  /** One of `[]{},:`; undefined for a scalar. */
  readonly mark: string | undefined;
  readonly scalar: ScalarMeaning | undefined;
}

interface Reader {
  readonly text: string;
  readonly locate: Locate;
  readonly faults: Fault[];
  offset: number;
}

/**
 * Reads JSON as Ansible does. Gives undefined for what is not JSON.
 * @throws InputError where it is JSON, but has a key twice or misuses Ansible's own marks.
 */
export function parseJson(text: string, locate: Locate): YamlNode | undefined {
  if (!BEGINNING.test(text)) return undefined;
  const reader: Reader = { text, locate, faults: [], offset: 0 };
  const node = readValue(reader, nextToken(reader), 0);
  END.lastIndex = reader.offset;
  if (node === undefined || !END.test(text)) return undefined;
  if (reader.faults.length > 0) throw new InputError(reader.faults);
  return node;
}

function nextToken(reader: Reader): Token | undefined {
  TOKEN.lastIndex = reader.offset;
  const match = TOKEN.exec(reader.text);
  if (match === null) return undefined;
  reader.offset = TOKEN.lastIndex;
  const [whole, mark, quoted, digits, fraction, word] = match;
  const length = (mark ?? quoted ?? word ?? `${digits}${fraction}`).length;
  const offset = match.index + whole.length - length;
  if (mark !== undefined) return { offset, mark, scalar: undefined };
  const scalar = word === undefined ? readScalar(quoted, digits ?? '', fraction) : WORDS[word];
  return scalar === undefined ? undefined : { offset, mark, scalar };
}

function readScalar(
  quoted: string | undefined,
  digits: string,
  fraction: string | undefined,
): ScalarMeaning | undefined {
  if (quoted !== undefined) {
    const value = JSON.parse(quoted) as string;
    return LONE_SURROGATE.test(value) ? undefined : { value };
  }
  if (fraction !== '') return { value: Number(`${digits}${fraction}`), float: true };
  const value = readInteger(digits);
  return typeof value === 'number' || typeof value === 'bigint' ? { value } : undefined;
}

function readValue(reader: Reader, token: Token | undefined, depth: number): YamlNode | undefined {
  if (token === undefined || depth > DEEPEST) return undefined;
  if (token.mark === '[') return readArray(reader, token, depth);
  if (token.mark === '{') return readObject(reader, token, depth);
  if (token.scalar === undefined) return undefined;
  return { kind: 'scalar', at: reader.locate(token.offset), ...token.scalar };
}

function readArray(reader: Reader, start: Token, depth: number): YamlNode | undefined {
  const items: YamlNode[] = [];
  const at = reader.locate(start.offset);
  let token = nextToken(reader);
  if (token?.mark === ']') return { kind: 'seq', at, items };
  for (;;) {
    const item = readValue(reader, token, depth + 1);
    if (item === undefined) return undefined;
    items.push(item);
    const after = nextToken(reader)?.mark;
    if (after === ']') return { kind: 'seq', at, items };
    if (after !== ',') return undefined;
    token = nextToken(reader);
  }
}

function readObject(reader: Reader, start: Token, depth: number): YamlNode | undefined {
  const entries = new Map<string, MapEntry>();
  let token = nextToken(reader);
  if (token?.mark === '}') return toNode(reader, start, entries);
  for (;;) {
    const key = token?.scalar?.value;
    if (token === undefined || typeof key !== 'string') return undefined;
    if (nextToken(reader)?.mark !== ':') return undefined;
    const value = readValue(reader, nextToken(reader), depth + 1);
    if (value === undefined) return undefined;
    addEntry(reader, entries, { at: reader.locate(token.offset), key, value });
    const after = nextToken(reader)?.mark;
    if (after === '}') return toNode(reader, start, entries);
    if (after !== ',') return undefined;
    token = nextToken(reader);
  }
}

function addEntry(
  reader: Reader,
  entries: Map<string, MapEntry>,
  entry: MapEntry & { readonly key: string },
): void {
  const first = entries.get(entry.key);
  if (first === undefined) entries.set(entry.key, entry);
  else reader.faults.push(duplicateKey(entry.at, first.at));
}

/** Ansible writes vaulted and unsafe strings to JSON as objects with one key of its own. */
function toNode(reader: Reader, start: Token, entries: Map<string, MapEntry>): YamlNode {
  const at = reader.locate(start.offset);
  const mark = [...entries.keys()].find((key) => /^__ansible_(?:vault|unsafe|type)$/.test(key));
  if (mark === undefined) return { kind: 'map', at, entries: [...entries.values()] };
  const value = entries.get(mark)?.value;
  const tag = mark === '__ansible_vault' ? 'vault' : 'unsafe';
  if (entries.size === 1 && mark !== '__ansible_type' && isString(value)) return { ...value, tag };
  reader.faults.push({
    code: 'E_YAML',
    at,
    found: `an object with Ansible's own key ${mark} that is not built as Ansible writes it`,
    wanted: `an object with this one key and a string`,
  });
  return { kind: 'map', at, entries: [] };
}

function isString(node: YamlNode | undefined): node is ScalarNode {
  return node?.kind === 'scalar' && typeof node.value === 'string';
}
