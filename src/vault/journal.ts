// The devices of logins under way. An entry is durable before its login request is sent, and is
// dropped when the token is stored or the session is gone: what a killed run leaves behind, the next
// one finds. One file an entry, and never a secret in it.
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.ts';
import { resolveTarget } from './real-path.ts';
import { inStateFolder, leaveStateFolder, listState, syncState, tempName } from './state-folder.ts';
import { stateFolder } from './state-path.ts';
import { storing, systemCode } from './store-error.ts';
import { createSynced, syncFolder } from './sync.ts';

/** One request that may have opened a session. */
export interface JournalEntry {
  /** A name that no other entry has: letters, digits, `-` and `_`. */
  readonly id: string;
  readonly host: string;
  readonly service: string;
  readonly user_id: string;
  readonly device_id: string;
  readonly base_url: string;
  /** The file that the token is for. */
  readonly target: string;
  /** When the request was about to be sent, in milliseconds since the epoch. */
  readonly at: number;
  /** The request was to create the user, as this; not in the entries of logins. */
  readonly created_as?: (typeof KINDS_OF_USERS)[number] | undefined;
}

const KINDS_OF_USERS = ['admin', 'bot', 'user'] as const;

/** What the state folder of a folder knows about logins. */
export interface Journal {
  /** The oldest first. */
  readonly entries: readonly JournalEntry[];
  /** Paths of entries that cannot be read; a person has to look at them. */
  readonly damaged: readonly string[];
}

const ENDING = '.session.json';
const TEXT_FIELDS = [
  'id',
  'host',
  'service',
  'user_id',
  'device_id',
  'base_url',
  'target',
] as const;

/**
 * Makes an entry durable beside the files in `folder`, with every folder that has to be made for it.
 * Only while the lock of its target is held. Throws `StoreError`; then there is no entry.
 */
export async function writeEntry(folder: string, entry: JournalEntry): Promise<void> {
  const name = entryName(entry);
  const state = { replaced: false, now: 'no login may be sent without it' };
  await storing(join(stateFolder(folder), name), state, async () => {
    const path = await resolveTarget(folder);
    await inStateFolder(path, async (state) => {
      const temp = join(state, tempName(entry.target));
      try {
        await createSynced(temp, formatEntry(entry));
        await rename(temp, join(state, name));
        await syncState(path);
      } catch (error) {
        await removeFiles([temp, join(state, name)]);
        throw error;
      }
    });
  });
}

/**
 * Drops an entry, durably, and tidies up behind it; an entry that is not there is no error. Throws
 * `StoreError` where it cannot be removed: the next run will see it again.
 */
export async function dropEntry(folder: string, entry: JournalEntry): Promise<void> {
  const state = { replaced: false, now: 'the next run will see this entry again' };
  await storing(join(stateFolder(folder), entryName(entry)), state, async () => {
    const path = await resolveTarget(folder);
    await rm(join(stateFolder(path), entryName(entry)), { force: true });
    await unlessGone(syncFolder(stateFolder(path)));
    await leaveStateFolder(path);
  });
}

/**
 * Reads all entries beside the files in `folder`; none where there is no state folder. Throws
 * `InputError` with E_FILE where they cannot be read: unknown is not the same as none.
 */
export async function readJournal(folder: string): Promise<Journal> {
  const entries: JournalEntry[] = [];
  const damaged: string[] = [];
  const path = await reading(folder, () => resolveTarget(folder));
  const names = await reading(path, () => listState(path));
  for (const name of names.filter((one) => one.endsWith(ENDING))) {
    const file = join(stateFolder(path), name);
    const text = await reading(file, () => readEntry(file));
    if (text === null) continue;
    const entry = parseEntry(text);
    if (entry !== null && entryName(entry) === name) entries.push(entry);
    else damaged.push(file);
  }
  entries.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  return { entries, damaged };
}

function entryName({ id }: JournalEntry): string {
  if (!/^[A-Za-z0-9_-]{1,100}$/.test(id)) throw new Error('the ID of an entry is no file name');
  return `${id}${ENDING}`;
}

/** Field by field, so that nothing else which the object may carry gets into the file. */
function formatEntry(entry: JournalEntry): string {
  const { id, host, service, user_id, device_id, base_url, target, at, created_as } = entry;
  const fields = { id, host, service, user_id, device_id, base_url, target, at, created_as };
  return `${JSON.stringify(fields, null, 2)}\n`;
}

function parseEntry(text: string): JournalEntry | null {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof fields !== 'object' || fields === null) return null;
  const entry = fields as JournalEntry;
  const whole =
    TEXT_FIELDS.every((key) => typeof entry[key] === 'string') &&
    /^[A-Za-z0-9_-]{1,100}$/.test(entry.id) &&
    Number.isFinite(entry.at) &&
    (entry.created_as === undefined || KINDS_OF_USERS.includes(entry.created_as));
  return whole ? entry : null;
}

/** Gives null where another run has dropped it meanwhile. */
async function readEntry(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

async function reading<T>(file: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    const code = systemCode(error);
    if (code === null) throw error;
    const found = `the journal of sessions at ${file} cannot be read (${code})`;
    throw new InputError({ code: 'E_FILE', found, fix: 'make it readable for this user' });
  }
}

async function removeFiles(paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(path, { force: true }).catch(() => null);
}

async function unlessGone(operation: Promise<void>): Promise<void> {
  try {
    await operation;
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
