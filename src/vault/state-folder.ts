// `.matrix-tokens/`: a folder beside the files that a run writes, for locks, journal entries and
// temp files, kept out of git by a `.gitignore` of its own. It exists only while something is in it.
// Runs come and go without a lock on it: who creates something tries again when another run has just
// removed the folder; who leaves takes away only what is empty, and puts back what was too much.
import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import {
  isAnnouncement,
  readAnnouncement,
  topOf,
  writeAnnouncement,
  type Folders,
} from './announcement.ts';
import { isFolder, listFolder, removeEmpty, unlessGone } from './folders.ts';
import { giveToOwnerOf } from './owner.ts';
import { systemCode } from './store-error.ts';
import { stateFolder } from './state-path.ts';
import { syncFolder } from './sync.ts';

const IGNORE = '.gitignore';

/** An empty file that says how many folders above the state folder were made for it. */
const MADE = /^\.made-(\d{1,3})$/;

/** Folders that this process has made; of several that come and go, the last one takes them along. */
const made = new Set<string>();

/** More than enough for any number of runs that come and go at once. */
const MOST_TRIES = 1000;

/** Longer names of files are hashed, so that there is room for the endings. */
const LONGEST_NAME = 150;

/** Gives the beginning of the names of all state files that belong to the file at `target`. */
export function stateName(target: string): string {
  const name = basename(target);
  if (Buffer.byteLength(name) <= LONGEST_NAME) return name;
  return createHash('sha256').update(name).digest('hex').slice(0, 32);
}

/**
 * Gives a new name for a temp file that belongs to the file at `target`. A dead run's `tmp` is worth
 * nothing; its `next` may be what a batch of files still lacks.
 */
export function tempName(target: string, ending: 'tmp' | 'next' = 'tmp'): string {
  return `${stateName(target)}.${randomBytes(16).toString('hex')}.${ending}`;
}

/**
 * Lets `make` create something in the state folder of `folder`, making that and whatever folder is
 * missing above it: 0700, each synced in its parent. `make` is called again where the folder has
 * vanished meanwhile. Where it fails nothing is left behind, and its error is thrown.
 */
export async function inStateFolder<T>(
  folder: string,
  make: (state: string) => Promise<T>,
): Promise<T> {
  const state = stateFolder(folder);
  for (let tries = 1; ; tries += 1) {
    try {
      await makeMarked(folder);
      const result = await make(state);
      // A run that left at this moment may have taken the marks along.
      await writeMarks(state, countLevels(state)).catch(() => null);
      return result;
    } catch (error) {
      if (systemCode(error) === 'ENOENT' && tries < MOST_TRIES) continue;
      await leaveStateFolder(folder, countLevels(state));
      throw error;
    }
  }
}

/**
 * Removes the state folder of `folder` if nothing is left in it, and then the folders above that
 * were made for it (or `levels` of them, if that is more), as far as they are empty. What cannot be
 * removed stays: no error.
 */
export async function leaveStateFolder(folder: string, levels = 0): Promise<void> {
  let known = levels;
  try {
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const names = (await listFolder(stateFolder(folder))) ?? [];
      known = Math.max(known, countMade(names));
      if (await tryLeave(folder, names, known)) return;
    }
  } catch {
    // Tidying up decides nothing.
  }
}

/** Removes folders that a killed run had made, or was about to remove, below `folder`. */
export async function removeAnnounced(folder: string): Promise<void> {
  for (const name of (await listState(folder)).filter(isAnnouncement)) {
    const path = join(stateFolder(folder), name);
    const found = await readAnnouncement(folder, path);
    if (found !== null) await leaveStateFolder(found.folder, found.levels);
    await rm(path, { force: true });
  }
}

/** Syncs the state folder of `folder`, and each folder that was made for it in its parent. */
export async function syncState(folder: string): Promise<void> {
  const state = stateFolder(folder);
  const levels = countMade((await listFolder(state)) ?? []);
  let path = state;
  for (let left = levels + 1; left >= 0; left -= 1) {
    await syncFolder(path);
    path = dirname(path);
  }
}

/** Gives the names in the state folder of `folder` that mean something; none if it is not there. */
export async function listState(folder: string): Promise<string[]> {
  const names = (await listFolder(stateFolder(folder))) ?? [];
  return names.filter((name) => !isMark(name)).sort();
}

/**
 * Gives false where another run came in between. What is known about the folders above must not get
 * lost then: either it is left in a mark, or the next try still knows it.
 */
async function tryLeave(folder: string, names: readonly string[], known: number): Promise<boolean> {
  const state = stateFolder(folder);
  if (!names.every(isMark)) return (await unlessGone(writeMarks(state, known))) !== 'gone';
  const remove = async (): Promise<boolean> => {
    for (const name of names) await rm(join(state, name), { force: true });
    return (await removeEmpty(state)) && removeAbove(state, known);
  };
  if (known === 0 || !(await holdsOnly(folder, basename(state)))) return remove();
  // Where nothing can be written any more it is removed all the same.
  return whileAnnounced({ top: topOf(folder, known), folder }, remove).catch(remove);
}

/** Makes the state folder with its marks, and whatever is missing above it. */
async function makeMarked(folder: string): Promise<void> {
  const state = stateFolder(folder);
  const make = async (): Promise<void> => {
    await makeFolders(state);
    await writeMarks(state, countLevels(state));
  };
  const top = await findMissing(folder);
  if (top === null) return make();
  await whileAnnounced({ top, folder }, async (stateAbove) => {
    await make();
    // What is known of the folders above would go with their state folder.
    const known = countMade((await listFolder(stateAbove)) ?? []);
    if (known > 0) await writeMarks(state, known + countBetween(dirname(stateAbove), folder));
  });
}

/** Gives the topmost folder that is missing, null where there is none. */
async function findMissing(folder: string): Promise<string | null> {
  if (await isFolder(folder)) return null;
  return (await findMissing(dirname(folder))) ?? folder;
}

/** Leaves word of the folders above them while they are made or removed. */
async function whileAnnounced<T>(
  folders: Folders,
  work: (state: string) => Promise<T>,
): Promise<T> {
  const above = dirname(folders.top);
  const result = await inStateFolder(above, async (state) => {
    const path = await writeAnnouncement(state, folders);
    try {
      return await work(state);
    } finally {
      await rm(path, { force: true });
    }
  });
  await leaveStateFolder(above);
  return result;
}

/** True for a folder in which there is nothing but this, if that. */
async function holdsOnly(folder: string, name: string): Promise<boolean> {
  return (await listFolder(folder))?.every((one) => one === name) ?? false;
}

/** Notes each folder that it had to make, also where it fails in the end. */
async function makeFolders(path: string): Promise<void> {
  if (await isFolder(path)) return;
  const parent = dirname(path);
  await makeFolders(parent);
  try {
    await mkdir(path, 0o700);
  } catch (error) {
    // Whoever made it meanwhile may have removed it as well: then the next step finds out.
    if (systemCode(error) !== 'EEXIST') throw error;
    return;
  }
  made.add(path);
  await giveToOwnerOf(parent, path);
  await syncFolder(parent);
}

/** How many folders above `state` there are up to the topmost one that this process has made. */
function countLevels(state: string): number {
  const above = [...made].filter((path) => state.startsWith(`${path}${sep}`));
  return Math.max(0, ...above.map((path) => countBetween(path, state)));
}

/** How many folders down `below` is from `above`. */
function countBetween(above: string, below: string): number {
  return relative(above, below).split(sep).length;
}

/** A later run reads how many folders were made, and can remove them after a kill. */
async function writeMarks(state: string, levels: number): Promise<void> {
  // A killed run may have left it empty.
  const size = await lstat(join(state, IGNORE)).then(
    (stats) => stats.size,
    () => 0,
  );
  if (size === 0) await writeMark(state, IGNORE, '*\n');
  if (levels > 0) await writeMark(state, `.made-${levels}`, '');
}

async function writeMark(state: string, name: string, text: string): Promise<void> {
  const path = join(state, name);
  await writeFile(path, text, { mode: 0o600 });
  await giveToOwnerOf(state, path);
}

function isMark(name: string): boolean {
  return name === IGNORE || MADE.test(name);
}

function countMade(names: readonly string[]): number {
  return Math.max(0, ...names.map((name) => Number(MADE.exec(name)?.[1] ?? 0)));
}

/** Gives false where nothing but another run's new folders are in the way. */
async function removeAbove(state: string, levels: number): Promise<boolean> {
  let below = state;
  for (let left = levels; left > 0; left -= 1) {
    const path = dirname(below);
    if (!(await removeEmpty(path))) {
      const names = (await listFolder(path)) ?? [];
      const inside = stateFolder(path);
      const isAnother = below !== inside && names.includes(basename(inside));
      // A run that has come there is told, and goes on from there when it leaves.
      if (isAnother) return (await unlessGone(writeMarks(inside, left))) !== 'gone';
      return names.some((name) => name !== basename(below));
    }
    made.delete(path);
    below = path;
  }
  return true;
}
