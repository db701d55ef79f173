// One run at a time works on a file. A lock is taken over only where its holder is proved dead;
// otherwise the error names the holder, and a person decides.
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { InputError } from '../errors.ts';
import type { LockPlace, LockRecord } from './lock-record.ts';
import {
  createRecord,
  lockFile,
  lockPlace,
  newRecord,
  nonceOf,
  readRecord,
  removeDead,
  removeGuards,
  removeRecord,
  UNREADABLE,
} from './lock-record.ts';
import { isProvedAlive, readOwnIdentity } from './process-identity.ts';
import { resolveTarget } from './real-path.ts';
import { inStateFolder, leaveStateFolder } from './state-folder.ts';
import { StoreError, storing } from './store-error.ts';

const POLL_MS = 50;

/** How often releasing is tried against others that look at the same lock. */
const MOST_TRIES = 40;

/** Nonces of locks that this process gave up and could not remove: nobody is to wait for them. */
const givenUp = new Set<string>();

/** The process that holds a lock, as far as its file can be read. */
export interface LockHolder {
  readonly host: string;
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** A lock that this process holds. */
export interface Lock {
  /** The real path of the locked file. */
  readonly target: string;
  /** Throws `StoreError` where the lock was taken away: then nothing may be written any more. */
  check(): Promise<void>;
  /** Does one thing at a time to the file, also where this process would do several. */
  exclusively<T>(work: () => Promise<T>): Promise<T>;
  /** Throws `StoreError` where the lock file cannot be removed; the next run takes it over. */
  release(): Promise<void>;
}

export interface LockOptions {
  /** How long to wait for another run, in milliseconds; 0: not at all. */
  readonly waitMs: number;
  /** Called once for each holder that is waited for; null: its file cannot be read. */
  readonly onWait?: (holder: LockHolder | null) => void;
  readonly signal?: AbortSignal;
  /** Default: the clock, in milliseconds. */
  readonly now?: () => number;
  /** Where the proc file system is, default /proc. */
  readonly proc?: string;
}

/**
 * Locks the file behind `target`, which need not exist. Throws `InputError` with E_LOCKED where
 * somebody else holds the lock to the end of the wait, `StoreError` where it cannot be written, and
 * the signal's reason where that aborts the wait.
 */
export async function acquireLock(target: string, options: LockOptions): Promise<Lock> {
  const path = await storing(target, { replaced: false }, () => resolveTarget(target));
  const place = lockPlace(dirname(path), path, options.proc ?? '/proc');
  try {
    const record = await storing(path, { replaced: false }, () => waitFor(path, place, options));
    return {
      target: path,
      check: () => checkLock(path, place, record),
      exclusively: oneAtATime(),
      release: () => {
        const state = { replaced: false, now: 'it may still be locked' };
        givenUp.add(record.nonce);
        return storing(path, state, async () => {
          if (await releaseLock(path, place, record.nonce)) givenUp.delete(record.nonce);
        });
      },
    };
  } catch (error) {
    await leaveStateFolder(dirname(path));
    throw error;
  }
}

function oneAtATime(): Lock['exclusively'] {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
}

/**
 * Takes the lock of `target` away from whoever holds it. Gives the holder, `UNREADABLE` where its file
 * is damaged, null where there was no lock. With `keepAlive` throws `InputError` (E_LOCKED) where the
 * holder is proved to be running.
 */
export async function removeLock(
  target: string,
  { keepAlive = false }: { readonly keepAlive?: boolean } = {},
): Promise<LockHolder | typeof UNREADABLE | null> {
  const path = await storing(target, { replaced: false }, () => resolveTarget(target));
  const place = lockPlace(dirname(path), path, '/proc');
  return storing(path, { replaced: false, now: 'it may still be locked' }, async () => {
    const record = await readRecord(lockFile(place));
    if (keepAlive && (await isAlive(record, place))) throw await lockedError(path, record, place);
    const nonce = nonceOf(record);
    if (nonce !== null && !(await releaseLock(path, place, nonce))) {
      await removeGuards(place);
      await releaseLock(path, place, nonce);
    }
    return record;
  });
}

async function waitFor(path: string, place: LockPlace, options: LockOptions): Promise<LockRecord> {
  const now = options.now ?? Date.now;
  const deadline = now() + options.waitMs;
  let seen: string | null = null;
  for (;;) {
    const mine = await tryLock(path, place, now());
    if (mine !== null) return mine;
    await removeDead(place, lockFile(place));
    const record = await readRecord(lockFile(place));
    if (record === null) continue;
    if (await removeGivenUp(path, place, nonceOf(record))) continue;
    const holder = record === UNREADABLE ? null : record;
    if (now() >= deadline) throw await lockedError(path, record, place);
    if (nonceOf(record) !== seen) options.onWait?.(holder);
    seen = nonceOf(record);
    options.signal?.throwIfAborted();
    await setTimeout(POLL_MS);
  }
}

async function removeGivenUp(
  path: string,
  place: LockPlace,
  nonce: string | null,
): Promise<boolean> {
  return nonce !== null && givenUp.has(nonce) && releaseLock(path, place, nonce);
}

async function tryLock(path: string, place: LockPlace, now: number): Promise<LockRecord | null> {
  if ((await readRecord(lockFile(place))) !== null) return null;
  const record = await newRecord(place, now);
  const create = () => createRecord(place, lockFile(place), record);
  return (await inStateFolder(dirname(path), create)) ? record : null;
}

async function checkLock(path: string, place: LockPlace, { nonce }: LockRecord): Promise<void> {
  const record = await storing(path, { replaced: false }, () => readRecord(lockFile(place)));
  if (nonceOf(record) === nonce) return;
  const reason = 'its lock was taken away from this run';
  const state = { replaced: false, now: 'this run writes nothing to it any more' };
  throw new StoreError(path, reason, { ...state, code: null });
}

/** Gives false where somebody else's guard stays in the way. */
async function releaseLock(path: string, place: LockPlace, nonce: string): Promise<boolean> {
  for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
    await removeRecord(place, lockFile(place), nonce);
    if (nonceOf(await readRecord(lockFile(place))) !== nonce) {
      await leaveStateFolder(dirname(path));
      return true;
    }
    await setTimeout(POLL_MS);
  }
  return false;
}

type FoundRecord = Awaited<ReturnType<typeof readRecord>>;

async function isAlive(record: FoundRecord, { proc }: LockPlace): Promise<boolean> {
  if (record === null || record === UNREADABLE) return false;
  return isProvedAlive(record, await readOwnIdentity(proc), proc);
}

/** Nobody is told to take a lock away from a run that is at work. */
async function lockedError(
  path: string,
  record: FoundRecord,
  place: LockPlace,
): Promise<InputError> {
  const who =
    record === null || record === UNREADABLE
      ? 'a run that cannot be named, since the lock file is damaged'
      : `process ${record.pid} on ${record.host} since ${new Date(record.since).toISOString()}`;
  const isRunning = await isAlive(record, place);
  return new InputError({
    code: 'E_LOCKED',
    found: `${path} is locked by ${who}${isRunning ? ', which is running' : ''}`,
    fix: isRunning
      ? 'let it end, or end it'
      : `wait until it has ended; if it runs no more:\nmatrix-tokens unlock ${path}`,
  });
}
