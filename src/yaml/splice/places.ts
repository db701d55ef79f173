// Where things begin and end in a text.
import type { CST } from 'yaml';

/** What a pair or item consists of, white space and comments left out. */
const SUBSTANCE = new Set(['anchor', 'tag', 'map-value-ind', 'seq-item-ind', 'explicit-key-ind']);

/** Gives the offset behind the last character of a value, comments behind it left out. */
export function endOfToken(token: CST.Token): number {
  if (token.type === 'block-map' || token.type === 'block-seq') {
    return endOfItem(token.items.findLast(hasSubstance), token.offset);
  }
  if (token.type === 'flow-collection') return closingOf(token) + 1;
  if (token.type === 'block-scalar') return endOfBlockScalar(token);
  return 'source' in token ? token.offset + token.source.length : token.offset;
}

function hasSubstance(item: CST.CollectionItem): boolean {
  return item.key != null || item.value !== undefined || lastOf(item) !== undefined;
}

function lastOf({ start, sep = [] }: CST.CollectionItem): CST.SourceToken | undefined {
  return [...start, ...sep].findLast(({ type }) => SUBSTANCE.has(type));
}

/** Gives the offset behind a pair or item; `otherwise` where there is none. */
export function endOfItem(item: CST.CollectionItem | undefined, otherwise: number): number {
  if (item === undefined) return otherwise;
  const { key, value } = item;
  const before = lastOf(item);
  const ends = [
    ...(before === undefined ? [] : [before.offset + before.source.length]),
    ...(key == null ? [] : [endOfToken(key)]),
    ...(value === undefined ? [] : [endOfToken(value)]),
  ];
  return Math.max(otherwise, ...ends);
}

/** Gives the offset of the brace or bracket that closes a flow collection. */
export function closingOf(token: CST.FlowCollection): number {
  const close = token.end.find(({ type }) => type === 'flow-map-end' || type === 'flow-seq-end');
  if (close === undefined) throw new TypeError('a flow collection without its end');
  return close.offset;
}

/** The parts of a block scalar: its header, and the lines with its text. */
export interface BlockScalarParts {
  readonly header: readonly [start: number, end: number];
  /** From the first line below the header to the end of the last line that is not blank. */
  readonly body: readonly [start: number, end: number];
}

/** Gives where a block scalar's parts stand. */
export function partsOf(token: CST.BlockScalar): BlockScalarParts {
  const { props, source } = token;
  const head = props.find(({ type }) => type === 'block-scalar-header');
  if (head === undefined || !('source' in head))
    throw new TypeError('a block scalar without header');
  const last = props.at(-1) ?? head;
  const start = last.offset + ('source' in last ? last.source.length : 0);
  const body: [number, number] = [start, start + withoutBlankEnd(source)];
  return { header: [head.offset, head.offset + head.source.length], body };
}

/** Blank lines at the end are part of the text only where the header says so. */
function endOfBlockScalar(token: CST.BlockScalar): number {
  const { header, body } = partsOf(token);
  const [head] = token.props;
  const keeps = head !== undefined && 'source' in head && head.source.includes('+');
  const end = keeps ? body[0] + token.source.length : body[1];
  if (end === body[0]) return header[1];
  return token.source.charAt(end - body[0] - 1) === '\n' ? end - 1 : end;
}

function withoutBlankEnd(source: string): number {
  let end = source.length;
  while (end > 0) {
    const start = startOfLine(source, end - 1);
    if (source.slice(start, end).trim() !== '') break;
    end = start;
  }
  return end;
}

/** Gives where the line of an offset begins. */
export function startOfLine(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
}

/** Gives where the line after that of an offset begins, or the end of the text. */
export function startOfNextLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end + 1;
}

/** Gives the column of an offset, from 0. */
export function columnOf(text: string, offset: number): number {
  return offset - startOfLine(text, offset);
}

/** Gives where a pair begins, with the tag or anchor of its key. */
export function startOfItem({ start, key }: CST.CollectionItem): number {
  const first = start.find(({ type }) => type === 'anchor' || type === 'tag');
  const offset = first?.offset ?? key?.offset;
  if (offset === undefined) throw new TypeError('a pair without a key');
  return offset;
}

interface Line {
  readonly start: number;
  readonly next: number;
  readonly text: string;
}

/** Gives the lines from an offset on that are blank or hold a comment, up to the first other one. */
export function quietLines(text: string, from: number): Line[] {
  const lines: Line[] = [];
  for (let start = from; start < text.length;) {
    const next = startOfNextLine(text, start);
    const line = text.slice(start, next).replace(/\r?\n$/, '');
    if (!/^[ \t]*(?:#.*)?$/.test(line)) break;
    lines.push({ start, next, text: line });
    start = next;
  }
  return lines;
}

/**
 * Gives where a map ends whose last entry ends before the line that begins at `from`: behind the
 * comments that are indented at least as its keys, but before the blank lines at the end.
 */
export function endOfMap(text: string, from: number, column: number): number {
  let end = from;
  for (const line of quietLines(text, from)) {
    const isComment = line.text.trim() !== '';
    if (isComment && indentOf(line.text) < column) break;
    if (isComment) end = line.next;
  }
  return end;
}

/** Gives how far to the right the text of a block before this offset has to stand to end there. */
export function marginBefore(text: string, offset: number): number {
  const indents = quietLines(text, offset).map((line) => indentOf(line.text) + 1);
  return Math.max(0, ...indents);
}

function indentOf(line: string): number {
  return line.length - line.replace(/^ +/, '').length;
}
