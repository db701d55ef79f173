// The texts behind `-e`. What Ansible splits in surprising ways (backslashes, line breaks,
// unbalanced braces) is refused: a map in braces or a file says it without surprises.
import { InputError } from '../errors.ts';
import type { Fault, Position } from '../errors.ts';
import { describeType } from '../yaml/node.ts';
import type { YamlNode } from '../yaml/node.ts';
import { parseYaml } from '../yaml/parse.ts';

const FILE = '-e';
const START: Position = { file: FILE, line: 1, column: 1 };
const USE_MAP = `write -e '{"name": "value"}' or -e @file`;

/** A word: text without spaces, quoted text, and Jinja, in any mixture. */
const WORD =
  /(?:[^ '"{}]|'[^']*'|"[^"]*"|\{\{(?:[^'"{}]|'[^'{}]*'|"[^"{}]*")*\}\}|[{}](?![{}%#]))+/y;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Gives the variables of one `-e`: `name=value …` (all strings), a map in braces, or `@file`,
 * which `readFile` reads. Positions name `-e` or the file.
 * @throws InputError E_OPTION for what is no such thing, E_UNSUPPORTED for words that Ansible
 * would split in surprising ways, E_YAML for faults in the map or the file.
 * @see https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_variables.html#defining-variables-at-runtime
 */
export function parseExtraVars(
  text: string,
  readFile: (path: string) => string,
): Map<string, YamlNode> {
  if (text === '') return new Map();
  if (text.startsWith('@')) return readMap(readFile(text.slice(1)), text.slice(1));
  if (text.startsWith('[') || text.startsWith('{')) return readMap(text, FILE);
  if (/^[/.]/.test(text)) {
    throw optionError(START, 'a path without a mark', 'put @ before the path of a file');
  }
  return readWords(text);
}

function readMap(text: string, file: string): Map<string, YamlNode> {
  const root = parseYaml(text, file);
  const at = { file, line: 1, column: 1 };
  if (root === null) throw optionError(at, 'nothing in place of variables', USE_MAP);
  if (root.kind !== 'map') {
    throw optionError(root.at, `${describeType(root)} in place of variables`, USE_MAP);
  }
  const vars = new Map<string, YamlNode>();
  for (const { at, key, value } of root.entries) {
    if (typeof key !== 'string')
      throw optionError(at, 'a variable whose name is not a string', USE_MAP);
    vars.set(key, value);
  }
  return vars;
}

/** Ansible counts braces a word at a time, also within quotes. */
function isSplitPlainly(word: string): boolean {
  return !/\{\{|\}\}|\{[%#]|[%#]\}/.test(word.replaceAll(/\{\{[^{}]*\}\}/g, ''));
}

function readWords(text: string): Map<string, YamlNode> {
  const vars = new Map<string, YamlNode>();
  const isOdd = /\\|[^\S ]/.test(text);
  for (let offset = skipSpaces(text, 0); offset < text.length; offset = skipSpaces(text, offset)) {
    WORD.lastIndex = offset;
    const word = isOdd ? undefined : WORD.exec(text)?.[0];
    const at = { ...START, column: offset + 1 };
    const next = text.charAt(offset + (word?.length ?? 0));
    if (word === undefined || !' '.includes(next) || !isSplitPlainly(word))
      throw optionFault(
        'E_UNSUPPORTED',
        at,
        'variables with a backslash, a line break, or quotes or braces that do not match',
        USE_MAP,
      );
    addVar(vars, word, at);
    offset += word.length;
  }
  return vars;
}

function addVar(vars: Map<string, YamlNode>, word: string, at: Position): void {
  const equals = word.indexOf('=');
  const name = word.slice(0, equals);
  if (equals < 1 || !NAME.test(name))
    throw optionError(at, 'a word that is no variable', 'write name=value');
  const value = unquote(word.slice(equals + 1));
  vars.set(name, { kind: 'scalar', at: { ...at, column: at.column + equals + 1 }, value });
}

function unquote(text: string): string {
  const isQuoted = text.length > 1 && /^['"]/.test(text) && text.endsWith(text.charAt(0));
  return isQuoted ? text.slice(1, -1) : text;
}

function skipSpaces(text: string, offset: number): number {
  let end = offset;
  while (text[end] === ' ') end += 1;
  return end;
}

function optionError(at: Position, found: string, fix: string): InputError {
  return optionFault('E_OPTION', at, found, fix);
}

function optionFault(code: Fault['code'], at: Position, found: string, fix: string): InputError {
  return new InputError({ code, at, found, fix });
}
