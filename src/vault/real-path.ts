import { lstat, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { systemCode } from './store-error.ts';

/** As many symbolic links as Linux follows. */
const MOST_LINKS = 40;

/**
 * Gives the absolute path behind all symbolic links, also where the file itself, some of its folders
 * or the end of a link do not exist yet. Throws the system's error for a loop, or a folder that
 * cannot be searched.
 */
export async function resolveTarget(path: string, linksLeft = MOST_LINKS): Promise<string> {
  const absolute = resolve(path);
  try {
    return await realpath(absolute);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  const next = await readLink(absolute);
  if (next === null) {
    return join(await resolveTarget(dirname(absolute), linksLeft), basename(absolute));
  }
  if (linksLeft === 0) throw Object.assign(new Error('too many links'), { code: 'ELOOP' });
  return resolveTarget(resolve(dirname(absolute), next), linksLeft - 1);
}

async function readLink(path: string): Promise<string | null> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : null;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}
