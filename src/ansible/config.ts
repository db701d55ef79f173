// Ansible's settings as far as they change what is read here: environment variables, then the first
// ansible.cfg that is found. A setting that we do not follow is refused by name.
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { InputError } from '../errors.ts';
import type { Fault, Position } from '../errors.ts';
import { parseConfigFile } from './config-file.ts';
import type { Setting, Settings } from './config-file.ts';
import { readVaultConfig, variableOf } from './config-vault.ts';
import type { VaultConfig, VaultLookup } from './config-vault.ts';
import { readText, showPath, statFile } from './text-file.ts';

export interface ConfigOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface AnsibleConfig {
  /** Absolute paths; empty where nothing is set. */
  readonly inventory: readonly string[];
  /** `hash_behaviour=merge`: maps of several places are merged. */
  readonly mergeMaps: boolean;
  readonly vault: VaultConfig;
  /** What the operator should know. */
  readonly notes: readonly string[];
}

/** A value with the folder that its paths are relative to. */
interface Found {
  readonly value: string;
  readonly folder: string;
  readonly at?: Position;
}

type Lookup = (variable: string, key: string) => Found | null;

/** Settings by environment variable (one may have two keys) and key, with the value that changes nothing. */
const REFUSED: readonly (readonly [variable: string, key: string, standard: string])[] = [
  ['ANSIBLE_INVENTORY_IGNORE', 'defaults.inventory_ignore_extensions', ''],
  ['', 'inventory.ignore_extensions', ''],
  ['ANSIBLE_INVENTORY_IGNORE_REGEX', 'defaults.inventory_ignore_patterns', ''],
  ['', 'inventory.ignore_patterns', ''],
  ['ANSIBLE_INVENTORY_ENABLED', 'inventory.enable_plugins', 'host_list,script,auto,yaml,ini,toml'],
  ['ANSIBLE_INVENTORY_PLUGIN_EXTS', 'inventory_plugin_yaml.yaml_valid_extensions', ''],
  ['ANSIBLE_YAML_FILENAME_EXT', 'defaults.yaml_valid_extensions', '.yml,.yaml,.json'],
  ['ANSIBLE_VARS_PLUGINS', 'defaults.vars_plugins', ''],
  ['ANSIBLE_VARS_ENABLED', 'defaults.vars_plugins_enabled', 'host_group_vars'],
  [
    'ANSIBLE_PRECEDENCE',
    'defaults.precedence',
    'all_inventory,groups_inventory,all_plugins_inventory,all_plugins_play,groups_plugins_inventory,groups_plugins_play',
  ],
  ['ANSIBLE_RUN_VARS_PLUGINS', 'defaults.run_vars_plugins', 'demand'],
  ['ANSIBLE_PLAYBOOK_VARS_ROOT', 'defaults.playbook_vars_root', 'top'],
  ['ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS', 'defaults.force_valid_group_names', 'never'],
];

/**
 * Reads the settings. Throws InputError: E_INI for a file that cannot be read, E_UNSUPPORTED for
 * settings that are not followed, and for values in a form that Ansible reads in surprising ways.
 * @see https://docs.ansible.com/ansible/latest/reference_appendices/config.html#the-configuration-file
 */
export function readAnsibleConfig(options: ConfigOptions): AnsibleConfig {
  const { lookup, notes } = openConfig(options);
  const faults = REFUSED.flatMap((one) => checkRefused(lookup, ...one));
  if (faults.length > 0) throw new InputError(faults);
  const vault = readVaultConfig(vaultLookup(lookup, options));
  return {
    ...readSettings(lookup, options),
    vault: vault.config,
    notes: [...notes, ...vault.notes],
  };
}

/**
 * Reads what says how vault passwords are chosen, whatever else is set: for a play, which Ansible
 * itself has begun. Throws InputError as `readAnsibleConfig` does, but for settings that are not
 * followed.
 */
export function readVaultSettings(options: ConfigOptions): VaultConfig {
  return readVaultConfig(vaultLookup(openConfig(options).lookup, options)).config;
}

function openConfig(options: ConfigOptions): { lookup: Lookup; notes: string[] } {
  const { path, notes } = findConfigFile(options);
  const file = path === null ? '' : showPath(path, options.cwd);
  const settings: Settings =
    path === null ? new Map() : parseConfigFile(readText(path, file), file);
  const folder = path === null ? options.cwd : dirname(path);
  const lookup: Lookup = (variable, key) => {
    const value = options.env[variable];
    if (value !== undefined && value !== '') return { value, folder: options.cwd };
    const setting = settings.get(key);
    return setting === undefined
      ? null
      : { value: plainValue(key, setting), folder, at: setting.at };
  };
  return { lookup, notes };
}

function readSettings(
  lookup: Lookup,
  options: ConfigOptions,
): Pick<AnsibleConfig, 'inventory' | 'mergeMaps'> {
  const inventory = lookup('ANSIBLE_INVENTORY', 'defaults.inventory');
  return {
    inventory: splitList(inventory).map((one) => expandPath(one, options)),
    mergeMaps: readMergeMaps(lookup('ANSIBLE_HASH_BEHAVIOUR', 'defaults.hash_behaviour')),
  };
}

/** Here, and for Ansible everywhere, a variable that is set to nothing hides what the file says. */
function vaultLookup(lookup: Lookup, { env, cwd }: ConfigOptions): VaultLookup<Found> {
  return {
    find: (name) =>
      env[variableOf(name)] === ''
        ? { value: '', folder: cwd }
        : lookup(variableOf(name), `defaults.${name}`),
    splitList,
    expandPath: (found) => expandPath(found, { env, cwd }),
  };
}

function checkRefused(lookup: Lookup, variable: string, key: string, standard: string): Fault[] {
  const found = lookup(variable, key);
  if (found === null || found.value.replaceAll(/\s/g, '') === standard) return [];
  const what = found.at === undefined ? variable : key.replace(/^.*\./, '');
  const wanted = standard === '' ? 'no such setting' : `the standard, ${standard}`;
  return [refused(`the setting ${what}, which changes what Ansible reads`, found.at, wanted)];
}

function readMergeMaps(found: Found | null): boolean {
  if (found === null || found.value === 'replace') return false;
  if (found.value === 'merge') return true;
  throw new InputError(
    refused('a hash_behaviour of an unknown kind', found.at, 'replace or merge'),
  );
}

function plainValue(key: string, { value, at, isLong }: Setting): string {
  const isRead = /\.(?:inventory|hash_behaviour|vault_\w+|ask_vault_pass)$/.test(key);
  if (!isRead || (value !== '' && !isLong && !/["']/.test(value))) return value;
  const wanted = 'a value on one line, without quotes';
  throw new InputError(refused(`the setting ${key.replace(/^.*\./, '')}`, at, wanted));
}

function refused(found: string, at: Position | undefined, wanted: string): Fault {
  return { code: 'E_UNSUPPORTED', at, found, wanted };
}

function splitList(found: Found | null): Found[] {
  if (found === null) return [];
  const parts = found.value.split(',').map((part) => part.trim());
  if (!parts.includes('')) return parts.map((value) => ({ ...found, value }));
  // Ansible makes a path of every part, and of an empty one the folder that paths are relative to.
  throw new InputError(refused('an empty entry in a list', found.at, 'paths with commas between'));
}

/** As Ansible expands paths: `{{CWD}}`, variables of the environment, `~`. */
function expandPath({ value, folder, at }: Found, { cwd, env }: ConfigOptions): string {
  const text = value
    .replaceAll('{{CWD}}', () => cwd)
    .replaceAll(
      /\$(?:(\w+)|\{(\w+)\})/g,
      (all, name: string | undefined, braced: string) => env[name ?? braced] ?? all,
    );
  const home = env['HOME'] ?? homedir();
  const path = text === '~' || text.startsWith('~/') ? home + text.slice(1) : text;
  if (!/^~|\$|\{\{/.test(path)) return resolve(folder, path);
  throw new InputError(refused(`the path "${value}"`, at, 'a path that can be expanded'));
}

/** Gives the first file there is, and says if one in a folder that everybody may write is left out. */
function findConfigFile(options: ConfigOptions): { path: string | null; notes: string[] } {
  const { cwd, env } = options;
  const given = env['ANSIBLE_CONFIG'];
  const named = given === undefined ? null : expandPath({ value: given, folder: cwd }, options);
  const here = join(cwd, 'ansible.cfg');
  const isOpen = ((statFile(cwd, cwd)?.mode ?? 0) & 0o002) !== 0;
  const first = named !== null && isFolder(named) ? join(named, 'ansible.cfg') : named;
  const candidates = [
    ...(first === null ? [] : [first]),
    ...(isOpen ? [] : [here]),
    join(env['HOME'] ?? homedir(), '.ansible.cfg'),
    '/etc/ansible/ansible.cfg',
  ];
  const path = candidates.find(isReadable) ?? null;
  const isLeftOut = isOpen && (path === null || path !== first) && isReadable(here);
  const note = `${showPath(here, cwd)} is ignored, as Ansible does: everybody may write to its folder`;
  return { path, notes: isLeftOut ? [note] : [] };
}

function isFolder(path: string): boolean {
  return statFile(path, path)?.isDirectory() === true;
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
