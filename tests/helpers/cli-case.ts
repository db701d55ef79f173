// Everything that one case of tests/cli has: its folder, its values, its homeservers, what its
// commands printed.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Homeserver } from '../../scripts/homeserver/homeserver.ts';
import type { Tree } from './cli-tree.ts';
import type { Finished, Started } from './cli-process.ts';

/** The bundle, as it is installed. */
const BUNDLE = resolve(import.meta.dirname, '../../../dist/matrix-tokens.cjs');

export interface Case {
  /** Holds `work`, where commands run, and what a user has beside it: `home`, `tmp`, `bin`. */
  readonly folder: string;
  readonly work: string;
  readonly env: Record<string, string>;
  /** What `$NAME` stands for. */
  readonly values: Map<string, string>;
  /** Must never be seen in any output, by name. */
  readonly secrets: Map<string, string>;
  readonly homeservers: Map<string, Homeserver>;
  /** Trees that `snapshot` took, by path. */
  readonly snapshots: Map<string, Tree>;
  /** Files that the case wrote itself, relative to `work`: those may hold secrets in clear. */
  readonly written: Set<string>;
  /** Everything that every process printed. */
  readonly printed: string[];
  /** What is told when the case fails. */
  readonly transcript: string[];
  /** What the terminal of the next `terminal` is given to type. */
  readonly typed: string[];
  last: Finished | null;
  running: Started | null;
  /** Run as somebody who may write only to the folders of the case. */
  user: { readonly uid: number; readonly gid: number } | null;
}

/** Makes a case in a new folder. */
export function openCase(): Case {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'matrix-tokens-cli-')));
  const work = join(folder, 'work');
  for (const name of ['work', 'home', 'tmp', 'bin']) mkdirSync(join(folder, name));
  symlinkSync(BUNDLE, join(folder, 'bin/matrix-tokens'));
  return {
    folder,
    work,
    env: {
      PATH: [join(folder, 'bin'), dirname(process.execPath), '/usr/bin', '/bin'].join(':'),
      HOME: join(folder, 'home'),
      TMPDIR: join(folder, 'tmp'),
      LC_ALL: 'C.UTF-8',
    },
    values: new Map([['WORK', work]]),
    secrets: new Map(),
    homeservers: new Map(),
    snapshots: new Map(),
    written: new Set(),
    printed: [],
    transcript: [],
    typed: [],
    last: null,
    running: null,
    user: null,
  };
}

/** Ends what the case started and removes its folder. */
export async function closeCase(one: Case): Promise<void> {
  one.running?.kill('SIGKILL');
  for (const homeserver of one.homeservers.values()) await homeserver.stop().catch(() => null);
  rmSync(one.folder, { recursive: true, force: true });
}
