// Numbers and strings of Python's grammar.
// See https://docs.python.org/3/reference/lexical_analysis.html#literals
import { integer } from '../yaml/scalar.ts';

/** A token's meaning; `refused` names what Python reads and this does not. */
export interface PythonToken {
  readonly end: number;
  readonly value: number | bigint | string;
  readonly float?: true;
  readonly refused?: string;
}

interface StringToken extends PythonToken {
  readonly bytes: boolean;
}

const DIGITS = String.raw`[0-9](?:_?[0-9])*`;
const EXPONENT = String.raw`[eE][-+]?${DIGITS}`;
const FLOAT = String.raw`(?:${DIGITS}\.(?:${DIGITS})?|\.${DIGITS})(?:${EXPONENT})?|${DIGITS}${EXPONENT}`;
const INTEGER = String.raw`0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|[1-9](?:_?[0-9])*|0(?:_?0)*`;
const NUMBER = new RegExp(
  String.raw`(?:((?:${FLOAT}|${DIGITS})[jJ])|(${FLOAT})|(${INTEGER}))(?![\w.\u0080-\uffff])`,
  'y',
);

/** Python refuses to read decimal integers with more digits. */
const MOST_DIGITS = 4300;

const STRING_START = /([uU]|[rR][bB]?|[bB][rR]?)?('''|"""|'|")/y;
const STRING_BODIES: Readonly<Record<string, RegExp>> = {
  "'": /((?:[^\\\n']|\\.)*)'/sy,
  '"': /((?:[^\\\n"]|\\.)*)"/sy,
  "'''": /((?:[^\\]|\\.)*?)'''/sy,
  '"""': /((?:[^\\]|\\.)*?)"""/sy,
};

/** Octal, hexadecimal of three lengths, by name, any other; what is left is malformed. */
const ESCAPE =
  /\\(?:([0-7]{1,3})|(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|(N\{[^}]+\})|([^xuUN])|)/gsu;

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Reads the number at an offset, without a sign. Gives null where there is none. */
export function readNumber(text: string, offset: number): PythonToken | null {
  NUMBER.lastIndex = offset;
  const match = NUMBER.exec(text);
  if (match === null) return null;
  const end = NUMBER.lastIndex;
  const [, imaginary, float, whole = '0'] = match;
  if (imaginary !== undefined) return { end, value: 0, refused: 'an imaginary number' };
  if (float !== undefined) return { end, value: Number(float.replaceAll('_', '')), float: true };
  const digits = whole.replaceAll('_', '');
  if (/^[1-9]/.test(digits) && digits.length > MOST_DIGITS) return null;
  return { end, value: integer(BigInt(digits)) };
}

/**
 * Reads the strings at an offset, which Python joins where several stand side by side. Gives null
 * where there is none, or one that Python cannot read.
 */
export function readStrings(text: string, offset: number): PythonToken | null {
  let joined: StringToken | null = null;
  for (let start = offset; isAtString(text, start); start = skipSpace(text, joined.end)) {
    const one = readString(text, start);
    if (one === null || (joined !== null && joined.bytes !== one.bytes)) return null;
    joined = joined === null ? one : join(joined, one);
  }
  return joined;
}

/** Skips what Python takes for white space within a line. */
export function skipSpace(text: string, offset: number): number {
  let end = offset;
  while (text[end] === ' ' || text[end] === '\t' || text[end] === '\f') end += 1;
  return end;
}

function isAtString(text: string, offset: number): boolean {
  STRING_START.lastIndex = offset;
  return STRING_START.test(text);
}

function join(first: StringToken, second: StringToken): StringToken {
  const refused = first.refused ?? second.refused;
  const value = `${first.value}${second.value}`;
  return { ...second, value, ...(refused === undefined ? {} : { refused }) };
}

function readString(text: string, offset: number): StringToken | null {
  STRING_START.lastIndex = offset;
  const [whole = '', prefix = '', quote = ''] = STRING_START.exec(text) ?? [];
  const pattern = STRING_BODIES[quote];
  if (pattern === undefined) return null;
  pattern.lastIndex = offset + whole.length;
  const body = pattern.exec(text)?.[1];
  if (body === undefined) return null;
  const end = pattern.lastIndex;
  if (/b/i.test(prefix)) return { end, bytes: true, value: '', refused: 'a string of bytes' };
  const decoded = /r/i.test(prefix) ? { value: body } : decodeEscapes(body);
  return decoded === null ? null : { end, bytes: false, ...decoded };
}

function decodeEscapes(body: string): Pick<PythonToken, 'value' | 'refused'> | null {
  const parts: string[] = [];
  let refused: string | undefined;
  let end = 0;
  for (const match of body.matchAll(ESCAPE)) {
    const meaning = decodeEscape(match);
    if (meaning === null) return null;
    refused ??= meaning.refused;
    parts.push(body.slice(end, match.index), meaning.text);
    end = match.index + match[0].length;
  }
  const value = parts.join('') + body.slice(end);
  return refused === undefined ? { value } : { value, refused };
}

function decodeEscape(match: RegExpExecArray): { text: string; refused?: string } | null {
  const [whole, octal, x, u, long, named, other] = match;
  const hexadecimal = x ?? u ?? long;
  if (octal !== undefined) return { text: String.fromCodePoint(Number.parseInt(octal, 8)) };
  if (named !== undefined) return { text: '', refused: 'a character by its name' };
  if (other !== undefined) return { text: SIMPLE_ESCAPES[other] ?? whole };
  const code = hexadecimal === undefined ? Infinity : Number.parseInt(hexadecimal, 16);
  if (code > 0x10_ff_ff) return null;
  const isSurrogate = code >= 0xd8_00 && code <= 0xdf_ff;
  return isSurrogate
    ? { text: '', refused: 'half of a surrogate pair' }
    : { text: String.fromCodePoint(code) };
}
