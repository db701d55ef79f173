// The locks of a run: one a file, taken in sorted order so that two runs never wait for each other.
import { InputError } from '../errors.ts';
import type { Action } from '../plan/types.ts';
import { removeStaleFiles } from '../vault/leftovers.ts';
import { acquireLock, type Lock, type LockHolder } from '../vault/lock.ts';
import { resolveTarget } from '../vault/real-path.ts';
import { StoreError } from '../vault/store-error.ts';
import type { World } from './world.ts';

/** How long another run is waited for before it is named and this one ends. */
const WAIT_MS = 60_000;

export interface Locks {
  /** Gives the lock of an action's file, or undefined where this run does not hold it. */
  of(action: Action): Lock | undefined;
  release(): Promise<void>;
}

/** Locks the files of the actions. Throws InputError (E_LOCKED, E_TARGET), with nothing locked. */
export async function lockTargets(actions: readonly Action[], world: World): Promise<Locks> {
  const shown = new Map<string, string>();
  const paths = new Map<string, string>();
  for (const { target } of actions) {
    const path = await resolveTarget(target.file);
    shown.set(path, target.shown);
    paths.set(target.file, path);
  }
  const locks = new Map<string, Lock>();
  const release = async (): Promise<void> => {
    await Promise.all([...locks.values()].map((lock) => releaseOne(lock, world)));
  };
  try {
    for (const path of [...shown.keys()].toSorted()) {
      locks.set(path, await lockOne(path, shown.get(path) ?? path, world));
    }
  } catch (error) {
    await release();
    throw error;
  }
  return { of: ({ target }) => locks.get(paths.get(target.file) ?? target.file), release };
}

async function lockOne(path: string, shown: string, world: World): Promise<Lock> {
  try {
    const lock = await acquireLock(path, {
      waitMs: WAIT_MS,
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
