// A folder that is made, or about to be removed again, is empty for a moment, and an empty folder of
// a host's name hides the file of that name from Ansible. So there is word of it beforehand in the
// state folder of the folder above: a run that finds it after a kill removes what is empty.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, relative, sep } from 'node:path';
import { createSynced, syncFolder } from './sync.ts';
import { systemCode } from './store-error.ts';

const ENDING = '.folders';

/** Folders that come or go together: `folder` and all above it up to `top`. */
export interface Folders {
  readonly top: string;
  readonly folder: string;
}

/** Leaves word, durably, in the state folder of the folder above `top`. Gives the file's path. */
export async function writeAnnouncement(state: string, folders: Folders): Promise<string> {
  const path = join(state, `${randomBytes(16).toString('hex')}${ENDING}`);
  await createSynced(path, `${relative(dirname(folders.top), folders.folder)}\n`);
  await syncFolder(state);
  return path;
}

/** Tells whether a file of a state folder is such word. */
export function isAnnouncement(name: string): boolean {
  return name.endsWith(ENDING);
}

/**
 * Gives the folders that a file in the state folder of `above` names, and how many they are. Null
 * where it is gone or not whole: then nothing was made yet.
 */
export async function readAnnouncement(
  above: string,
  path: string,
): Promise<{ readonly folder: string; readonly levels: number } | null> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  });
  const inside = text.slice(0, -1);
  const isWhole = text.endsWith('\n') && !['', '.'].includes(inside) && !isAbsolute(inside);
  if (!isWhole || normalize(inside) !== inside || inside.startsWith('..')) return null;
  return { folder: join(above, inside), levels: inside.split(sep).length };
}

/** Gives the topmost of `levels` folders of which `folder` is the lowest. */
export function topOf(folder: string, levels: number): string {
  return levels <= 1 ? folder : topOf(dirname(folder), levels - 1);
}
