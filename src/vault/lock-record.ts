// The files of a lock. Each is created whole, by a link, so that nobody reads half of it, and carries
// a nonce that is never used again. It is removed only by who holds its guard: another such file,
// named after the nonce. So a slow process that wants to remove what it saw a while ago cannot hit
// what stands there by now. A guard whose holder died is removed in the same way.
import { randomBytes } from 'node:crypto';
import { link, readdir, readFile, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessIdentity } from './process-identity.ts';
import { isProvedDead, readOwnIdentity } from './process-identity.ts';
import { stateName } from './state-folder.ts';
import { stateFolder } from './state-path.ts';
import { systemCode } from './store-error.ts';
import { createSynced } from './sync.ts';

/** What a lock file or a guard file holds. */
export interface LockRecord extends ProcessIdentity {
  readonly nonce: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** A file without a nonce that can be read: damaged, or of another version. */
export const UNREADABLE = 'unreadable';

/** The lock files that belong to one target, and how the proc file system is reached. */
export interface LockPlace {
  readonly state: string;
  readonly name: string;
  readonly proc: string;
}

const GUARD_ENDING = /^\.(?:[0-9a-f]{32}|unreadable)\.guard$/;

const MOST_TRIES = 100;

/** Gives the place for the locks of `name` in the state folder of `folder`. */
export function lockPlace(folder: string, target: string, proc: string): LockPlace {
  return { state: stateFolder(folder), name: stateName(target), proc };
}

/** Gives the path of the lock file itself. */
export function lockFile({ state, name }: LockPlace): string {
  return join(state, `${name}.lock`);
}

/** Gives a record of this process with a new nonce. */
export async function newRecord({ proc }: LockPlace, since: number): Promise<LockRecord> {
  return { ...(await readOwnIdentity(proc)), nonce: randomBytes(16).toString('hex'), since };
}

/** Gives what a lock file or guard file says, null where there is none. */
export async function readRecord(path: string): Promise<LockRecord | typeof UNREADABLE | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
  return parseRecord(text) ?? UNREADABLE;
}

/** Creates a lock file or guard file; gives false where it is there already. */
export async function createRecord(
  place: LockPlace,
  path: string,
  record: LockRecord,
): Promise<boolean> {
  const temp = join(place.state, `${place.name}.${record.nonce}.new`);
  for (let tries = 1; ; tries += 1) {
    await createSynced(temp, formatRecord(record));
    try {
      await link(temp, path);
      return true;
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return false;
      // The holder of the lock clears leftovers away, and may take this file for one.
      if (systemCode(error) !== 'ENOENT' || tries === MOST_TRIES) throw error;
    } finally {
      await rm(temp, { force: true }).catch(() => null);
    }
  }
}

/** Removes the file at `path` if its holder is proved dead. Gives true where it did. */
export async function removeDead(place: LockPlace, path: string): Promise<boolean> {
  const record = await readRecord(path);
  if (record === null || record === UNREADABLE) return false;
  const own = await readOwnIdentity(place.proc);
  if (!(await isProvedDead(record, own, place.proc))) return false;
  return removeRecord(place, path, record.nonce);
}

/**
 * Removes the file at `path` if it still has this nonce (`UNREADABLE`: if it still cannot be read).
 * Gives true where it did. Where somebody else is about to do the same nothing happens: look again,
 * and try again.
 */
export async function removeRecord(
  place: LockPlace,
  path: string,
  nonce: string,
): Promise<boolean> {
  const guard = join(place.state, `${place.name}.${nonce}.guard`);
  const made = await makeGuard(place, guard);
  // Somebody died while he was about to do the same.
  if (made === 'taken' && (await removeDead(place, guard))) return removeRecord(place, path, nonce);
  if (made !== 'made') return false;
  try {
    const isThere = nonceOf(await readRecord(path)) === nonce;
    if (isThere) await unlink(path);
    return isThere;
  } finally {
    await rm(guard, { force: true });
  }
}

/** Removes all guards of the place, whoever holds them: for a person who knows that they are gone. */
export async function removeGuards({ state, name }: LockPlace): Promise<void> {
  const guards = (await readdir(state).catch(() => [])).filter(
    (file) => file.startsWith(`${name}.`) && GUARD_ENDING.test(file.slice(name.length)),
  );
  for (const file of guards) await rm(join(state, file), { force: true });
}

/** Gives the nonce of what `readRecord` gave, null where there was no file. */
export function nonceOf(record: LockRecord | typeof UNREADABLE | null): string | null {
  return typeof record === 'object' ? (record?.nonce ?? null) : record;
}

async function makeGuard(place: LockPlace, guard: string): Promise<'made' | 'taken' | 'gone'> {
  try {
    const record = await newRecord(place, Date.now());
    return (await createRecord(place, guard, record)) ? 'made' : 'taken';
  } catch (error) {
    // The folder is gone, and the file that was to be removed with it.
    if (systemCode(error) === 'ENOENT') return 'gone';
    throw error;
  }
}

function formatRecord(record: LockRecord): string {
  const { host, pid, machine, nonce, since } = record;
  const [boot_id, pid_namespace] = [record.bootId, record.pidNamespace];
  const start_time = record.startTime;
  const fields = { host, pid, machine, boot_id, pid_namespace, start_time, since, nonce };
  return `${JSON.stringify(fields)}\n`;
}

function parseRecord(text: string): LockRecord | null {
  const fields = parseObject(text);
  const { host, pid, nonce, since } = fields;
  const known = typeof host === 'string' && Number.isSafeInteger(pid) && Number(pid) > 0;
  if (!known || typeof since !== 'number') return null;
  if (typeof nonce !== 'string' || !/^[0-9a-f]{32}$/.test(nonce)) return null;
  return {
    host,
    pid: Number(pid),
    nonce,
    since,
    machine: textOrNull(fields['machine']),
    bootId: textOrNull(fields['boot_id']),
    pidNamespace: textOrNull(fields['pid_namespace']),
    startTime: textOrNull(fields['start_time']),
  };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
