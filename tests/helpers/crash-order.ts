// The order of syncs, asserted from the system calls of a run: what is durable at which moment. A
// file's content is durable when nothing was written to it since its last fsync; a name is durable
// when its folder was synced since the name came into it.
import { dirname } from 'node:path';

interface Disk {
  /** Files with content that was not synced. */
  readonly dirty: Set<string>;
  /** Names that were made and whose folder was not synced since. */
  readonly unsynced: Set<string>;
  /** Journal entries, and whether a login was sent with them. */
  readonly entries: Map<string, 'new' | 'used'>;
}

const ENTRY = /\.session\.json$/;

/**
 * Gives what is wrong with the order of a run that logs in and stores `target`: a login whose journal
 * entry was not durable, or had been used before; a file that got its name before its content was
 * durable; an entry that was dropped before the file was durable.
 */
export function findOrderFaults(calls: readonly string[], target: string): string[] {
  const disk: Disk = { dirty: new Set(), unsynced: new Set(), entries: new Map() };
  const faults: string[] = [];
  let stored = 0;
  for (const [index, call] of calls.entries()) {
    const [verb = '', path = '', to = ''] = call.split(' ');
    const check = (isRight: boolean, what: string): void => {
      if (!isRight) faults.push(`call ${index + 1}, ${call}: ${what}`);
    };
    if (call.startsWith('send POST ') && call.endsWith('/login')) checkLogin(disk, check);
    if (verb === 'rename' && to === target)
      check(!disk.dirty.has(path), 'its content is not synced');
    if (verb === 'rename' && to === target) stored += 1;
    if (verb === 'unlink' && ENTRY.test(path) && stored > 0) {
      check(isDurable(disk, target), 'the entry is dropped, and the file is not durable');
    }
    apply(disk, verb, path, to);
  }
  if (stored === 0) faults.push(`nothing was stored in ${target}`);
  return faults;
}

function checkLogin(disk: Disk, check: (isRight: boolean, what: string) => void): void {
  const fresh = [...disk.entries].filter(([, use]) => use === 'new').map(([path]) => path);
  check(fresh.length === 1, `${fresh.length} journal entries are there for it`);
  for (const entry of fresh) {
    check(isDurable(disk, entry), 'its journal entry is not durable');
    disk.entries.set(entry, 'used');
  }
}

function apply(disk: Disk, verb: string, path: string, to: string): void {
  const { dirty, unsynced, entries } = disk;
  if (verb === 'create' || verb === 'mkdir') unsynced.add(path);
  if (verb === 'create' || verb === 'write' || verb === 'ftruncate') dirty.add(path);
  if (verb === 'fsync') sync(disk, path);
  if (verb === 'rename' || verb === 'link') {
    if (dirty.has(path)) dirty.add(to);
    else dirty.delete(to);
    unsynced.add(to);
    if (ENTRY.test(to)) entries.set(to, 'new');
  }
  if (verb === 'rename' || verb === 'unlink' || verb === 'rmdir') {
    dirty.delete(path);
    unsynced.delete(path);
    entries.delete(path);
  }
}

/** Of a folder, its names; of a file, its content. */
function sync({ dirty, unsynced }: Disk, path: string): void {
  dirty.delete(path);
  for (const name of unsynced) if (dirname(name) === path) unsynced.delete(name);
}

/** The content, the name, and the names of all folders above it. */
function isDurable({ dirty, unsynced }: Disk, path: string): boolean {
  if (dirty.has(path)) return false;
  for (let name = path; name !== '.'; name = dirname(name)) if (unsynced.has(name)) return false;
  return true;
}
