// A folder as an inventory: which of its files Ansible reads, and in which order.
import { readdirSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { InputError } from '../errors.ts';
import { compareNames } from './group-graph.ts';
import { fileFault, statFile, unreadable } from './text-file.ts';

const IGNORED =
  /^\.|^(?:host_vars|group_vars|vars_plugins)$|\.(?:pyc|pyo|swp|bak|rpm|md|txt|rst|orig|cfg|retry)$|~$/;

/**
 * Gives the paths of the inventories in a folder and in the folders below it, sorted by name at
 * each level. Throws InputError for what cannot be read, for a folder without any inventory, and
 * for `.ini` files, which ansible-core ignored before 2.19 and reads since.
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html#organizing-inventory-in-a-directory
 */
export function listInventories(folder: string, show: (path: string) => string): string[] {
  const paths = listBelow(folder, show);
  if (paths.length === 0)
    throw fileFault(show(folder), 'is a folder without any inventory', 'an inventory');
  const faults = paths
    .filter((path) => extname(path) === '.ini')
    .map((path) => ({
      code: 'E_UNSUPPORTED' as const,
      at: { file: show(path), line: 1, column: 1 },
      found: 'an .ini file in an inventory folder, which only some versions of Ansible read',
      fix: 'give it a name without an extension',
    }));
  if (faults.length > 0) throw new InputError(faults);
  return paths;
}

/** Would Ansible take a file for an inventory if it stood in this folder, which `-i` names? */
export function isListed(file: string, folder: string): boolean {
  const names = relative(folder, file).split(sep);
  return names[0] !== '..' && names.every((name) => name !== '' && !IGNORED.test(name));
}

function listBelow(folder: string, show: (path: string) => string): string[] {
  return namesIn(folder, show)
    .filter((name) => !IGNORED.test(name))
    .map((name) => join(folder, name))
    .flatMap((path) =>
      statFile(path, show(path))?.isDirectory() === true ? listBelow(path, show) : [path],
    );
}

function namesIn(folder: string, show: (path: string) => string): string[] {
  try {
    return readdirSync(folder).sort(compareNames);
  } catch (error) {
    throw unreadable(show(folder), error);
  }
}
