// Which folder's host_vars belong to a host of a play: that of the last inventory that names it, as
// on the command line.
import { existsSync, statSync } from 'node:fs';
import { dirname, isAbsolute, relative } from 'node:path';
import { isListed } from '../ansible/inventory-folder.ts';
import { readSources } from '../ansible/sources.ts';
import { InputError } from '../errors.ts';

export interface PlayInventories {
  /** As Ansible has them: absolute paths, and lists of hosts. */
  readonly sources: readonly string[];
  readonly playbookFolder: string;
  readonly host: string;
  /** The inventory that named the host first, as Ansible says; null: none did. */
  readonly file: string | null;
  readonly cwd: string;
}

/** Gives the folder that group_vars and host_vars of an inventory stand in. */
export function inventoryFolder(source: string, playbookFolder: string): string {
  if (!isAbsolute(source) || !existsSync(source)) return playbookFolder;
  return statSync(source).isDirectory() ? source : dirname(source);
}

/** Is this file that inventory, or would it be part of it if it were there? */
export function isSource(file: string, source: string): boolean {
  if (file === source) return true;
  const isFolder = isAbsolute(source) && statSync(source, { throwIfNoEntry: false })?.isDirectory();
  return isFolder === true && isListed(file, source);
}

/**
 * Gives the folder for the files of the host. Where only a program could tell whether an inventory
 * names the host, the one that Ansible has it from counts.
 */
export async function homeFolder(inventories: PlayInventories): Promise<string> {
  const { sources, playbookFolder } = inventories;
  const folders = sources.map((source) => inventoryFolder(source, playbookFolder));
  const [first = playbookFolder] = folders;
  if (new Set(folders).size <= 1) return first;
  for (const [index, source] of [...sources.entries()].toReversed()) {
    if (await names(source, inventories)) return folders[index] ?? first;
  }
  return folders.at(-1) ?? first;
}

async function names(source: string, inventories: PlayInventories): Promise<boolean> {
  const { host, file, cwd, playbookFolder } = inventories;
  try {
    const read = await readSources([source], {
      cwd,
      playbookDir: playbookFolder,
      decrypt: null,
      mergeMaps: false,
    });
    return read.some(({ hosts }) => hosts.has(host));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return file !== null && !relative(source, file).startsWith('..');
  }
}
