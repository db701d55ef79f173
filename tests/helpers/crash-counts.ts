// What a crash may cost, counted: everything here has to be zero when the next run has ended, and the
// first two of them at once.
import { basename, dirname } from 'node:path';
import { isEnvelope } from '../../src/vault/envelope.ts';
import { findLeaks } from './provision-leaks.ts';
import type { Project } from './provision-project.ts';

export interface Counts {
  /** Files and values that the vault password does not open. */
  readonly closed: number;
  /** Values that are gone, tokens that are missing, and stored tokens that do not work. */
  readonly lost: number;
  /** Tokens on the homeserver that no file holds. */
  readonly tokens: number;
  /** Devices on the homeserver that no file names. */
  readonly devices: number;
  /** Temp files, journal entries and empty folders. */
  readonly temp: number;
  readonly locks: number;
  /** Secrets in clear in a file. */
  readonly clear: number;
  /** Sentences of a run that went on that are not true. */
  readonly untrue: number;
}

export const NONE: Counts = {
  closed: 0,
  lost: 0,
  tokens: 0,
  devices: 0,
  temp: 0,
  locks: 0,
  clear: 0,
  untrue: 0,
};

export type Tree = ReadonlyMap<string, string | null>;

/** What the files of a project hold, as an operator with the vault password sees it. */
export interface Contents {
  /** By name, in whatever file they stand. */
  readonly values: ReadonlyMap<string, string>;
  /** How many files and values do not open. */
  readonly closed: number;
}

const INLINE = /^ *(\w+): !vault \|\r?\n((?: +\S+\r?(?:\n|$))+)/gm;
const PLAIN = /^(\w+): !unsafe ["']?(.*?)["']?$/gm;

/** Reads all vars files, with what they hold opened. Envelopes that were opened once are known. */
export function createReader(project: Project): (tree: Tree) => Promise<Contents> {
  const opened = new Map<string, string | null>();
  const open = async (envelope: string): Promise<string | null> => {
    const known = opened.get(envelope);
    if (known !== undefined) return known;
    const text = await project.open(envelope).catch(() => null);
    opened.set(envelope, text);
    return text;
  };
  return async (tree) => {
    const values = new Map<string, string>();
    let closed = 0;
    for (const [path, content] of tree) {
      if (content === null || !path.endsWith('.yml') || isState(path)) continue;
      const text = isEnvelope(content) ? await open(content) : content;
      if (text === null) closed += 1;
      for (const [, name = '', envelope = ''] of (text ?? '').matchAll(INLINE)) {
        const value = await open(envelope);
        if (value === null) closed += 1;
        else values.set(name, value);
      }
      for (const [, name = '', value = ''] of (text ?? '').matchAll(PLAIN)) values.set(name, value);
    }
    return { values, closed };
  };
}

/** Counts the lines of files and the values that were there before and are not any more. */
export async function countMissing(
  read: (tree: Tree) => Promise<Contents>,
  before: Tree,
  after: Tree,
): Promise<number> {
  let missing = 0;
  for (const [path, content] of before) {
    if (isState(path) || content === null) continue;
    const now = after.get(path);
    // A whole-file vault changes as a whole: its values are compared below.
    if (typeof now !== 'string') missing += 1;
    else if (!isEnvelope(content) && !holdsLinesOf(now, content)) missing += 1;
  }
  const [old, present] = [await read(before), await read(after)];
  for (const [name, value] of old.values) if (present.values.get(name) !== value) missing += 1;
  return missing;
}

/** All lines of the old text stand in the new one, in their order. */
function holdsLinesOf(text: string, old: string): boolean {
  const lines = text.split('\n')[Symbol.iterator]();
  return old.split('\n').every((line) => {
    for (let next = lines.next(); next.done !== true; next = lines.next()) {
      if (next.value === line) return true;
    }
    return false;
  });
}

/** Counts what is left of a run: files of ours that are no results, and folders without any. */
export function countLeft(before: Tree, after: Tree): Pick<Counts, 'temp' | 'locks'> {
  const added = [...after.keys()].filter((path) => !before.has(path) || isState(path));
  const locks = added.filter((path) => /\.(?:lock|guard)$/.test(path)).length;
  const state = added.filter((path) => isState(path) || basename(path) === '.matrix-tokens').length;
  return { locks, temp: state - locks + countEmpty(before, after) };
}

/** Counts new folders with nothing in them: one of a host's name would hide that host's file. */
export function countEmpty(before: Tree, after: Tree): number {
  const paths = [...after.keys()];
  return paths.filter((path) => {
    const isNew = after.get(path) === null && !before.has(path) && !isState(path);
    return isNew && !paths.some((one) => dirname(one) === path);
  }).length;
}

/** Counts secrets that stand in some file in clear. */
export function countClear(tree: Tree, secrets: readonly string[]): number {
  const files = [...tree].filter(([path]) => path !== 'vault_pass');
  const places = Object.fromEntries(files.map(([path, content]) => [path, content ?? '']));
  return findLeaks(Object.fromEntries(secrets.map((one, index) => [index, one])), places).length;
}

/** Adds counts up. */
export function addCounts(one: Counts, two: Counts): Counts {
  const names = Object.keys(NONE) as (keyof Counts)[];
  return Object.fromEntries(names.map((name) => [name, one[name] + two[name]])) as never;
}

/** True if nothing was counted. */
export function isNone(counts: Counts): boolean {
  return Object.values(counts).every((count) => count === 0);
}

function isState(path: string): boolean {
  return path.split('/').includes('.matrix-tokens') && basename(path) !== '.matrix-tokens';
}
