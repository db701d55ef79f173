// What scalars mean to Ansible's loader: YAML 1.1 as PyYAML's safe loader has it, which is neither
// YAML 1.2 (`yes`, `0644` and `1_000` differ) nor the whole of YAML 1.1 (`y` is a string, `1.5e3`
// too). Where Python would raise an error (month 13, `0x_`), there is no meaning: null.
import type { ScalarValue, YamlDate } from './node.ts';

/** A scalar's meaning; `float` tells Python's `1.0` from `1`. */
export interface ScalarMeaning {
  readonly value: ScalarValue;
  readonly float?: true;
}

/** Python refuses to read decimal integers with more digits. */
const MOST_DIGITS = 4300;

const BINARY = /^[-+]?0b[01_]+$/;
const OCTAL = /^[-+]?0[0-7_]+$/;
const DECIMAL = /^[-+]?(?:0|[1-9][0-9_]*)$/;
const HEXADECIMAL = /^[-+]?0x[0-9a-fA-F_]+$/;
const SEXAGESIMAL = /^[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+$/;
const FLOAT =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?)$/;
const SEXAGESIMAL_FLOAT = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*$/;
const DATE = /^([0-9]{4})-([0-9]{2})-([0-9]{2})$/;
const TIMESTAMP =
  /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[Tt]|[ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]*))?(?:[ \t]*(Z|([-+])([0-9]{1,2})(?::([0-9]{2}))?))?$/;

/** Values to which YAML 1.1 gives a meaning that Python has no object for. */
const REFUSED = new Set(['=', '<<', '!', '&', '*']);

const WORDS = new Map<string, ScalarValue>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...everyCase(['yes', 'true', 'on']).map((word) => [word, true] as const),
  ...everyCase(['no', 'false', 'off']).map((word) => [word, false] as const),
]);

const SPECIAL_FLOATS = new Map<string, number>([
  ...everyCase(['inf']).flatMap((word): [string, number][] => [
    [`.${word}`, Infinity],
    [`+.${word}`, Infinity],
    [`-.${word}`, -Infinity],
  ]),
  ...['.nan', '.NaN', '.NAN'].map((word): [string, number] => [word, NaN]),
]);

/**
 * Says what a plain (unquoted, untagged) scalar means to Ansible's loader. Gives null for what the
 * loader refuses: `=` and `<<` as values, dates that do not exist, numbers without digits.
 * @see https://yaml.org/type/
 */
export function resolvePlain(text: string): ScalarMeaning | null {
  const word = WORDS.get(text);
  if (word !== undefined) return { value: word };
  if (REFUSED.has(text)) return null;
  return /^[-+.0-9]/.test(text) ? resolveNumeric(text) : { value: text };
}

function resolveNumeric(text: string): ScalarMeaning | null {
  const float = readFloat(text);
  if (float !== undefined) return { value: float, float: true };
  const integer = readInteger(text);
  if (integer !== undefined) return integer === null ? null : { value: integer };
  const date = readDate(text);
  if (date !== undefined) return date === null ? null : { value: date };
  return { value: text };
}

/** Reads a YAML 1.1 float. Gives undefined where the text is none. */
export function readFloat(text: string): number | undefined {
  const special = SPECIAL_FLOATS.get(text);
  if (special !== undefined) return special;
  const digits = text.replaceAll('_', '');
  if (FLOAT.test(text)) return Number(digits);
  if (!SEXAGESIMAL_FLOAT.test(text)) return undefined;
  const sign = digits.startsWith('-') ? -1 : 1;
  // The same order of additions as Python's, so that the last bit is the same.
  const parts = digits.replace(/^[-+]/, '').split(':').toReversed().map(Number);
  return sign * parts.reduce((sum, part, index) => sum + part * 60 ** index, 0);
}

/** Reads a YAML 1.1 integer. Gives undefined where the text is none, null where Python fails. */
export function readInteger(text: string): number | bigint | null | undefined {
  const sign = text.startsWith('-') ? -1n : 1n;
  const digits = text.replaceAll('_', '').replace(/^[-+]/, '');
  if (DECIMAL.test(text)) return decimal(digits, sign);
  if (OCTAL.test(text)) return integer(sign * BigInt(`0o${digits}`));
  if (BINARY.test(text) || HEXADECIMAL.test(text)) {
    return digits.length > 2 ? integer(sign * BigInt(digits)) : null;
  }
  if (!SEXAGESIMAL.test(text)) return undefined;
  if (digits.length > MOST_DIGITS) return null;
  return integer(sign * digits.split(':').reduce((sum, part) => sum * 60n + BigInt(part), 0n));
}

function decimal(digits: string, sign: bigint): number | bigint | null {
  if (digits.length < 15) return sign === 1n || digits === '0' ? Number(digits) : -Number(digits);
  return digits.length > MOST_DIGITS ? null : integer(sign * BigInt(digits));
}

/** Gives a number where it is exact, else a bigint. */
export function integer(value: bigint): number | bigint {
  const rounded = Number(value);
  return Number.isSafeInteger(rounded) ? rounded : value;
}

/** Reads a YAML 1.1 date. Gives undefined where the text is none, null where there is no such day. */
export function readDate(text: string): YamlDate | null | undefined {
  const day = DATE.exec(text);
  if (day !== null) return isDay(day) ? { iso: text } : null;
  const match = TIMESTAMP.exec(text);
  return match === null ? undefined : dateTime(match);
}

function isDay([, year, month, day]: RegExpExecArray): boolean {
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  return (
    Number(year) > 0 &&
    date.getUTCMonth() === Number(month) - 1 &&
    Number(month) > 0 &&
    Number(day) > 0
  );
}

function dateTime(match: RegExpExecArray): YamlDate | null {
  const [, year, month, day, hour, minute, second, fraction = ''] = match;
  const offset = utcOffset(match);
  const exists = Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
  if (!isDay(match) || !exists || offset === null) return null;
  const micros = fraction.slice(0, 6).padEnd(6, '0');
  const date = [year, pad(month), pad(day)].join('-');
  const time = [pad(hour), minute, second].join(':');
  return { iso: `${date}T${time}${micros === '000000' ? '' : `.${micros}`}${offset}` };
}

/** Gives the zone as Python prints it, '' without one, null where it is a day or more. */
function utcOffset(match: RegExpExecArray): string | null {
  const [zone, sign, hours, minutes = '0'] = match.slice(8);
  if (zone === undefined) return '';
  const total = zone === 'Z' ? 0 : Number(hours) * 60 + Number(minutes);
  if (total >= 24 * 60) return null;
  const shown = sign === '-' && total > 0 ? '-' : '+';
  return `${shown}${pad(Math.floor(total / 60))}:${pad(total % 60)}`;
}

function pad(part: string | number | undefined): string {
  return String(part).padStart(2, '0');
}

function everyCase(words: readonly string[]): string[] {
  return words.flatMap((word) => [
    word,
    word.toUpperCase(),
    `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`,
  ]);
}
