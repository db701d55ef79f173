// Values of INI inventories: what Python's `ast.literal_eval` reads is that, everything else is
// the text itself. `x=1,2` is a list, `x=1 # one` a number, `x=yes` and `x=010` are strings. Before
// ansible-core 2.19, tuples stayed tuples; templates see no difference.
import { InputError } from '../errors.ts';
import type { Position } from '../errors.ts';
import type { MapEntry, ScalarNode, YamlNode } from '../yaml/node.ts';
import { keyIdentity } from '../yaml/merge.ts';
import { readNumber, readStrings, skipSpace } from './python-tokens.ts';
import type { PythonToken } from './python-tokens.ts';

/** Python's own limit is near; what it makes of deeper nesting depends on its version. */
const DEEPEST = 60;

const WORD = /(True|False|None|set)(?![\w\u0080-\uffff])/y;
const WORD_VALUES: Readonly<Record<string, boolean | null>> = {
  True: true,
  False: false,
  None: null,
};

/** What an operator before or behind it makes of a value. */
type Form = 'number' | 'signed' | 'imaginary' | 'other';

interface Literal {
  readonly node: YamlNode;
  readonly form: Form;
}

interface Reader {
  readonly text: string;
  readonly at: Position;
  offset: number;
  /** What Python reads and this does not, or what makes Python fail. */
  refused: string | undefined;
}

/**
 * Gives what Ansible makes of a value in an INI inventory.
 * @throws InputError E_UNSUPPORTED for Python's bytes, complex numbers, characters by name and
 * keys other than scalars; ansible-core itself fails on some of them.
 * @see https://docs.python.org/3/library/ast.html#ast.literal_eval
 */
export function parsePythonLiteral(text: string, at: Position): YamlNode {
  const plain: ScalarNode = { kind: 'scalar', at, value: text };
  if (text.includes('\0')) return plain;
  const reader: Reader = { text, at, offset: 0, refused: undefined };
  const node = readWhole(reader);
  if (reader.refused === undefined) return node ?? plain;
  throw new InputError({
    code: 'E_UNSUPPORTED',
    at,
    found: `${reader.refused} in a Python literal`,
    wanted: 'a value without it',
    fix: 'write the variable in a vars file',
  });
}

function readWhole(reader: Reader): YamlNode | null {
  const first = readExpression(reader, 0);
  if (first === null) return null;
  const isTuple = peek(reader) === ',';
  const rest = isTuple ? readItems(reader, '', 0, [first.node]) : [];
  if (rest === null) return null;
  const next = peek(reader);
  if (next !== undefined && next !== '#') {
    // An operator or a syntax error: Python does not look at the values around it.
    if (!isTuple) reader.refused = undefined;
    return null;
  }
  return isTuple ? { kind: 'seq', at: reader.at, items: rest } : first.node;
}

function peek(reader: Reader): string | undefined {
  reader.offset = skipSpace(reader.text, reader.offset);
  return reader.text[reader.offset];
}

function take(reader: Reader, character: string): boolean {
  if (peek(reader) !== character) return false;
  reader.offset += 1;
  return true;
}

/** A value, or the one sum that is a literal: that of a number and an imaginary number. */
function readExpression(reader: Reader, depth: number): Literal | null {
  const left = readSigned(reader, depth);
  const operator = peek(reader);
  if (left === null || (operator !== '+' && operator !== '-')) return left;
  reader.offset += 1;
  const right = readValue(reader, depth);
  if (right?.form !== 'imaginary' || left.form === 'other') return null;
  reader.refused = 'a complex number';
  return { node: left.node, form: 'other' };
}

function readSigned(reader: Reader, depth: number): Literal | null {
  const sign = peek(reader);
  if (sign !== '+' && sign !== '-') return readValue(reader, depth);
  reader.offset += 1;
  const operand = readValue(reader, depth);
  if (operand?.node.kind !== 'scalar') return null;
  if (operand.form !== 'number' && operand.form !== 'imaginary') return null;
  const { node } = operand;
  return { node: sign === '-' ? { ...node, value: negate(node) } : node, form: 'signed' };
}

function negate({ value, float }: ScalarNode): number | bigint {
  if (typeof value === 'bigint') return -value;
  return float === true ? -Number(value) : 0 - Number(value);
}

function readValue(reader: Reader, depth: number): Literal | null {
  const first = peek(reader);
  if (depth > DEEPEST) {
    reader.refused = 'deep nesting';
    return null;
  }
  if (first === '(') return readParentheses(reader, depth + 1);
  if (first === '[') return readList(reader, depth + 1);
  if (first === '{') return readBraces(reader, depth + 1);
  if (reader.text.startsWith('...', reader.offset)) return readEllipsis(reader);
  const number = readNumber(reader.text, reader.offset);
  const token = number ?? readStrings(reader.text, reader.offset);
  if (token === null) return readWord(reader);
  reader.offset = token.end;
  reader.refused ??= token.refused;
  return { node: toScalar(reader, token), form: formOf(number) };
}

function formOf(number: PythonToken | null): Form {
  if (number === null) return 'other';
  return number.refused === undefined ? 'number' : 'imaginary';
}

function toScalar({ at }: Reader, { value, float }: PythonToken): ScalarNode {
  return { kind: 'scalar', at, value, ...(float === undefined ? {} : { float }) };
}

/** Python's `...` becomes the string of three dots, as in ansible-core 2.19. */
function readEllipsis(reader: Reader): Literal {
  reader.offset += 3;
  return { node: { kind: 'scalar', at: reader.at, value: '...' }, form: 'other' };
}

function readWord(reader: Reader): Literal | null {
  WORD.lastIndex = reader.offset;
  const word = WORD.exec(reader.text)?.[1];
  if (word === undefined) return null;
  reader.offset = WORD.lastIndex;
  const value = WORD_VALUES[word];
  if (value !== undefined) return { node: { kind: 'scalar', at: reader.at, value }, form: 'other' };
  if (!take(reader, '(') || !take(reader, ')')) return null;
  return { node: { kind: 'seq', at: reader.at, items: [] }, form: 'other' };
}

function readParentheses(reader: Reader, depth: number): Literal | null {
  reader.offset += 1;
  if (take(reader, ')')) return { node: { kind: 'seq', at: reader.at, items: [] }, form: 'other' };
  const first = readExpression(reader, depth);
  if (first === null) return null;
  if (take(reader, ')')) return first;
  const items = peek(reader) === ',' ? readItems(reader, ')', depth, [first.node]) : null;
  return items === null ? null : { node: { kind: 'seq', at: reader.at, items }, form: 'other' };
}

function readList(reader: Reader, depth: number): Literal | null {
  reader.offset += 1;
  const items = readItems(reader, ']', depth, []);
  return items === null ? null : { node: { kind: 'seq', at: reader.at, items }, form: 'other' };
}

/** Reads items up to a closing bracket, or to the end where `close` is ''. */
function readItems(
  reader: Reader,
  close: string,
  depth: number,
  items: YamlNode[],
): YamlNode[] | null {
  let isFirst = items.length === 0;
  for (;;) {
    const isEnd = isAtEnd(reader, close);
    if (isEnd) return items;
    if (!isFirst && !take(reader, ',')) return null;
    if (!isFirst && isAtEnd(reader, close)) return items;
    isFirst = false;
    const item = readExpression(reader, depth);
    if (item === null) return null;
    items.push(item.node);
  }
}

function isAtEnd(reader: Reader, close: string): boolean {
  if (close !== '') return take(reader, close);
  const next = peek(reader);
  return next === undefined || next === '#';
}

function readBraces(reader: Reader, depth: number): Literal | null {
  reader.offset += 1;
  const entries = new Map<string, MapEntry>();
  const node: YamlNode = { kind: 'map', at: reader.at, entries: [] };
  for (;;) {
    if (take(reader, '}'))
      return { node: { ...node, entries: [...entries.values()] }, form: 'other' };
    const key = readExpression(reader, depth);
    if (key === null) return null;
    if (!take(reader, ':')) return entries.size === 0 ? readSet(reader, depth, key.node) : null;
    const value = readExpression(reader, depth);
    if (value === null) return null;
    addEntry(reader, entries, key.node, value.node);
    if (!take(reader, ',') && peek(reader) !== '}') return null;
  }
}

/** Python gives a set in no order. */
function readSet(reader: Reader, depth: number, first: YamlNode): Literal | null {
  const items = [first];
  const isWhole = readItems(reader, '}', depth, items) !== null;
  // Python fails on a list in a set before it looks at what follows.
  if (isWhole || items.some(({ kind }) => kind !== 'scalar')) reader.refused ??= 'a set';
  if (!isWhole) return null;
  return { node: { kind: 'seq', at: reader.at, items }, form: 'other' };
}

function addEntry(
  reader: Reader,
  entries: Map<string, MapEntry>,
  key: YamlNode,
  value: YamlNode,
): void {
  if (key.kind !== 'scalar') {
    reader.refused ??= 'a key that is no scalar';
    return;
  }
  const identity = keyIdentity(key.value);
  if (entries.has(identity)) reader.refused ??= 'the same key twice';
  entries.set(identity, { at: reader.at, key: key.value, value });
}
