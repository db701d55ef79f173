// A run whose system calls are watched one by one, and that is ended, or refused, at one of them
// (watch_calls.py). With one thread for files the order of the calls is the same in every run.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { PYTHON_COMMANDS } from '../../scripts/python-versions.ts';
import type { Project, Run, RunOptions } from './provision-project.ts';

/** What happens at the call: a signal, or an error in its place; `none`: nothing but `before`. */
export type Blow = 'SIGKILL' | 'SIGINT' | 'none' | keyof typeof constants.errno;

export interface Watch {
  /** Which calls are counted, by their names; default: all that touch the disk or the network. */
  readonly match?: RegExp;
  /** At which of them it happens, counted from 1; default: at none. */
  readonly at?: number;
  /** Default: SIGKILL. */
  readonly blow?: Blow;
  /** The error comes at every counted call from there on. */
  readonly onwards?: boolean;
  /** A program with its arguments that runs while the call waits. */
  readonly before?: readonly string[];
}

export interface Watched {
  readonly run: Run;
  /** The name of the call at which it happened; null where the run ended before. */
  readonly point: string | null;
  /** The names of all calls, in their order. */
  readonly calls: readonly string[];
}

/** Calls that change the disk, and all that use the network. */
export const EFFECTS = /^(?!(?:access|close|list|open|read|readlink|stat) |print$)|^close$/;

const WATCHER = resolve(import.meta.dirname, '../../../tests/helpers/watch_calls.py');
const PROBE = 'import sys; assert sys.version_info >= (3, 9); print(sys.executable)';

/** One thread for files: then what follows what is the same in every run. */
const IN_ORDER = { UV_THREADPOOL_SIZE: '1', UV_USE_IO_URING: '0' };

let python: Promise<string | null> | null = null;

/** Gives false where calls can be watched, else the reason for skipping (in CI: false, too). */
export async function watchSkip(): Promise<string | false> {
  const reason = await watchObstacle();
  return process.env['CI'] === 'true' ? false : reason;
}

async function watchObstacle(): Promise<string | false> {
  python ??= findPython();
  const command = await python;
  if (command === null) return `no Python 3.9 or newer (looked for ${PYTHON_COMMANDS.join(', ')})`;
  const settings = JSON.stringify({ root: '/nowhere' });
  return promisify(execFile)(command, ['-I', WATCHER, settings, 'true']).then(
    () => false,
    () => 'this system lets nobody watch system calls (seccomp on Linux 5.8 or newer)',
  );
}

async function findPython(): Promise<string | null> {
  for (const command of PYTHON_COMMANDS) {
    const { stdout } = await promisify(execFile)(command, ['-I', '-c', PROBE]).catch(() => {
      return { stdout: '' };
    });
    if (stdout !== '') return stdout.trim();
  }
  return null;
}

/** Runs a task and watches it. */
export async function watchRun(
  project: Project,
  watch: Watch,
  args: readonly string[] = [],
  options: Pick<RunOptions, 'preload' | 'task'> = {},
): Promise<Watched> {
  python ??= findPython();
  const command = await python;
  if (command === null) throw new Error('no Python');
  const folder = await mkdtemp(join(tmpdir(), 'matrix-tokens-watch-'));
  try {
    const [record, died] = [join(folder, 'record'), join(folder, 'died')];
    const settings = JSON.stringify({ ...settingsOf(watch), root: project.folder, record, died });
    const wrapper = [command, '-I', '-S', WATCHER, settings];
    const run = await project.run(args, { ...options, wrapper, env: IN_ORDER });
    const point = await readFile(died, 'utf8').catch(() => null);
    const calls = (await readFile(record, 'utf8')).split('\n').slice(0, -1);
    return { run, point, calls };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function settingsOf({ match, at, blow = 'SIGKILL', onwards = false, before }: Watch): object {
  return {
    match: match?.source ?? '',
    at,
    do: numberOrName(blow),
    onwards,
    before,
  };
}

function numberOrName(blow: Blow): string | number {
  if (blow === 'none') return 0;
  return blow === 'SIGKILL' || blow === 'SIGINT' ? blow : constants.errno[blow];
}

/** A name without what is random in it, so that two runs can be compared. */
export function withoutNonces(name: string): string {
  return name.replaceAll(/\b[0-9a-f]{16,}\b/g, 'NONCE');
}
