// Folders as they are on the disk, where other runs make and remove them at the same time.
import { lstat, readdir, rmdir } from 'node:fs/promises';
import { systemCode } from './store-error.ts';

/** True for a folder, false where there is nothing. Throws ENOTDIR for anything else. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await lstat(path)).isDirectory()) return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
  throw Object.assign(new Error(`${path} is not a folder`), { code: 'ENOTDIR' });
}

/** Removes a folder that is empty. Gives false where something is in the folder, true where it is gone. */
export async function removeEmpty(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return true;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
}

/** Gives the names in a folder, null where there is none. */
export async function listFolder(path: string): Promise<string[] | null> {
  try {
    return await readdir(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Carries something out in a folder that may vanish. */
export async function unlessGone(operation: Promise<void>): Promise<'done' | 'gone'> {
  try {
    await operation;
    return 'done';
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'gone';
    throw error;
  }
}
