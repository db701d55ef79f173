// A file is replaced whole or not at all, and its place on the disk is taken before anything that
// cannot be undone: the temp file is written and synced at full size first, and only overwritten
// when the content is known. A probe would prove nothing, since the disk can fill after it.
import { createHash, randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { lstat, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { giveTo } from './owner.ts';
import { resolveTarget } from './real-path.ts';
import { inStateFolder, leaveStateFolder, tempName } from './state-folder.ts';
import { StoreError, storing, systemCode } from './store-error.ts';
import { syncFolder, writeAll } from './sync.ts';

const NEW_FILE_MODE = 0o600;

/** A place on the disk that is reserved for the new content of a file. */
export interface PreparedFile {
  /** The real path of the file, behind all symbolic links. */
  readonly path: string;
  /** The path of its temp file. */
  readonly temp: string;
  /** Writes the new content to the temp file, durably. Throws `StoreError`. May be called once. */
  fill(text: string): Promise<void>;
  /** Replaces the file by what `fill` has written, as `commit` does. May be called once. */
  replace(): Promise<void>;
  /**
   * Does both: replaces the file by `text`, durably. Throws `StoreError` where that fails; its
   * `replaced` tells which content the file has. May be called once.
   */
  commit(text: string): Promise<void>;
  /** Gives the place back, with the folders made for it. Does nothing after a commit that worked. */
  discard(): Promise<void>;
}

export interface PrepareOptions {
  /** The full size of the new content in bytes. */
  readonly reserve: number;
  /**
   * The content that the new one will be built from, null where there was no file: a file that holds
   * another one by now is refused. Default: whatever is there is taken as it is.
   */
  readonly basedOn?: string | null;
  /** For a new file, default 0600; an existing one keeps its own. */
  readonly mode?: number;
  /** Of the temp file's name, default `tmp`. */
  readonly ending?: 'tmp' | 'next';
  /** Runs when all but the last step is done; what it throws leaves the file as it was. */
  readonly verifyBeforeRename?: () => Promise<void>;
}

interface Old {
  readonly stats: Stats;
  readonly digest: string;
}

interface Draft {
  readonly path: string;
  readonly temp: string;
  readonly file: FileHandle;
  readonly old: Old | null;
}

/**
 * Reserves the room for a new content of `target` (made if it is not there, with its folders), so
 * that storing it later cannot fail for lack of space. Throws `StoreError`, with nothing changed.
 */
export async function prepareFile(target: string, options: PrepareOptions): Promise<PreparedFile> {
  const path = await storing(target, { replaced: false }, () => resolveTarget(target));
  const draft = await storing(path, { replaced: false }, () => openDraft(path, options));
  try {
    await storing(path, { replaced: false }, () => reserve(draft, options));
  } catch (error) {
    await discardDraft(draft);
    throw error;
  }
  let isReplaced = false;
  const prepared: PreparedFile = {
    path,
    temp: draft.temp,
    fill: (text) => fillDraft(draft, text),
    replace: async () => {
      await options.verifyBeforeRename?.();
      await replaceTarget(draft);
      isReplaced = true;
      await leaveStateFolder(dirname(path));
    },
    commit: async (text) => {
      await prepared.fill(text);
      await prepared.replace();
    },
    discard: async () => {
      if (!isReplaced) await discardDraft(draft);
    },
  };
  return prepared;
}

async function openDraft(path: string, { basedOn, ending }: PrepareOptions): Promise<Draft> {
  const old = await readOld(path);
  if (basedOn !== undefined) {
    const expected = basedOn === null ? null : digestOf(Buffer.from(basedOn));
    if (expected !== (old?.digest ?? null)) throw changedError(path);
  }
  const { temp, file } = await inStateFolder(dirname(path), async (state) => {
    const name = join(state, tempName(path, ending));
    return { temp: name, file: await open(name, 'wx', 0o600) };
  });
  return { path, temp, file, old };
}

async function reserve(draft: Draft, options: PrepareOptions): Promise<void> {
  const { file, old } = draft;
  await keepOwner(draft, old?.stats ?? (await ownerOfNew(draft)));
  await file.chmod(old === null ? (options.mode ?? NEW_FILE_MODE) : old.stats.mode & 0o7777);
  // Random, since a file system that compresses would take no place for zeros.
  await writeAll(file, randomBytes(options.reserve));
  await file.sync();
}

async function keepOwner({ path, file }: Draft, owner: Stats): Promise<void> {
  try {
    await giveTo(owner, file);
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'EPERM') throw error;
    const reason = `it belongs to user ${owner.uid} and group ${owner.gid}, which only root can keep`;
    throw new StoreError(path, reason, { code, replaced: false });
  }
}

async function ownerOfNew({ path, file }: Draft): Promise<Stats> {
  return process.geteuid?.() === 0 ? stat(dirname(path)) : file.stat();
}

async function fillDraft({ path, file }: Draft, text: string): Promise<void> {
  const bytes = Buffer.from(text, 'utf8');
  await storing(path, { replaced: false }, async () => {
    await writeAll(file, bytes);
    await file.truncate(bytes.length);
    await file.sync();
    await file.close();
  });
}

async function replaceTarget({ path, temp, old }: Draft): Promise<void> {
  await storing(path, { replaced: false }, async () => {
    if (!isUnchanged(old, await readOld(path))) {
      throw changedError(path);
    }
    await rename(temp, path);
  });
  await storing(path, { replaced: true }, () => syncFolder(dirname(path)));
}

async function discardDraft({ path, temp, file }: Draft): Promise<void> {
  // What cannot be removed now is found by the next run: it knows whose temp file it is.
  await file.close().catch(() => null);
  await rm(temp, { force: true }).catch(() => null);
  await leaveStateFolder(dirname(path));
}

async function readOld(path: string): Promise<Old | null> {
  const stats = await lstat(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  });
  if (stats === null) return null;
  if (!stats.isFile()) {
    throw new StoreError(path, 'it is not a regular file', { code: null, replaced: false });
  }
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return { stats, digest: digestOf(await file.readFile()) };
  } finally {
    await file.close();
  }
}

/** Gives the SHA-256 of a content in hex. */
export function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function changedError(path: string): StoreError {
  const state = { replaced: false, now: 'what somebody else wrote there was left alone' };
  return new StoreError(path, 'it was changed meanwhile', { ...state, code: null });
}

function isUnchanged(one: Old | null, two: Old | null): boolean {
  if (one === null || two === null) return one === two;
  const [a, b] = [one.stats, two.stats];
  return one.digest === two.digest && a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}
