// The plain part of YAML that most vars files, and all of ours, consist of: block maps whose keys are
// names, with one-line values and inline vault values. It is read here line by line, since the YAML
// package takes many times as long. Whatever is not plainly plain is left to the package: this reader
// never refuses anything, and a test compares what it reads with what the package makes of it.
import { scalarText, type MapEntry, type MapNode, type ScalarNode, type YamlNode } from './node.ts';
import { resolvePlain } from './scalar.ts';

const PLAIN_TEXT = /^[\n\x20-\x7e]+\n$/;
const ENTRY = /^( *)([A-Za-z_][A-Za-z0-9_]*):(?: (\S.*))?$/;
const SKIPPED = /^ *(?:#.*)?$/;
const DOUBLE_QUOTED = /^"[^"\\]*"$/;
const SINGLE_QUOTED = /^'[^']*'$/;
const WORDS = /^[A-Za-z0-9_./][A-Za-z0-9_./@:+=,~-]*(?: [A-Za-z0-9_./@:+=,~-]+)*$/;
const COLON_AT_END = /:(?: |$)/;
const ENVELOPE_LINE = /^( +)([!-~]+)$/;
const VAULT = '!vault |';
const DEEPEST = 20;

/** Reading goes through the lines once; a null anywhere leaves the whole text to the package. */
interface Reader {
  readonly file: string;
  readonly lines: readonly string[];
  next: number;
}

/** Gives the map that a text holds, or null where it is not of the plain kind. */
export function parseSimple(text: string, file: string): MapNode | null {
  if (!PLAIN_TEXT.test(text)) return null;
  const lines = text.split('\n');
  lines.pop();
  const reader: Reader = { file, lines, next: lines[0] === '---' ? 1 : 0 };
  const first = peek(reader);
  if (first === null || indentOf(first) !== 0) return null;
  const map = readMap(reader, 0, 0);
  return peek(reader) === null ? map : null;
}

/** Gives the next line that says something, or null at the end. */
function peek(reader: Reader): string | null {
  for (; ; reader.next += 1) {
    const line = reader.lines[reader.next];
    if (line === undefined) return null;
    if (!SKIPPED.test(line)) return line;
  }
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function readMap(reader: Reader, indent: number, depth: number): MapNode | null {
  const entries: MapEntry[] = [];
  const names = new Set<string>();
  for (let line = peek(reader); line !== null; line = peek(reader)) {
    if (indentOf(line) < indent) break;
    const entry = indentOf(line) === indent ? readEntry(reader, line, depth) : null;
    if (entry === null || names.has(scalarText(entry.key))) return null;
    names.add(scalarText(entry.key));
    entries.push(entry);
  }
  const [first] = entries;
  return first === undefined ? null : { kind: 'map', at: first.at, entries };
}

function readEntry(reader: Reader, line: string, depth: number): MapEntry | null {
  const [, margin, key, rest] = ENTRY.exec(line) ?? [];
  if (margin === undefined || key === undefined) return null;
  if (typeof resolvePlain(key)?.value !== 'string') return null;
  const at = { file: reader.file, line: reader.next + 1, column: margin.length + 1 };
  const column = margin.length + key.length + 3;
  reader.next += 1;
  const value =
    rest === undefined
      ? readBelow(reader, margin.length, { ...at, column: column - 1 }, depth)
      : readValue(reader, rest, margin.length, { ...at, column });
  return value === null ? null : { at, key, value };
}

/** Behind a key without a value stands a deeper map, or nothing. */
function readBelow(
  reader: Reader,
  indent: number,
  at: ScalarNode['at'],
  depth: number,
): YamlNode | null {
  const line = peek(reader);
  const deeper = line === null ? 0 : indentOf(line);
  if (line === null || deeper < indent) return { kind: 'scalar', at, value: null };
  if (deeper > indent) return depth < DEEPEST ? readMap(reader, deeper, depth + 1) : null;
  return ENTRY.test(line) ? { kind: 'scalar', at, value: null } : null;
}

function readValue(
  reader: Reader,
  text: string,
  indent: number,
  at: ScalarNode['at'],
): ScalarNode | null {
  if (text === VAULT) return readEnvelope(reader, indent, at);
  const next = reader.lines[reader.next];
  // A deeper line would go on with the value.
  if (next !== undefined && !SKIPPED.test(next) && indentOf(next) > indent) return null;
  if (DOUBLE_QUOTED.test(text) || SINGLE_QUOTED.test(text)) {
    return { kind: 'scalar', at, value: text.slice(1, -1) };
  }
  if (!WORDS.test(text) || COLON_AT_END.test(text)) return null;
  const meaning = resolvePlain(text);
  return meaning === null ? null : { kind: 'scalar', at, ...meaning };
}

function readEnvelope(reader: Reader, indent: number, at: ScalarNode['at']): ScalarNode | null {
  const first = ENVELOPE_LINE.exec(reader.lines[reader.next] ?? '')?.[1];
  if (first === undefined || first.length <= indent) return null;
  const lines: string[] = [];
  for (; ; reader.next += 1) {
    const line = reader.lines[reader.next];
    if (line === undefined || (line !== '' && indentOf(line) <= indent)) break;
    const [, margin, text] = ENVELOPE_LINE.exec(line) ?? [];
    if (margin !== first || text === undefined) return null;
    lines.push(text);
  }
  const column = at.column + VAULT.length - 1;
  return { kind: 'scalar', at: { ...at, column }, value: `${lines.join('\n')}\n`, tag: 'vault' };
}
