// Ends batches that a killed run has left: what was decided is done, what was not is forgotten. Needs
// no password, since the next content of every file lies beside it.
import { chmod, lstat, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { digestOf } from './atomic-file.ts';
import {
  dropDecision,
  dropRecord,
  readBatches,
  readDecision,
  readRecord,
  type BatchEntry,
  type BatchRecord,
} from './batch-record.ts';
import { acquireLock, type Lock } from './lock.ts';
import { giveToOwner } from './owner.ts';
import { stateFolder } from './state-path.ts';
import { storing, systemCode } from './store-error.ts';
import { syncFolder } from './sync.ts';

/** What came of the batches in a folder. */
export interface Finished {
  /** Real paths of files that got their next content now. */
  readonly replaced: readonly string[];
  /** Those that were changed by somebody else since, and stay as they are. */
  readonly kept: readonly string[];
}

/** The same for a folder, with the paths of records that cannot be read. */
interface FinishedFolder extends Finished {
  readonly damaged: readonly string[];
}

/**
 * Ends the batches whose records stand in `folder`, with all their files in other folders too. Those
 * that a living run works on are left alone. Throws `StoreError` where a file cannot be put into its
 * place: then the batch stays for the next run.
 */
export async function finishBatches(folder: string): Promise<FinishedFolder> {
  const replaced: string[] = [];
  const kept: string[] = [];
  const unreadable: string[] = [];
  await storing(
    folder,
    { replaced: false, now: 'what a killed run began there waits' },
    async () => {
      const { records, decisions, damaged } = await readBatches(folder);
      unreadable.push(...damaged);
      for (const record of records) {
        const finished = await finishBatch(record);
        replaced.push(...finished.replaced);
        kept.push(...finished.kept);
      }
      const waiting = new Set((await readBatches(folder)).records.map(({ id }) => id));
      for (const id of decisions) if (!waiting.has(id)) await dropEmpty(folder, id);
    },
  );
  return { replaced, kept, damaged: unreadable };
}

const NOTHING: Finished = { replaced: [], kept: [] };

async function finishBatch(record: BatchRecord): Promise<Finished> {
  const folders = await readDecision(record.main, record.id);
  const members = await membersOf(record, folders ?? []);
  const locks = await lockAll(members);
  if (locks === null) return NOTHING;
  try {
    // Somebody else may have ended it before the locks were held, or died right after the decision.
    if ((await readRecord(record.folder, record.id)) === null) return NOTHING;
    const isDecided = (await readDecision(record.main, record.id)) !== null;
    for (const lock of locks) await lock.check();
    if (isDecided === (folders !== null)) return await (isDecided ? redo(members) : undo(record));
  } finally {
    for (const lock of locks) await lock.release().catch(() => null);
  }
  return finishBatch(record);
}

/** Gives the records of a decided batch in its folders; of another one only its own matters. */
async function membersOf(
  { folder, id }: BatchRecord,
  folders: readonly string[],
): Promise<readonly BatchRecord[]> {
  const members: BatchRecord[] = [];
  for (const one of new Set([...folders, folder])) {
    const member = await readRecord(one, id);
    if (member !== null && member !== 'damaged') members.push(member);
  }
  return members;
}

/** Gives null, with nothing locked, where a living run holds one of the locks. */
async function lockAll(records: readonly BatchRecord[]): Promise<readonly Lock[] | null> {
  const paths = records.flatMap(({ folder, files }) => files.map(({ name }) => join(folder, name)));
  const locks: Lock[] = [];
  try {
    for (const path of paths.toSorted()) locks.push(await acquireLock(path, { waitMs: 0 }));
    return locks;
  } catch (error) {
    for (const lock of locks) await lock.release().catch(() => null);
    if (error instanceof InputError) return null;
    throw error;
  }
}

async function redo(members: readonly BatchRecord[]): Promise<Finished> {
  const replaced: string[] = [];
  const kept: string[] = [];
  for (const { folder, files } of members) {
    for (const entry of files) {
      const outcome = await putIntoPlace(folder, entry);
      if (outcome === 'replaced') replaced.push(join(folder, entry.name));
      if (outcome === 'kept') kept.push(join(folder, entry.name));
    }
    // Also what an earlier run has renamed may not have reached the disk yet.
    await syncFolder(folder);
  }
  const [first] = members;
  for (const member of members) await dropRecord(member);
  if (first !== undefined) await dropDecision(first.main, first.id);
  return { replaced, kept };
}

async function putIntoPlace(
  folder: string,
  { name, temp, before, after }: BatchEntry,
): Promise<'replaced' | 'done' | 'kept'> {
  const [file, next] = [join(folder, name), join(stateFolder(folder), temp)];
  const now = await digestAt(file);
  const isWhole = (await digestAt(next)) === after;
  if (now === before && isWhole) {
    const stats = await lstat(file);
    await giveToOwner(stats, next);
    await chmod(next, stats.mode & 0o7777);
    await rename(next, file);
    return 'replaced';
  }
  await rm(next, { force: true });
  return now === after ? 'done' : 'kept';
}

async function undo(record: BatchRecord): Promise<Finished> {
  for (const { temp } of record.files) {
    await rm(join(stateFolder(record.folder), temp), { force: true });
  }
  await dropRecord(record);
  return NOTHING;
}

/** A decision is dropped last of all: without records it is only what a kill has left. */
async function dropEmpty(main: string, id: string): Promise<void> {
  for (const folder of (await readDecision(main, id)) ?? []) {
    if ((await readRecord(folder, id)) !== null) return;
  }
  await dropDecision(main, id);
}

async function digestAt(path: string): Promise<string | null> {
  try {
    return (await lstat(path)).isFile() ? digestOf(await readFile(path)) : null;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}
