// What `-i` names: YAML and INI files, folders of them, and lists of hosts. What Ansible would run,
// and what other plugins read, is refused by name.
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, extname } from 'node:path';
import { InputError } from '../errors.ts';
import type { Fault } from '../errors.ts';
import { parseHostNames } from './host-name.ts';
import { listInventories } from './inventory-folder.ts';
import type { ListInventory } from './dynamic.ts';
import { parseIniInventory } from './inventory-ini.ts';
import { parseYamlInventory } from './inventory-yaml.ts';
import { addGroup, addHosts, createDraft, toSource } from './inventory.ts';
import type { InventorySource, ReadingOptions, ReadSource } from './inventory.ts';
import {
  addFaults,
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
  /** Has Ansible list a program or the settings of a plugin; null: those are refused. */
  readonly list?: ListInventory | null;
  /** `hash_behaviour=merge`. */
  readonly mergeMaps: boolean;
}

interface ReadOptions extends SourceOptions, ReadingOptions {
  /** Hosts of earlier inventories. */
  readonly hosts: ReadonlySet<string>;
}

const YAML_EXTENSIONS = new Set(['', '.yml', '.yaml', '.json']);

/**
 * Reads the inventories that the values of `-i` name, in Ansible's order, each in the format that
 * Ansible would find in it. `folder` of a result is absolute: the folder whose group_vars and
 * host_vars count. Throws InputError with the faults of all of them.
 * @see https://docs.ansible.com/ansible/latest/plugins/inventory.html
 */
export async function readSources(
  given: readonly string[],
  options: SourceOptions,
): Promise<ReadSource[]> {
  const faults: Fault[] = [];
  const sources: ReadSource[] = [];
  const known = new Set<string>();
  const hosts = new Set<string>();
  /** After a fault nobody knows which groups the broken inventory would have had. */
  const isKnown = (group: string): boolean => faults.length > 0 || known.has(group);
  const add = async (reading: () => Promise<ReadSource>): Promise<void> => {
    const source = await reading().catch((error) => addFaults(faults, error));
    if (source === null) return;
    sources.push(source);
    for (const group of source.groups.keys()) known.add(group);
    for (const host of source.hosts.keys()) hosts.add(host);
  };
  for (const one of given) {
    for (const reading of splitSource(one, { ...options, isKnown, hosts }, faults))
      await add(reading);
  }
  if (faults.length > 0) throw new InputError(faults);
  return sources;
}

/** Gives the inventories of one `-i`, still to be read. */
function splitSource(
  given: string,
  options: ReadOptions,
  faults: Fault[],
): (() => Promise<ReadSource>)[] {
  const show = (path: string): string => showPath(path, options.cwd);
  try {
    const path = resolveOption(given, options.cwd);
    if (given.includes(',') && !existsSync(path))
      return [async () => parseHostList(given, options)];
    if (statFile(path, show(path))?.isDirectory() !== true)
      return [() => readFileSource(path, dirname(path), options)];
    return listInventories(path, show).map((file) => () => readFileSource(file, path, options));
  } catch (error) {
    addFaults(faults, error);
    return [];
  }
}

async function readFileSource(
  path: string,
  folder: string,
  options: ReadOptions,
): Promise<ReadSource> {
  const file = showPath(path, options.cwd);
  checkKind(path, file);
  const text = await readInventory(path, file, options.decrypt);
  const dynamic = dynamicKind(text, path, file);
  if (dynamic !== null) return { ...(await listDynamic(dynamic, path, options)), folder, path };
  const source = YAML_EXTENSIONS.has(extname(path))
    ? parseEither(text, file, options)
    : parseIniInventory(text, file, options);
  return { ...source, folder, path };
}

/** Ansible takes YAML where it can, else INI. No text is both. */
function parseEither(text: string, file: string, options: ReadingOptions): InventorySource {
  try {
    return parseYamlInventory(text, file, options);
  } catch (error) {
    // INI would take JSON without spaces for a host's name.
    if (!(error instanceof InputError) || text.trimStart().startsWith('{')) throw error;
    return parseIniAfter(error, () => parseIniInventory(text, file, options), text);
  }
}

function parseIniAfter(
  yamlError: InputError,
  parseIni: () => InventorySource,
  text: string,
): InventorySource {
  try {
    return parseIni();
  } catch (error) {
    const looksLikeIni = /^[ \t]*\[[^[\]\n]+\][ \t]*(?:#.*)?$/m.test(text);
    throw looksLikeIni ? error : yamlError;
  }
}

async function readInventory(path: string, file: string, decrypt: Decrypt | null): Promise<string> {
  const text = readText(path, file);
  if (!isVaultText(text)) return text;
  if (decrypt !== null) return decrypt(text, file);
  const at = { file, line: 1, column: 1 };
  const fix = 'give a vault password, for instance with --ask-vault-pass';
  throw new InputError({ code: 'E_VAULT_PASSWORD', at, found: 'the inventory is encrypted', fix });
}

/** Says what only Ansible can read; null for a file that holds hosts itself. */
function dynamicKind(text: string, path: string, file: string): string | null {
  if (text.startsWith('#!') && isExecutable(path)) return 'the inventory is a program';
  if (/^plugin[ \t]*:[ \t]*["']?(?:ansible\.builtin\.)?constructed\b/m.test(text)) {
    const fix = 'write the groups that it makes into an inventory file';
    throw unsupported(file, 'the inventory makes groups out of what other inventories say', fix);
  }
  const isSettings = /\.ya?ml$/.test(path) && /^plugin[ \t]*:/m.test(text);
  return isSettings ? 'the configuration of an inventory plugin' : null;
}

async function listDynamic(
  kind: string,
  path: string,
  { list, cwd }: ReadOptions,
): Promise<InventorySource> {
  const file = showPath(path, cwd);
  const source = list === undefined || list === null ? null : await list(path, file);
  if (source !== null) return source;
  const why =
    list === undefined || list === null
      ? ''
      : ', and there is no ansible-inventory that could list it';
  const fix = 'save what ansible-inventory --list --export prints for it, and give that file';
  throw unsupported(file, `${kind}${why}`, fix);
}

function checkKind(path: string, file: string): void {
  const stats = statFile(path, file);
  if (stats === null) {
    const fix = 'check the path after -i; a list of hosts needs a comma: -i host,';
    throw fileFault(file, 'does not exist', 'an inventory', fix);
  }
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

/** `host,` and the like, with ports and without ranges, which Ansible does not read here. */
function parseHostList(given: string, options: ReadOptions): ReadSource {
  const at = { file: '-i', line: 1, column: 1 };
  const draft = createDraft();
  const names = given.split(',').map((name) => name.trim());
  for (const name of names.filter((text) => text !== '')) {
    const parsed = parseHostNames(name, at);
    if (/\s/.test(name) || hasRange(name)) {
      const found = `the list of hosts holds "${name}"`;
      const wanted = 'names with or without ports; ranges are for files';
      throw new InputError({ code: 'E_UNSUPPORTED', at, found, wanted });
    }
    addHosts(draft, addGroup(draft, 'ungrouped'), parsed, at);
  }
  // Ansible leaves hosts that it knows where they are, which decides about their order.
  for (const name of options.hosts) addGroup(draft, 'ungrouped').hosts.delete(name);
  return { ...toSource(draft, given), path: null, folder: options.playbookDir };
}

function hasRange(name: string): boolean {
  return name.replace(/^\[([^[\]]*)\]:/, '$1').includes('[');
}
