// Where libyaml, the parser under Ansible's loader, differs from the YAML package: what it
// refuses, and what it reads otherwise. Found by comparing the two on generated documents.
import { isCollection, isScalar, visit } from 'yaml';
import type { Document, Node, Pair, Range, Scalar } from 'yaml';

/** What is wrong, in the words of an error. */
export interface Wrong {
  readonly found: string;
  readonly fix?: string;
}

interface WrongAt {
  readonly offset: number;
  readonly wrong: Wrong;
}

/** These escapes are refused, even in pairs; the YAML package joins them. */
const SURROGATE_ESCAPE = /\\(?:u|U0000)[dD][89a-fA-F]/;

/** What the blank line gives is a line break to libyaml and a space to the package. */
const ESCAPED_BREAK_AND_BLANK = /\\\r?\n[ \t]*\r?\n/;

const CLOSED_DOUBLE = /^"[^"\\]*(?:\\[^][^"\\]*)*"$/;
const CLOSED_SINGLE = /^'[^']*(?:''[^']*)*'$/;

const OPEN: Wrong = { found: 'a quote that is never closed', fix: 'close the quote' };
const NO_COMMA: Wrong = { found: 'a missing comma or colon inside { }' };
const LATE_COLON: Wrong = { found: 'a key that is not on one line with its colon' };
const ONLY_A_BLOCK: Wrong = { found: 'nothing but a block of text' };
const LONE_END: Wrong = { found: 'an end mark without a document' };
const EXPLICIT_KEY: Wrong = { found: 'a key behind a question mark', fix: 'write "key: value"' };
const TRAILING_SPACES: Wrong = {
  found: 'a line of nothing but spaces at the end of a block of text',
  fix: 'remove the spaces',
};
const TAB: Wrong = { found: 'a tab as indentation', fix: 'indent with spaces' };

/** Gives a scalar's text: a block scalar whose last line lacks its line break does not get one. */
export function scalarText(node: Scalar, text: string): string {
  const value = String(node.value);
  if (!isBlock(node) || node.range?.[1] !== text.length || /\n *$/.test(text)) return value;
  return value.endsWith('\n') ? value.slice(0, -1) : value;
}

/** Says why libyaml refuses a scalar that the YAML package took, or null. */
export function checkScalarSyntax(
  node: Scalar,
  text: string,
  { flow }: { readonly flow: boolean },
): Wrong | null {
  const [start, end] = node.range ?? [0, 0];
  if (node.type === 'QUOTE_DOUBLE') return checkDoubleQuoted(text.slice(start, end));
  if (node.type === 'QUOTE_SINGLE') return CLOSED_SINGLE.test(text.slice(start, end)) ? null : OPEN;
  if (isBlock(node)) return checkBlock(text.slice(start, endOfBlanks(text, end)));
  return flow ? checkPlainInFlow(text, start, end, node.tag) : null;
}

function isBlock(node: Scalar): boolean {
  return node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED';
}

/** The package leaves blank lines after a block out of its range. */
function endOfBlanks(text: string, offset: number): number {
  const blanks = /(?: *\r?\n)*(?: +$)?/y;
  blanks.lastIndex = offset;
  blanks.test(text);
  return Math.max(offset, blanks.lastIndex);
}

function checkDoubleQuoted(source: string): Wrong | null {
  if (!CLOSED_DOUBLE.test(source)) return OPEN;
  if (ESCAPED_BREAK_AND_BLANK.test(source)) {
    return { found: 'a backslash at the end of a line before a blank line' };
  }
  if (!SURROGATE_ESCAPE.test(source.replaceAll('\\\\', ''))) return null;
  return {
    found: 'half of a surrogate pair as an escape',
    fix: 'write the character itself, or \\U and its eight digits',
  };
}

function checkPlainInFlow(
  text: string,
  start: number,
  end: number,
  tag: string | undefined,
): Wrong | null {
  if (start === end && tag !== undefined) return { found: 'a tag without a value' };
  const source = text.slice(start, end);
  if (!/^[?:]|:[,?[\]{}]/.test(source) && !isAt(/\s*:[,?[\]{}]/y, text, end)) return null;
  return { found: 'a colon or question mark inside [ ] or { }', fix: 'put the value in quotes' };
}

/** Says why libyaml refuses a key and what follows it, or null. */
export function checkPair({ key, value }: Pair<Node, Node | null>, text: string): Wrong | null {
  const [start, end] = key.range ?? [0, 0];
  if (value !== null && text.slice(start, end).includes('\n')) return LATE_COLON;
  if (text[end] === ':') return null;
  if (value === null) return isAt(/\s*(?:#.*\n\s*)*[,}\]]/y, text, end) ? null : NO_COMMA;
  return isAt(/[ \t]*:/y, text, end) ? null : LATE_COLON;
}

function isAt(pattern: RegExp, text: string, offset: number): boolean {
  pattern.lastIndex = offset;
  return pattern.test(text);
}

/**
 * A tab may stand in the text of a block, but not where its indentation is looked for. Spaces
 * beyond the indentation are text to libyaml even on the last lines, where the package drops them.
 */
function checkBlock(source: string): Wrong | null {
  const [header = '', ...lines] = source.split(/\r?\n/);
  const first = lines.findIndex((line) => /[^ ]/.test(line));
  const last = lines.findLastIndex((line) => /[^ ]/.test(line));
  // With a number in the header the indentation is not known here: the strictest reading counts.
  const isGiven = /^[|>][-+]?[1-9]/.test(header);
  const indent = lines[first]?.search(/[^ ]/) ?? 0;
  const isTab = (line: string) => line.search(/[^ ]/) === line.indexOf('\t') && line.includes('\t');
  const isBadTab = (line: string) => isTab(line) && (isGiven || line.indexOf('\t') < indent);
  if ((!isGiven && isTab(lines[first] ?? '')) || lines.some(isBadTab)) return TAB;
  const most = isGiven ? 0 : indent;
  return lines.slice(last + 1).some((line) => line.length > most) ? TRAILING_SPACES : null;
}

/**
 * Says what is wrong with a document as a whole, with offsets. Keys behind a question mark are
 * refused since the package drops what follows some of them.
 */
export function checkDocument(document: Document.Parsed, text: string): readonly WrongAt[] {
  const { contents } = document;
  const tabs = findOutside(document, text, /^ *(?:[-?:] *)*\t/gm);
  const questions = findOutside(document, text, /^(?:--- )? *(?:- +)*\?(?=\s|$)/gm);
  const wrong: WrongAt[] = [
    ...tabs.map((offset) => ({ offset, wrong: TAB })),
    ...questions.map((offset) => ({ offset, wrong: EXPLICIT_KEY })),
  ];
  if (isScalar(contents) && isBlock(contents)) {
    wrong.push({ offset: contents.range[0], wrong: ONLY_A_BLOCK });
  }
  const isEmpty = contents === null || contents.range[0] === contents.range[1];
  const end = isEmpty && !/^---/m.test(text) ? text.search(/^\.\.\./m) : -1;
  return end === -1 ? wrong : [...wrong, { offset: end, wrong: LONE_END }];
}

/** Gives where matches end that are part of no scalar and nothing between [ ] or { }. */
function findOutside(document: Document.Parsed, text: string, pattern: RegExp): number[] {
  const ends = [...text.matchAll(pattern)].map(({ 0: { length }, index }) => index + length - 1);
  if (ends.length === 0) return [];
  const covered = coveredRanges(document);
  let next = 0;
  return ends.filter((offset) => {
    while ((covered[next]?.[1] ?? Infinity) <= offset) next += 1;
    return (covered[next]?.[0] ?? Infinity) >= offset;
  });
}

/** The outermost ones, in the order of the text. */
function coveredRanges(document: Document.Parsed): Range[] {
  const covered: Range[] = [];
  visit(document, {
    Node(_, node) {
      if (node.range == null || (isCollection(node) && node.flow !== true)) return;
      if (node.range[0] >= (covered.at(-1)?.[1] ?? 0)) covered.push(node.range);
    },
  });
  return covered;
}
