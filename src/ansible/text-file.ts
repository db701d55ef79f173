import { readFileSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { InputError } from '../errors.ts';
import type { Fault } from '../errors.ts';

/** Decrypts the text of a whole-file vault; `file` is its name for messages. */
export type Decrypt = (envelope: string, file: string) => Promise<string>;

/**
 * Reads a file that must be UTF-8. A byte order mark stays, since Ansible sees it, too. Throws
 * InputError with `file`, the name that the user knows it by.
 */
export function readText(path: string, file: string): string {
  const text = reading(file, () => readFileSync(path, 'utf8'));
  // What is not UTF-8 came out as this character, which may also stand there itself.
  if (!text.includes('\ufffd')) return text;
  const bytes = reading(file, () => readFileSync(path));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw fileFault(file, 'is not UTF-8', 'a text file in UTF-8');
  }
}

/** Tells whether a file is encrypted as a whole. */
export function isVaultText(text: string): boolean {
  return text.startsWith('$ANSIBLE_VAULT');
}

/** Gives a path as the user would type it: relative to `cwd` when below it, else absolute. */
export function showPath(path: string, cwd: string): string {
  const below = path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : '';
  // Of thousands of files each is shown: what is plainly below needs no more.
  if (!/(?:^|\/)\.{0,2}(?:\/|$)/.test(below)) return below;
  const short = relative(cwd, path);
  return short === '' || short === '..' || short.startsWith('../') || isAbsolute(short)
    ? path
    : short;
}

/**
 * Gives the absolute path that Ansible makes of a path in an option. Throws InputError for `$NAME`
 * and `~user`, which Ansible expands.
 */
export function resolveOption(path: string, cwd: string): string {
  if (path === '~' || path.startsWith('~/')) return join(homedir(), path.slice(1));
  if (!/^~|\$/.test(path)) return resolve(cwd, path);
  const found = `the path "${path}" holds a "$" or begins with "~"`;
  throw new InputError({ code: 'E_UNSUPPORTED', found, wanted: 'the path that it stands for' });
}

/** Makes the error for a file that cannot be used. */
export function fileFault(file: string, found: string, wanted?: string, fix?: string): InputError {
  // There is no place in a file that nobody could look into.
  const at = { file, line: 0, column: 0 };
  return new InputError({ code: 'E_FILE', at, found: `the file ${found}`, wanted, fix });
}

/** Adds the faults of an InputError to a list and gives null; any other error is thrown again. */
export function addFaults(faults: Fault[], error: unknown): null {
  if (!(error instanceof InputError)) throw error;
  faults.push(...error.faults);
  return null;
}

/** Makes the error for a file or folder that the system does not let us read. */
export function unreadable(file: string, error: unknown): InputError {
  const { code = 'unknown error' } = error as NodeJS.ErrnoException;
  return fileFault(file, `cannot be read (${code})`);
}

/** Gives null for what does not exist, dangling links included. Throws InputError. */
export function statFile(path: string, file: string): Stats | null {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(code)) return null;
    throw unreadable(file, error);
  }
}

function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw fileFault(file, 'does not exist');
    if (code === 'EISDIR') throw fileFault(file, 'is a folder');
    throw unreadable(file, error);
  }
}
