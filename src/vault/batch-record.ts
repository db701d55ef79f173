// What a batch writes down before it touches a file. Beside the files of each folder stands a record
// that names their temp files; in one of the folders stands the decision. Without a decision nothing
// has happened yet; with one, everything will. Neither holds a secret: the digests are of encrypted
// files.
import { readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { inStateFolder, leaveStateFolder, listState, syncState, tempName } from './state-folder.ts';
import { stateFolder } from './state-path.ts';
import { systemCode } from './store-error.ts';
import { createSynced, syncFolder } from './sync.ts';

/** One file of a batch. */
export interface BatchEntry {
  /** Its name in the folder of the record. */
  readonly name: string;
  /** The name of the temp file with its next content, in the state folder. */
  readonly temp: string;
  /** SHA-256 of the content that is replaced, and of the one that replaces it. */
  readonly before: string;
  readonly after: string;
}

/** What a batch does in one folder. */
export interface BatchRecord {
  readonly id: string;
  readonly folder: string;
  /** The folder that holds the decision. */
  readonly main: string;
  readonly files: readonly BatchEntry[];
}

/** What stands in the state folder of a folder. */
export interface BatchState {
  readonly records: readonly BatchRecord[];
  /** IDs of decisions. */
  readonly decisions: readonly string[];
  /** Paths of records that cannot be read. */
  readonly damaged: readonly string[];
}

const RECORD = /^([0-9a-f]{32})\.batch\.json$/;
const DECISION = /^([0-9a-f]{32})\.decided\.json$/;
const TEMP = /^[^/]+\.[0-9a-f]{32}\.next$/;
const DIGEST = /^[0-9a-f]{64}$/;

/** Makes a record durable. Throws a system error; then there is none. */
export async function writeRecord(record: BatchRecord): Promise<void> {
  const { id, folder, files } = record;
  const main = relative(folder, record.main);
  const fields = { version: 1, id, main, files: files.map(fieldsOf) };
  await writeState(folder, `${id}.batch.json`, { fields, target: files[0]?.name ?? '' });
}

/**
 * Makes the decision durable, in the folder of the first record: from now on the batch counts as
 * done. Throws a system error; then there is none, unless it cannot be removed either.
 */
export async function writeDecision(records: readonly BatchRecord[]): Promise<void> {
  const [first] = records;
  if (first === undefined) return;
  const { id, main, files } = first;
  const folders = records.map(({ folder }) => relative(main, folder));
  const fields = { version: 1, id, folders };
  await writeState(main, `${id}.decided.json`, { fields, target: files[0]?.name ?? '' });
}

/** Reads what batches have left in a folder. Throws a system error. */
export async function readBatches(folder: string): Promise<BatchState> {
  const records: BatchRecord[] = [];
  const decisions: string[] = [];
  const damaged: string[] = [];
  for (const name of await listState(folder)) {
    const decision = DECISION.exec(name)?.[1];
    if (decision !== undefined) decisions.push(decision);
    const id = RECORD.exec(name)?.[1];
    if (id === undefined) continue;
    const record = await readRecord(folder, id);
    if (record === 'damaged') damaged.push(join(stateFolder(folder), name));
    else if (record !== null) records.push(record);
  }
  return { records, decisions, damaged };
}

/** Gives null where there is none. Throws a system error. */
export async function readRecord(
  folder: string,
  id: string,
): Promise<BatchRecord | 'damaged' | null> {
  const fields = await readState(folder, `${id}.batch.json`);
  if (fields === null) return null;
  const { main, files } = fields;
  if (fields['id'] !== id || typeof main !== 'string' || !Array.isArray(files)) return 'damaged';
  const entries = files.filter(isEntry);
  if (entries.length === 0 || entries.length < files.length) return 'damaged';
  return { id, folder, main: resolve(folder, main), files: entries.map(fieldsOf) };
}

/** Gives the folders of a decided batch; null where nothing was decided. Throws a system error. */
export async function readDecision(main: string, id: string): Promise<readonly string[] | null> {
  const fields = await readState(main, `${id}.decided.json`);
  if (fields === null) return null;
  const folders: readonly unknown[] = Array.isArray(fields['folders']) ? fields['folders'] : [];
  return folders.flatMap((one) => (typeof one === 'string' ? [resolve(main, one)] : []));
}

/** Drops a record, durably. Throws a system error. */
export function dropRecord({ folder, id }: Pick<BatchRecord, 'folder' | 'id'>): Promise<void> {
  return dropState(folder, `${id}.batch.json`);
}

/** Drops a decision, durably. Throws a system error. */
export function dropDecision(main: string, id: string): Promise<void> {
  return dropState(main, `${id}.decided.json`);
}

/** Field by field, so that nothing else which the object may carry gets into the file. */
function fieldsOf({ name, temp, before, after }: BatchEntry): BatchEntry {
  return { name, temp, before, after };
}

function isEntry(value: unknown): value is BatchEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { name, temp, before, after } = value as Record<keyof BatchEntry, unknown>;
  const isName = typeof name === 'string' && name !== '' && basename(name) === name;
  const isTemp = typeof temp === 'string' && TEMP.test(temp);
  return isName && isTemp && [before, after].every((one) => DIGEST.test(String(one)));
}

async function writeState(
  folder: string,
  name: string,
  { fields, target }: { readonly fields: object; readonly target: string },
): Promise<void> {
  await inStateFolder(folder, async (state) => {
    const temp = join(state, tempName(target));
    try {
      await createSynced(temp, `${JSON.stringify(fields, null, 2)}\n`);
      await rename(temp, join(state, name));
      await syncState(folder);
    } catch (error) {
      await rm(temp, { force: true }).catch(() => null);
      await rm(join(state, name), { force: true }).catch(() => null);
      throw error;
    }
  });
}

async function readState(folder: string, name: string): Promise<Record<string, unknown> | null> {
  let text: string;
  try {
    text = await readFile(join(stateFolder(folder), name), 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const fields: unknown = JSON.parse(text);
    return typeof fields === 'object' && fields !== null ? { ...fields } : {};
  } catch {
    return {};
  }
}

async function dropState(folder: string, name: string): Promise<void> {
  const path = join(stateFolder(folder), name);
  try {
    await rm(path, { force: true });
    await syncFolder(dirname(path));
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  await leaveStateFolder(folder);
}
