// ansible.cfg as text: sections of settings, in the manner of Python's configparser. What it reads
// in surprising ways is refused.
import { InputError } from '../errors.ts';
import type { Fault, Position } from '../errors.ts';

export interface Setting {
  readonly value: string;
  readonly at: Position;
  /** It goes on over several lines, of which `value` is the first. */
  readonly isLong: boolean;
}

/** By `section.key`, the key in lower case. */
export type Settings = ReadonlyMap<string, Setting>;

interface Reading {
  readonly settings: Map<string, Setting>;
  readonly sections: Set<string>;
  readonly faults: Fault[];
  section: string | null;
  last: string | null;
}

/**
 * Reads the text of an ansible.cfg. Throws InputError E_INI with all faults: lines that are no
 * setting, settings and sections that stand twice, and a section DEFAULT.
 * @see https://docs.python.org/3/library/configparser.html#supported-ini-file-structure
 */
export function parseConfigFile(text: string, file: string): Settings {
  const reading: Reading = {
    settings: new Map(),
    sections: new Set(),
    faults: [],
    section: null,
    last: null,
  };
  for (const [index, raw] of text.split(/\r\n|\r|\n/).entries()) {
    const line = raw.trim();
    if (line === '' || /^[#;]/.test(line)) continue;
    const at = { file, line: index + 1, column: raw.length - raw.trimStart().length + 1 };
    const found = readLine(reading, line.replace(/\s;.*$/, '').trim(), at);
    if (found !== null) reading.faults.push({ code: 'E_INI', at, found });
  }
  if (reading.faults.length > 0) throw new InputError(reading.faults);
  return reading.settings;
}

/** Gives what is wrong with the line, or null. */
function readLine(reading: Reading, line: string, at: Position): string | null {
  if (at.column > 1) return readContinuation(reading);
  if (line.startsWith('[')) return readSection(reading, line);
  const sign = line.search(/[=:]/);
  const name = line.slice(0, Math.max(0, sign)).trimEnd();
  const value = line.slice(sign + 1).trimStart();
  if (name === '') return 'a line that is no setting';
  if (reading.section === null) return 'a setting before the first section';
  const key = `${reading.section}.${name.toLowerCase()}`;
  if (reading.settings.has(key)) return 'a setting that stands in this section already';
  reading.settings.set(key, { value, at, isLong: false });
  reading.last = key;
  return null;
}

function readSection(reading: Reading, line: string): string | null {
  const name = /^\[([^[\]]+)\]$/.exec(line)?.[1];
  if (name === undefined || name === 'DEFAULT') return 'a section that cannot be read';
  if (reading.sections.has(name)) return 'a section that stands in the file already';
  reading.sections.add(name);
  reading.section = name;
  reading.last = null;
  return null;
}

function readContinuation({ settings, last }: Reading): string | null {
  const setting = last === null ? undefined : settings.get(last);
  if (last === null || setting === undefined) return 'an indented line';
  settings.set(last, { ...setting, isLong: true });
  return null;
}
