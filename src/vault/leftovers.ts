// What a killed run left in a state folder is removed by the next one, under the lock of the file
// that it belongs to: then nobody else has a temp file for it.
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '../errors.ts';
import { readBatches } from './batch-record.ts';
import type { Lock } from './lock.ts';
import { acquireLock } from './lock.ts';
import { lockPlace, removeDead } from './lock-record.ts';
import { resolveTarget } from './real-path.ts';
import { leaveStateFolder, listState, removeAnnounced, stateName } from './state-folder.ts';
import { stateFolder } from './state-path.ts';
import { storing } from './store-error.ts';

/** The files of one target, but for its lock: `<name>.<nonce>.tmp`, `.next`, `.new` and `.guard`. */
const LEFTOVER = /^(.*)\.(?:[0-9a-f]{32}|unreadable)\.(?:tmp|next|new|guard)$/s;
const LOCK = /^(.*)\.lock$/s;

/**
 * Removes the temp files and guards that dead runs left for the locked file. Throws `StoreError`
 * where something cannot be removed.
 */
export async function removeStaleFiles(lock: Lock): Promise<void> {
  const folder = dirname(lock.target);
  const own = stateName(lock.target);
  await storing(lock.target, { replaced: false }, async () => {
    const isNeeded = await neededByBatches(folder);
    for (const name of await listState(folder)) {
      if (LEFTOVER.exec(name)?.[1] !== own || isNeeded(name)) continue;
      const path = join(stateFolder(folder), name);
      if (name.endsWith('.guard')) await removeDead(lockPlace(folder, lock.target, '/proc'), path);
      else await rm(path, { force: true });
    }
  });
}

/** What a record names waits for its batch to be ended; a damaged one might name any. */
async function neededByBatches(folder: string): Promise<(name: string) => boolean> {
  const { records, damaged } = await readBatches(folder);
  const named = new Set(records.flatMap(({ files }) => files.map(({ temp }) => temp)));
  return (name) => named.has(name) || (damaged.length > 0 && name.endsWith('.next'));
}

/**
 * Removes from the state folder of `folder` whatever dead runs left there but journal entries and
 * batches, and the state folder itself if nothing else is in it. What belongs to a file that a living
 * run has locked is left alone. Throws `StoreError` where something cannot be removed.
 */
export async function removeLeftovers(folder: string): Promise<void> {
  const state = { replaced: false, now: 'what an earlier run left there stays' };
  await storing(folder, state, async () => {
    const path = await resolveTarget(folder);
    const names = await listState(path);
    const targets = names.map((name) => (LEFTOVER.exec(name) ?? LOCK.exec(name))?.[1]);
    for (const name of new Set(targets)) {
      if (name !== undefined) await removeLeftoversOf(join(path, name));
    }
    await removeAnnounced(path);
    await leaveStateFolder(path);
  });
}

async function removeLeftoversOf(target: string): Promise<void> {
  try {
    const lock = await acquireLock(target, { waitMs: 0 });
    try {
      await removeStaleFiles(lock);
    } finally {
      await lock.release();
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
}
