// Several files replaced as one. The next content of each lies durably beside it before the batch is
// decided, by one file that appears at once. Killed before, nothing has happened; killed afterwards,
// the next run puts the rest into place (src/vault/batch-finish.ts), for which it needs no password.
import { randomBytes } from 'node:crypto';
import { access, constants, readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { digestOf, prepareFile, type PreparedFile } from './atomic-file.ts';
import {
  dropDecision,
  dropRecord,
  writeDecision,
  writeRecord,
  type BatchRecord,
} from './batch-record.ts';
import { syncState } from './state-folder.ts';
import { StoreError, storing } from './store-error.ts';

/** One file of a batch, which the caller has locked. */
export interface BatchFile {
  /** Its real path. */
  readonly path: string;
  readonly before: string;
  readonly after: string;
  /** Throws `StoreError` where the lock was taken away. */
  checkLock(): Promise<void>;
}

/** A file that could not be put into place although the batch is decided. */
export interface Unfinished {
  readonly path: string;
  readonly error: StoreError;
}

export interface BatchOptions {
  /** Aborted before the decision, nothing happens. */
  readonly signal: AbortSignal;
}

/**
 * Replaces all files, durably. Gives those that are left for the next run. Throws `StoreError`, or
 * the signal's reason, with nothing changed.
 */
export async function replaceTogether(
  files: readonly BatchFile[],
  { signal }: BatchOptions,
): Promise<readonly Unfinished[]> {
  const drafts: Draft[] = [];
  const records: BatchRecord[] = [];
  try {
    for (const file of files) {
      signal.throwIfAborted();
      drafts.push(await prepareDraft(file));
    }
    records.push(...recordsOf(drafts));
    for (const record of records) await storing(record.folder, UNTOUCHED, () => enroll(record));
    for (const { file } of drafts) await file.checkLock();
    signal.throwIfAborted();
    await storing(files[0]?.path ?? '', UNTOUCHED, () => writeDecision(records));
  } catch (error) {
    await undo(drafts, records);
    throw error;
  }
  const unfinished = await replaceAll(drafts);
  if (unfinished.length === 0) await forget(records);
  return unfinished;
}

const UNTOUCHED = { replaced: false };

interface Draft {
  readonly file: BatchFile;
  readonly prepared: PreparedFile;
}

async function prepareDraft(file: BatchFile): Promise<Draft> {
  const { path, before, after, checkLock } = file;
  // The folder of the temp file may be writable where that of the file is not.
  await storing(path, UNTOUCHED, () => access(dirname(path), constants.W_OK));
  const prepared = await prepareFile(path, {
    reserve: Buffer.byteLength(after),
    basedOn: before,
    ending: 'next',
    verifyBeforeRename: checkLock,
  });
  try {
    await prepared.fill(after);
    await storing(path, UNTOUCHED, () => checkContent(path, prepared, after));
  } catch (error) {
    await prepared.discard();
    throw error;
  }
  return { file, prepared };
}

async function checkContent(path: string, { temp }: PreparedFile, text: string): Promise<void> {
  if (digestOf(await readFile(temp)) === digestOf(Buffer.from(text))) return;
  const reason = 'what was written is not what is read back';
  throw new StoreError(path, reason, { code: null, replaced: false });
}

function recordsOf(drafts: readonly Draft[]): BatchRecord[] {
  const id = randomBytes(16).toString('hex');
  const folders = [...new Set(drafts.map(({ file }) => dirname(file.path)))];
  const main = folders[0] ?? '';
  return folders.map((folder) => ({
    id,
    folder,
    main,
    files: drafts
      .filter(({ file }) => dirname(file.path) === folder)
      .map(({ file, prepared }) => ({
        name: basename(file.path),
        temp: basename(prepared.temp),
        before: digestOf(Buffer.from(file.before)),
        after: digestOf(Buffer.from(file.after)),
      })),
  }));
}

/** The names of the temp files have to last as long as the record does. */
async function enroll(record: BatchRecord): Promise<void> {
  await syncState(record.folder);
  await writeRecord(record);
}

async function undo(drafts: readonly Draft[], records: readonly BatchRecord[]): Promise<void> {
  for (const { prepared } of drafts) await prepared.discard();
  // What stays names temp files that are gone: the next run drops it.
  for (const record of records) await dropRecord(record).catch(() => null);
}

async function replaceAll(drafts: readonly Draft[]): Promise<Unfinished[]> {
  const unfinished: Unfinished[] = [];
  for (const { file, prepared } of drafts) {
    try {
      await prepared.replace();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      unfinished.push({ path: file.path, error });
    }
  }
  return unfinished;
}

/** Records first: without them a decision means nothing. What stays, the next run drops. */
async function forget(records: readonly BatchRecord[]): Promise<void> {
  try {
    for (const record of records) await dropRecord(record);
    const [first] = records;
    if (first !== undefined) await dropDecision(first.main, first.id);
  } catch {
    // Every file is in its place.
  }
}
