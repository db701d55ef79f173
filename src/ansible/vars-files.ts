// The files in group_vars and host_vars: which of them Ansible loads for a name, in which order,
// and what stands in them.
import { readdirSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { extname, join } from 'node:path';
import { InputError, settleAll } from '../errors.ts';
import type { Fault } from '../errors.ts';
import { describeType } from '../yaml/node.ts';
import type { MapEntry, YamlNode } from '../yaml/node.ts';
import { parseYaml } from '../yaml/parse.ts';
import { compareNames } from './group-graph.ts';
import { addFaults, fileFault, isVaultText, readText, statFile, unreadable } from './text-file.ts';
import type { Decrypt } from './text-file.ts';

export interface VarsFile {
  /** By name; null: a whole-file vault that was left closed. */
  readonly vars: ReadonlyMap<string, MapEntry> | null;
  /** The file is encrypted as a whole. */
  readonly encrypted: boolean;
  /** What the file holds; absent where it was left closed. */
  readonly text?: string;
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
  { path: folder, entries }: VarsFolderListing,
  name: string,
  show: VarsFileOptions['show'],
): string[] {
  for (const extension of EXTENSIONS) {
    const entry = entries.get(name + extension);
    if (entry === undefined) continue;
    const path = join(folder, name + extension);
    const kind = kindOf(entry, path, show);
    if (kind === 'nothing') continue;
    return kind === 'folder' ? findInFolder(path, show) : [refuseExpansion(path, show)];
  }
  return [];
}

/** What a folder holds, links not followed. */
export interface VarsFolderListing {
  readonly path: string;
  readonly entries: ReadonlyMap<string, Dirent>;
}

/** Lists a folder of vars; null where there is none. Throws InputError if it cannot be read. */
export function listVarsFolder(
  path: string,
  show: VarsFileOptions['show'],
): VarsFolderListing | null {
  if (statFile(path, show(path))?.isDirectory() !== true) return null;
  return { path, entries: new Map(listFolder(path, show).map((entry) => [entry.name, entry])) };
}

/**
 * Reads, decrypts and parses vars files, each once. Gives them by path; files that hold nothing are
 * left out, as Ansible does. Throws InputError with the faults of all files.
 */
export async function loadVarsFiles(
  paths: Iterable<string>,
  options: VarsFileOptions,
): Promise<ReadonlyMap<string, VarsFile>> {
  const files = new Map<string, VarsFile>();
  const faults: Fault[] = [];
  const opening: Promise<void>[] = [];
  const add = (path: string, file: VarsFile | null): void => {
    if (file !== null) files.set(path, file);
  };
  for (const path of new Set(paths)) {
    try {
      const file = loadVarsFile(path, options);
      // Most files are not encrypted, and of thousands each promise counts.
      if (file instanceof Promise) opening.push(file.then((opened) => add(path, opened)));
      else add(path, file);
    } catch (error) {
      addFaults(faults, error);
    }
  }
  await settleAll(opening).catch((error: unknown) => addFaults(faults, error));
  if (faults.length > 0) throw new InputError(faults);
  return files;
}

/** Gives the entries of a map by name; keys that are no strings name no variable. */
export function entriesByName(entries: readonly MapEntry[]): ReadonlyMap<string, MapEntry> {
  const vars = new Map<string, MapEntry>();
  for (const entry of entries) if (typeof entry.key === 'string') vars.set(entry.key, entry);
  return vars;
}

type Loaded = VarsFile | null;

function loadVarsFile(path: string, { show, decrypt }: VarsFileOptions): Loaded | Promise<Loaded> {
  const file = show(path);
  const text = readText(path, file);
  if (!isVaultText(text)) return parseVars(text, file, { encrypted: false });
  if (decrypt === null) return { vars: null, encrypted: true };
  return decrypt(text, file).then((plain) => parseVars(plain, file, { encrypted: true }));
}

function parseVars(text: string, file: string, { encrypted }: { encrypted: boolean }): Loaded {
  const root = parseYaml(text, file);
  if (root === null || isFalsy(root)) return null;
  if (root.kind === 'map') return { vars: entriesByName(root.entries), encrypted, text };
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
  const entries = listFolder(folder, show).sort((a, b) => compareNames(a.name, b.name));
  for (const entry of entries) {
    const { name } = entry;
    if (name.startsWith('.') || name.endsWith('~')) continue;
    const path = join(folder, name);
    const extension = extname(name);
    const kind = kindOf(entry, path, show);
    if (kind === 'folder') {
      if (extension === '') found.push(...findInFolder(path, show));
    } else if (kind === 'file' && EXTENSIONS.includes(extension)) {
      found.push(refuseExpansion(path, show));
    }
  }
  return found;
}

/** Follows links. A link that leads nowhere is nothing. */
function kindOf(
  entry: Dirent,
  path: string,
  show: VarsFileOptions['show'],
): 'file' | 'folder' | 'other' | 'nothing' {
  const found = entry.isFile() || entry.isDirectory() ? entry : statFile(path, show(path));
  if (found === null) return 'nothing';
  if (found.isDirectory()) return 'folder';
  return found.isFile() ? 'file' : 'other';
}

function listFolder(folder: string, show: VarsFileOptions['show']): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    throw unreadable(show(folder), error);
  }
}

/** Ansible expands `$NAME` in paths of vars files, and then loads another file or none. */
function refuseExpansion(path: string, show: VarsFileOptions['show']): string {
  if (!path.includes('$')) return path;
  throw fileFault(show(path), 'has a "$" in its path', 'a path without "$"');
}
