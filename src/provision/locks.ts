// The locks of a run: one a file, taken in sorted order so that two runs never wait for each other.
import { dirname } from 'node:path';
import { InputError, type Fault } from '../errors.ts';
import type { Action } from '../plan/types.ts';
import { removeStaleFiles } from '../vault/leftovers.ts';
import { acquireLock, type Lock, type LockHolder } from '../vault/lock.ts';
import { resolveTarget } from '../vault/real-path.ts';
import { StoreError } from '../vault/store-error.ts';
import { filesOfRekeys, finishRekeys } from './recover.ts';
import type { World } from './world.ts';

/** How often a rekey that waits is ended before it is told that this cannot be done. */
const MOST_TRIES = 3;

/** Seconds that another run is waited for before it is named and this one ends. */
const LOCK_TIMEOUT_S = 60;

export interface Locks {
  /** Gives the lock of an action's file, or undefined where this run does not hold it. */
  of(action: Action): Lock | undefined;
  release(): Promise<void>;
}

export interface LockOptions {
  /** Seconds, for all files together; undefined: 60. */
  readonly lockTimeout: number | undefined;
}

/** Locks the files of the actions. Throws InputError (E_LOCKED, E_TARGET), with nothing locked. */
export async function lockTargets(
  actions: readonly Action[],
  options: LockOptions,
  world: World,
): Promise<Locks> {
  const shown = new Map<string, string>();
  const paths = new Map<string, string>();
  const owners = new Map<string, Action>();
  for (const action of actions) {
    const { target } = action;
    const path = await resolveTarget(target.file);
    shown.set(path, target.shown);
    paths.set(target.file, path);
    const first = owners.get(path) ?? action;
    owners.set(path, first);
    if (hostOf(first) !== hostOf(action)) throw new InputError(oneFileOfTwo(first, action));
  }
  const { locks, release } = await lockFiles(shown, options, world);
  return { of: ({ target }) => locks.get(paths.get(target.file) ?? target.file), release };
}

function hostOf({ definition }: Action): string {
  return definition.host.name;
}

/** Links may make one file of two. */
function oneFileOfTwo(first: Action, second: Action): Fault {
  return {
    code: 'E_TARGET',
    at: second.definition.at,
    found: `${second.target.shown}, which is the same file as ${first.target.shown} of ${hostOf(first)}`,
    wanted: 'a file for each host: what stands in a shared one is the same for both',
    fix: 'put a file, or a folder, in the place of the link',
  };
}

interface Held {
  readonly locks: ReadonlyMap<string, Lock>;
  release(): Promise<void>;
}

/**
 * Locks files, given by their real paths with the names that messages use. What a rekey had decided
 * for them, that was killed while it held their locks, is put into place first. Throws InputError
 * (E_LOCKED, E_TARGET), or the signal's reason, with nothing locked.
 */
export async function lockFiles(
  shown: ReadonlyMap<string, string>,
  options: LockOptions,
  world: World,
): Promise<Held> {
  for (let tries = 1; ; tries++) {
    const held = await lockAll(shown, options, world);
    const waiting = await rekeysOf(held);
    if (waiting.length === 0) return held;
    await held.release();
    if (tries >= MOST_TRIES) throw new InputError(notEnded(waiting, shown));
    await finishRekeys([...new Set(waiting.map((path) => dirname(path)))], world);
  }
}

/** Gives the locked files for which a decided rekey waits. */
async function rekeysOf({ locks, release }: Held): Promise<readonly string[]> {
  try {
    return await filesOfRekeys([...locks.keys()]);
  } catch (error) {
    await release();
    throw error;
  }
}

function notEnded(waiting: readonly string[], shown: ReadonlyMap<string, string>): Fault[] {
  return waiting.map((path) => ({
    code: 'E_TARGET',
    at: { file: shown.get(path) ?? path, line: 1, column: 1 },
    found: 'a file for which an interrupted rekey has decided what cannot be put into its place',
    wanted: 'folders that this user can write to: those of all files of that rekey',
  }));
}

async function lockAll(
  shown: ReadonlyMap<string, string>,
  { lockTimeout = LOCK_TIMEOUT_S }: LockOptions,
  world: World,
): Promise<Held> {
  const locks = new Map<string, Lock>();
  const release = async (): Promise<void> => {
    await Promise.all([...locks.values()].map((lock) => releaseOne(lock, world)));
  };
  const deadline = world.now() + lockTimeout * 1000;
  try {
    for (const path of [...shown.keys()].toSorted()) {
      const waitMs = Math.max(0, deadline - world.now());
      locks.set(path, await lockOne({ path, shown: shown.get(path) ?? path, waitMs }, world));
    }
  } catch (error) {
    await release();
    throw error;
  }
  return { locks, release };
}

interface Wanted {
  readonly path: string;
  readonly shown: string;
  readonly waitMs: number;
}

async function lockOne({ path, shown, waitMs }: Wanted, world: World): Promise<Lock> {
  try {
    const lock = await acquireLock(path, {
      waitMs,
      now: () => world.now(),
      onWait: (holder) => world.progress({ kind: 'lock', file: shown, holder: nameOf(holder) }),
      signal: world.signal,
    });
    try {
      await removeStaleFiles(lock);
      return lock;
    } catch (error) {
      await releaseOne(lock, world);
      throw error;
    }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new InputError({
      code: 'E_TARGET',
      at: { file: shown, line: 1, column: 1 },
      found: error.message,
      wanted: 'a folder that this user can write to',
    });
  }
}

/** A lock that stays is no reason to fail: the next run takes it over, and the report must come. */
async function releaseOne(lock: Lock, world: World): Promise<void> {
  await lock.release().catch((error: unknown) => {
    if (!(error instanceof StoreError)) throw error;
    world.warn(error.message);
  });
}

function nameOf(holder: LockHolder | null): string {
  return holder === null ? 'another run' : `process ${holder.pid} on ${holder.host}`;
}
