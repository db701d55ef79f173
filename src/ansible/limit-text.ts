// The patterns in the text of a limit, and in the files that it names with `@`.
import { resolve } from 'node:path';
import { InputError } from '../errors.ts';
import type { Position } from '../errors.ts';
import { parseAddress } from './address.ts';
import { readText, showPath } from './text-file.ts';

export interface LimitPattern {
  readonly text: string;
  /** Absent for what stands in the option itself. */
  readonly at?: Position;
}

/** What Ansible splits a limit without commas into: text without `:` and white space. */
const PART = /(?:[^\s:[\]]|\[[^\]]*\])+/g;

/**
 * Gives the patterns of a limit. Throws InputError for control characters and for files that cannot
 * be read.
 */
export function splitLimit(limit: string, cwd: string): readonly LimitPattern[] {
  if (/[\0-\x1f\x7f-\x9f\ufeff\u2028\u2029]/.test(limit)) {
    throw new InputError({ code: 'E_LIMIT', found: 'the limit holds a control character' });
  }
  return splitText(limit)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .flatMap((text) => (text.startsWith('@') ? readLimitFile(text.slice(1), cwd) : { text }));
}

function splitText(limit: string): string[] {
  if (limit.includes(',')) return limit.split(',');
  return parseAddress(limit) === null ? (limit.match(PART) ?? []) : [limit];
}

/** A pattern a line, such as the names of hosts in a .retry file. */
function readLimitFile(path: string, cwd: string): LimitPattern[] {
  const absolute = resolve(cwd, path);
  const file = showPath(absolute, cwd);
  const patterns = readText(absolute, file)
    .split(/\r\n|\r|\n/)
    .map((line, index) => ({ text: line.trim(), at: { file, line: index + 1, column: 1 } }))
    .filter(({ text }) => text !== '');
  if (patterns.length > 0) return patterns;
  const found = 'the file of the limit is empty, which to Ansible means all hosts';
  throw new InputError({ code: 'E_LIMIT', at: { file, line: 1, column: 1 }, found });
}
