// What a power cut leaves: only what was synced counts. A file has the content of its last sync, a
// folder the names of its last sync; whatever stood there at the beginning counts as synced.
import { fstatSync, lstatSync, readFileSync, readdirSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { join } from 'node:path';

/** By path: the content in base64, null for a folder. */
export type Remains = Readonly<Record<string, string | null>>;

export interface Power {
  /** A file or folder was just made: whatever had its inode before is none of its past. */
  made(path: string): void;
  synced(fd: number): void;
  /**
   * `synced`: the least that may be left. `current`: all names are left, and files without what was
   * not synced, as after a journal that saves names first.
   */
  remains(names: 'synced' | 'current'): Remains;
}

/** Inode and how often it was made anew: a number is used again as soon as it is free. */
type Inode = string;

interface Disk {
  readonly generations: Map<string, number>;
  readonly contents: Map<Inode, Buffer>;
  readonly folders: Map<Inode, ReadonlyMap<string, { inode: Inode; isFolder: boolean }>>;
}

/** Watches the folder from now on. */
export function watchPower(root: string): Power {
  const disk: Disk = { generations: new Map(), contents: new Map(), folders: new Map() };
  syncTree(disk, root);
  return {
    made: (path) => {
      const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
      if (stats === undefined) return;
      const number = numberOf(stats);
      disk.generations.set(number, (disk.generations.get(number) ?? 0) + 1);
    },
    synced: (fd) => {
      const path = `/proc/self/fd/${fd}`;
      const stats = fstatSync(fd, { bigint: true });
      if (stats.isDirectory()) disk.folders.set(inodeOf(disk, stats), namesIn(disk, path));
      else disk.contents.set(inodeOf(disk, stats), readFileSync(path));
    },
    remains: (names) => {
      const remains: Record<string, string | null> = {};
      collect(
        disk,
        { names, inode: inodeOf(disk, lstatSync(root, { bigint: true })), path: root },
        remains,
      );
      return remains;
    },
  };
}

function syncTree(disk: Disk, folder: string): void {
  const names = namesIn(disk, folder);
  disk.folders.set(inodeOf(disk, lstatSync(folder, { bigint: true })), names);
  for (const [name, { inode, isFolder }] of names) {
    const path = join(folder, name);
    if (isFolder) syncTree(disk, path);
    else disk.contents.set(inode, readFileSync(path));
  }
}

interface Place {
  readonly names: 'synced' | 'current';
  readonly inode: Inode;
  readonly path: string;
}

function collect(disk: Disk, place: Place, remains: Record<string, string | null>): void {
  const { names, inode, path } = place;
  const entries =
    names === 'current' ? namesIn(disk, path) : (disk.folders.get(inode) ?? new Map());
  for (const [name, entry] of entries) {
    const inside = join(path, name);
    if (entry.isFolder) {
      remains[inside] = null;
      collect(disk, { names, inode: entry.inode, path: inside }, remains);
    } else {
      remains[inside] = (disk.contents.get(entry.inode) ?? Buffer.alloc(0)).toString('base64');
    }
  }
}

function namesIn(disk: Disk, folder: string): Map<string, { inode: Inode; isFolder: boolean }> {
  const entries = readdirSync(folder).map((name) => {
    const stats = lstatSync(join(folder, name), { bigint: true });
    return [name, { inode: inodeOf(disk, stats), isFolder: stats.isDirectory() }] as const;
  });
  return new Map(entries);
}

function inodeOf(disk: Disk, stats: BigIntStats): Inode {
  const number = numberOf(stats);
  return `${number}:${disk.generations.get(number) ?? 0}`;
}

function numberOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}
