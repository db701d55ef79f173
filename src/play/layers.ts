// In a play nobody lists the layers of a host: only the winning value of a variable is known, and, as
// a rule, where it stands. That is enough to tell whether a file would win over it.
import { closeSync, openSync, readSync } from 'node:fs';
import { isAbsolute, relative, sep } from 'node:path';
import type { Layer, LayerKind } from '../ansible/layer.ts';
import type { PlayVariable } from '../ansible/play-variables.ts';
import { showPath } from '../ansible/text-file.ts';
import { scalarText } from '../yaml/node.ts';
import { calledPath, type PlayFolders } from './folders.ts';

const MARK = '$ANSIBLE_VAULT';

const ENDING = /\.(?:yml|yaml|json)$/;

const ORDER: readonly LayerKind[] = [
  'default',
  'inventory',
  'group_vars',
  'host_vars',
  'play',
  'extra',
  'magic',
  'unknown',
];

/** Gives the layer of one variable. */
export function layerOf({ entry, origin }: PlayVariable, play: PlayFolders): Layer {
  const path = origin !== null && isAbsolute(origin) ? calledPath(origin, play) : null;
  return {
    kind: kindOf(path ?? origin, play),
    file: path === null ? entry.at.file : showPath(path, play.cwd),
    path,
    of: play.host,
    vars: new Map([[scalarText(entry.key), entry]]),
    encrypted: path !== null && isEncrypted(path),
  };
}

/** Gives what a file is to a host, as far as its path tells. */
export function kindOf(origin: string | null, { host, folders, sources }: PlayFolders): LayerKind {
  if (origin === null) return 'unknown';
  if (!isAbsolute(origin)) return origin.includes('-e') ? 'extra' : 'unknown';
  for (const folder of folders) {
    const [kind = '', name = ''] = relative(folder, origin).split(sep);
    if (kind === 'group_vars') return 'group_vars';
    if (kind === 'host_vars' && name.replace(ENDING, '') === host) return 'host_vars';
  }
  if (sources.some((source) => isAt(origin, source))) return 'inventory';
  // A role has its defaults in the folder of this name.
  return origin.split(sep).slice(0, -1).includes('defaults') ? 'default' : 'play';
}

/** Gives a number that is greater for what wins. */
export function compareLayers(a: Layer, b: Layer, { folders }: PlayFolders): number {
  const byKind = ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind);
  if (byKind !== 0 || a.path === null || b.path === null) return byKind;
  const [one, two] = [a.path, b.path];
  const folderOf = (path: string): number =>
    folders.findIndex((folder) => /^(?:host|group)_vars\b/.test(relative(folder, path)));
  return folderOf(one) - folderOf(two) || comparePaths(one, two);
}

/** Files of one folder are loaded in the order of their names, a folder in the place of its name. */
function comparePaths(one: string, two: string): number {
  const [a, b] = [one.split(sep), two.split(sep)];
  const index = a.findIndex((part, i) => part !== b[i]);
  return index === -1
    ? 0
    : Buffer.compare(Buffer.from(a[index] ?? ''), Buffer.from(b[index] ?? ''));
}

function isAt(file: string, source: string): boolean {
  const inside = relative(source, file);
  return inside === '' || (!inside.startsWith('..') && !isAbsolute(inside));
}

/** Ansible opens whole-file vaults by itself: what stands in one is a secret all the same. */
function isEncrypted(path: string): boolean {
  const head = Buffer.alloc(MARK.length);
  try {
    const file = openSync(path, 'r');
    try {
      return readSync(file, head) === head.length && head.toString('latin1') === MARK;
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}
