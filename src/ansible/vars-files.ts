// The files in group_vars and host_vars: which of them Ansible loads for a name, in which order,
// and what stands in them.
import { readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { InputError, settleAll } from '../errors.ts';
import { describeType } from '../yaml/node.ts';
import type { MapEntry, YamlNode } from '../yaml/node.ts';
import { parseYaml } from '../yaml/parse.ts';
import { compareNames } from './group-graph.ts';
import { fileFault, isVaultText, readText, statFile, unreadable } from './text-file.ts';
import type { Decrypt } from './text-file.ts';

export interface VarsFile {
  /** By name; null: a whole-file vault that was left closed. */
  readonly vars: ReadonlyMap<string, MapEntry> | null;
  /** The file is encrypted as a whole. */
  readonly encrypted: boolean;
}

export interface VarsFileOptions {
  /** Gives the name of a file for messages. */
  readonly show: (path: string) => string;
  /** Null: whole-file vaults stay closed. */
  readonly decrypt: Decrypt | null;
}

/** Without one first: a folder or file of exactly the name wins over all others. */
const EXTENSIONS = ['', '.yml', '.yaml', '.json'];

/**
 * Gives the files that Ansible loads for a group or host from a `group_vars` or `host_vars` folder,
 * lowest precedence first: one file, or all files below the folder of that name. Throws InputError
 * for a folder that cannot be read.
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html#organizing-host-and-group-variables
 */
export function findVarsFiles(
  folder: string,
  name: string,
  show: VarsFileOptions['show'],
): string[] {
  for (const extension of EXTENSIONS) {
    const path = join(folder, name + extension);
    const stats = statFile(path, show(path));
    if (stats === null) continue;
    return stats.isDirectory() ? findInFolder(path, show) : [refuseExpansion(path, show)];
  }
  return [];
}

/** Tells whether there is such a folder; a link to one counts. */
export function isFolder(path: string, show: VarsFileOptions['show']): boolean {
  return statFile(path, show(path))?.isDirectory() ?? false;
}

/**
 * Reads, decrypts and parses vars files, each once. Gives them by path; files that hold nothing are
 * left out, as Ansible does. Throws InputError with the faults of all files.
 */
export async function loadVarsFiles(
  paths: Iterable<string>,
  options: VarsFileOptions,
): Promise<ReadonlyMap<string, VarsFile>> {
  const distinct = [...new Set(paths)];
  const loaded = await settleAll(distinct.map((path) => loadVarsFile(path, options)));
  const files = new Map<string, VarsFile>();
  for (const [index, path] of distinct.entries()) {
    const file = loaded[index] ?? null;
    if (file !== null) files.set(path, file);
  }
  return files;
}

/** Gives the entries of a map by name; keys that are no strings name no variable. */
export function entriesByName(entries: readonly MapEntry[]): ReadonlyMap<string, MapEntry> {
  const vars = new Map<string, MapEntry>();
  for (const entry of entries) if (typeof entry.key === 'string') vars.set(entry.key, entry);
  return vars;
}

async function loadVarsFile(path: string, options: VarsFileOptions): Promise<VarsFile | null> {
  const file = options.show(path);
  const text = readText(path, file);
  const encrypted = isVaultText(text);
  if (encrypted && options.decrypt === null) return { vars: null, encrypted };
  const plain = encrypted && options.decrypt !== null ? await options.decrypt(text, file) : text;
  const root = parseYaml(plain, file);
  if (root === null || isFalsy(root)) return null;
  if (root.kind === 'map') return { vars: entriesByName(root.entries), encrypted };
  const found = `the file holds ${describeType(root)}`;
  throw new InputError({ code: 'E_INVENTORY', at: root.at, found, wanted: 'a map of variables' });
}

/** What Python takes for false: Ansible treats such a file as empty. */
function isFalsy(node: YamlNode): boolean {
  if (node.kind === 'map') return node.entries.length === 0;
  if (node.kind === 'seq') return node.items.length === 0;
  return node.tag !== 'vault' && typeof node.value !== 'object' ? !node.value : node.value === null;
}

function findInFolder(folder: string, show: VarsFileOptions['show']): string[] {
  const found: string[] = [];
  for (const name of listFolder(folder, show)) {
    if (name.startsWith('.') || name.endsWith('~')) continue;
    const path = join(folder, name);
    const extension = extname(name);
    const stats = statFile(path, show(path));
    if (stats?.isDirectory() === true) {
      if (extension === '') found.push(...findInFolder(path, show));
    } else if (stats?.isFile() === true && EXTENSIONS.includes(extension)) {
      found.push(refuseExpansion(path, show));
    }
  }
  return found;
}

function listFolder(folder: string, show: VarsFileOptions['show']): string[] {
  try {
    return readdirSync(folder).sort(compareNames);
  } catch (error) {
    throw unreadable(show(folder), error);
  }
}

/** Ansible expands `$NAME` in paths of vars files, and then loads another file or none. */
function refuseExpansion(path: string, show: VarsFileOptions['show']): string {
  if (!path.includes('$')) return path;
  throw fileFault(show(path), 'has a "$" in its path', 'a path without "$"');
}
