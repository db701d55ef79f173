// INI inventories: sections of hosts, of variables and of children, read line by line.
import { InputError } from '../errors.ts';
import type { Fault, Position } from '../errors.ts';
import { parseHostNames } from './host-name.ts';
import {
  addGroup,
  addHosts,
  createDraft,
  PLAIN_READING,
  setVariable,
  toSource,
} from './inventory.ts';
import type { HostDraft, InventoryDraft, InventorySource, ReadingOptions } from './inventory.ts';
import { parsePythonLiteral } from './python-literal.ts';
import { splitWords } from './shell-words.ts';
import type { Word } from './shell-words.ts';

const SECTION = /^\[([^:\]\s]+)(?::([^:\]\s]+))?\]\s*(?:#.*)?$/;
const CHILD = /^([^:\]\s]+)\s*(?:#.*)?$/;

/** Python takes most of these for a line break or white space, and no editor does. */
const ODD_CHARACTER = /[\v\f\x1c-\x1f\x85\u2028\u2029\ufeff]|\r(?!$)/;

type Section = 'hosts' | 'vars' | 'children';

interface Reading {
  readonly draft: InventoryDraft;
  readonly faults: Fault[];
  readonly isKnown: ReadingOptions['isKnown'];
  /** Groups that still need a section of hosts or children, where they are named first, and their parents. */
  readonly pending: Map<string, { readonly at: Position; readonly parents: string[] }>;
  group: string;
  section: Section;
}

interface Line {
  /** Without white space around it. */
  readonly text: string;
  /** Where the text begins, or where the odd character stands. */
  readonly at: Position;
  readonly isOdd: boolean;
}

/**
 * Reads an INI inventory. Children stand in the order in which Ansible adds them: a group that is
 * named before its own section comes when that section does.
 * @throws InputError with all faults of the file: E_INI for lines that Ansible cannot read, for
 * groups without a section of their own, and for characters that Python takes for line breaks;
 * E_INVENTORY and E_UNSUPPORTED for hosts and values (see there).
 * @see https://docs.ansible.com/ansible/latest/collections/ansible/builtin/ini_inventory.html
 */
export function parseIniInventory(
  text: string,
  file: string,
  options: ReadingOptions = PLAIN_READING,
): InventorySource {
  const reading: Reading = {
    draft: createDraft(options),
    faults: [],
    isKnown: options.isKnown,
    pending: new Map(),
    group: 'ungrouped',
    section: 'hosts',
  };
  for (const line of splitLines(text, file)) collectFaults(reading, () => readLine(reading, line));
  for (const { at } of reading.pending.values()) {
    const fix = 'add a section for it: [NAME] with hosts, or [NAME:children]';
    reading.faults.push({ code: 'E_INI', at, found: 'a group without a section', fix });
  }
  if (reading.faults.length > 0) throw new InputError(reading.faults);
  return toSource(reading.draft, file);
}

function splitLines(text: string, file: string): Line[] {
  return text.split('\n').map((raw, index) => {
    const column = raw.length - raw.trimStart().length + 1;
    const odd = ODD_CHARACTER.exec(raw);
    const at = { file, line: index + 1, column: odd === null ? column : odd.index + 1 };
    return { text: raw.trim(), at, isOdd: odd !== null };
  });
}

function collectFaults(reading: Reading, read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    reading.faults.push(...error.faults);
  }
}

function readLine(reading: Reading, line: Line): void {
  if (line.isOdd)
    throw iniError(line.at, 'a control character or a special line break', 'remove it');
  if (line.text === '' || line.text.startsWith('#') || line.text.startsWith(';')) return;
  if (line.text.startsWith('[') && !isHostLine(reading, line)) readSection(reading, line);
  else if (reading.section === 'hosts') readHost(reading, line);
  else if (reading.section === 'vars') readVar(reading, line);
  else readChild(reading, line);
}

/** `[::1]:22`, or a name that begins with a range. */
function isHostLine({ section }: Reading, { text }: Line): boolean {
  return section === 'hosts' && !SECTION.test(text) && !text.endsWith(']');
}

function readSection(reading: Reading, { text, at }: Line): void {
  const [, group, section = 'hosts'] = SECTION.exec(text) ?? [];
  if (group === undefined) {
    const fix = 'write [group], [group:vars] or [group:children] without spaces';
    throw iniError(at, 'a section that cannot be read', fix);
  }
  if (section !== 'hosts' && section !== 'vars' && section !== 'children') {
    throw iniError(
      at,
      'a section of an unknown kind',
      'use [group], [group:vars] or [group:children]',
    );
  }
  reading.group = group;
  reading.section = section;
  const isNew = !hasGroup(reading, group) && !reading.pending.has(group);
  if (section === 'vars' && isNew) reading.pending.set(group, { at, parents: [] });
  addGroup(reading.draft, group, at);
  if (section === 'vars') return;
  for (const parent of reading.pending.get(group)?.parents ?? [])
    addGroup(reading.draft, parent).children.add(group);
  reading.pending.delete(group);
}

function hasGroup({ draft, isKnown }: Reading, name: string): boolean {
  return draft.groups.has(name) || isKnown(name);
}

function readHost(reading: Reading, { text, at }: Line): void {
  const [first, ...rest] = splitWords(text) ?? [];
  if (first === undefined) throw iniError(at, 'a quote that is never closed', 'close the quote');
  const names = parseHostNames(first.text, at);
  const hosts = addHosts(reading.draft, addGroup(reading.draft, reading.group), names, at);
  for (const word of rest) collectFaults(reading, () => readHostVar(reading, hosts, word, at));
}

function readHostVar(
  { draft }: Reading,
  hosts: readonly HostDraft[],
  word: Word,
  line: Position,
): void {
  const equals = word.text.indexOf('=');
  const at = { ...line, column: line.column + word.offset };
  if (equals < 1) throw iniError(at, 'text behind a host that is no variable', 'write name=value');
  const valueAt = { ...at, column: at.column + equals + 1 };
  const value = parsePythonLiteral(word.text.slice(equals + 1), valueAt);
  for (const host of hosts) setVariable(draft, host.vars, word.text.slice(0, equals), value);
}

function readVar(reading: Reading, { text, at }: Line): void {
  const equals = text.indexOf('=');
  const name = text.slice(0, equals).trimEnd();
  if (equals < 1 || name === '')
    throw iniError(at, 'a line that is no variable', 'write name=value');
  const value = text.slice(equals + 1).trimStart();
  const valueAt = { ...at, column: at.column + text.length - value.length };
  const { vars } = addGroup(reading.draft, reading.group);
  setVariable(reading.draft, vars, name, parsePythonLiteral(value, valueAt));
}

function readChild(reading: Reading, { text, at }: Line): void {
  const child = CHILD.exec(text)?.[1];
  if (child === undefined)
    throw iniError(at, 'a line that is no name of a group', 'write one name');
  if (hasGroup(reading, child)) {
    addGroup(reading.draft, reading.group).children.add(child);
    return;
  }
  const waiting = reading.pending.get(child) ?? { at, parents: [] };
  waiting.parents.push(reading.group);
  reading.pending.set(child, waiting);
}

function iniError(at: Position, found: string, fix: string): InputError {
  return new InputError({ code: 'E_INI', at, found, fix });
}
