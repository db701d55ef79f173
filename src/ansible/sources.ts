// One `-i`: a YAML or INI file, or a list of hosts. What Ansible would run, and what other plugins
// read, is refused by name.
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, extname } from 'node:path';
import { InputError } from '../errors.ts';
import { parseIniInventory } from './inventory-ini.ts';
import { parseYamlInventory } from './inventory-yaml.ts';
import type { InventoryHost, InventorySource } from './inventory.ts';
import {
  fileFault,
  isVaultText,
  readText,
  resolveOption,
  showPath,
  statFile,
} from './text-file.ts';
import type { Decrypt } from './text-file.ts';

export interface SourceOptions {
  readonly cwd: string;
  /** The folder of a list of hosts. */
  readonly playbookDir: string;
  /** Null: an encrypted inventory is refused. */
  readonly decrypt: Decrypt | null;
}

export interface ReadSource extends InventorySource {
  /** Absolute; null for a list of hosts. */
  readonly path: string | null;
}

const YAML_EXTENSIONS = new Set(['', '.yml', '.yaml', '.json']);

/**
 * Reads one inventory source in the format that Ansible would find in it. `folder` of the result is
 * absolute. Throws InputError.
 * @see https://docs.ansible.com/ansible/latest/plugins/inventory.html
 */
export async function readSource(given: string, options: SourceOptions): Promise<ReadSource> {
  const path = resolveOption(given, options.cwd);
  if (given.includes(',') && !existsSync(path)) return parseHostList(given, options.playbookDir);
  const file = showPath(path, options.cwd);
  checkKind(path, file);
  const text = await readInventory(path, file, options.decrypt);
  const source = YAML_EXTENSIONS.has(extname(path))
    ? parseEither(text, file)
    : parseIniInventory(text, file);
  return { ...source, folder: dirname(path), path };
}

/** Ansible takes YAML where it can, else INI. No text is both. */
function parseEither(text: string, file: string): InventorySource {
  try {
    return parseYamlInventory(text, file);
  } catch (error) {
    // INI would take JSON without spaces for a host's name.
    if (!(error instanceof InputError) || text.trimStart().startsWith('{')) throw error;
    return parseIniAfter(error, text, file);
  }
}

function parseIniAfter(yamlError: InputError, text: string, file: string): InventorySource {
  try {
    return parseIniInventory(text, file);
  } catch (error) {
    const looksLikeIni = /^[ \t]*\[[^[\]\n]+\][ \t]*(?:#.*)?$/m.test(text);
    throw looksLikeIni ? error : yamlError;
  }
}

async function readInventory(path: string, file: string, decrypt: Decrypt | null): Promise<string> {
  const text = readText(path, file);
  if (text.startsWith('#!') && isExecutable(path)) {
    const fix = 'save what ansible-inventory --list --export prints for it, and give that file';
    throw unsupported(file, 'the inventory is a program', fix);
  }
  if (!isVaultText(text)) return text;
  if (decrypt !== null) return decrypt(text, file);
  const at = { file, line: 1, column: 1 };
  const fix = 'give a vault password, for instance with --ask-vault-pass';
  throw new InputError({ code: 'E_VAULT_PASSWORD', at, found: 'the inventory is encrypted', fix });
}

function checkKind(path: string, file: string): void {
  const stats = statFile(path, file);
  if (stats === null) {
    const fix = 'check the path after -i; a list of hosts needs a comma: -i host,';
    throw fileFault(file, 'does not exist', 'an inventory', fix);
  }
  if (stats.isDirectory())
    throw unsupported(file, 'the inventory is a folder', 'give its files, each with its own -i');
  if (extname(path) === '.toml') throw unsupported(file, 'the inventory is a TOML file');
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function unsupported(file: string, found: string, fix?: string): InputError {
  const wanted = 'a YAML or INI inventory file, or a list of hosts such as "host,"';
  const at = { file, line: 1, column: 1 };
  return new InputError({ code: 'E_UNSUPPORTED', at, found, wanted, fix });
}

/** `host,` and the like. Ports and IPv6 addresses are refused. */
function parseHostList(given: string, folder: string): ReadSource {
  const at = { file: '-i', line: 1, column: 1 };
  const names = given
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  for (const name of names) {
    if (!/[:[\]\s]/.test(name)) continue;
    const found = `the list of hosts holds "${name}"`;
    const wanted = 'plain names, without ports, ranges and IPv6 addresses';
    throw new InputError({ code: 'E_UNSUPPORTED', at, found, wanted });
  }
  const hosts = new Map<string, InventoryHost>();
  for (const name of names) hosts.set(name, { name, vars: new Map(), at });
  const ungrouped = { name: 'ungrouped', vars: new Map(), children: [], hosts: [...hosts.keys()] };
  return { file: given, path: null, folder, groups: new Map([['ungrouped', ungrouped]]), hosts };
}
