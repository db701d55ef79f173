// An operator's folder: an inventory, vars, a vault password; and the built program run in it.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Secret } from '../../src/secret.ts';
import { decryptText, encryptText, keyringOf } from '../../src/vault/keyring.ts';
import type { VaultSecret } from '../../src/vault/keyring.ts';
import { PRELOAD_VARIABLE } from './provision-preload-options.ts';
import type { Preload } from './provision-preload-options.ts';

export const BUNDLE = resolve(import.meta.dirname, '../../matrix-tokens.cjs');
const PRELOAD = pathToFileURL(resolve(import.meta.dirname, 'provision-preload.js')).href;

/** One service of the report, as far as tests look at it. */
export interface ReportedService {
  readonly service: string;
  readonly outcome: string;
  readonly message: string;
  readonly code: string | null;
  readonly hint: string | null;
}

export interface Report {
  readonly services: readonly ReportedService[];
  readonly sessions_left: readonly { readonly device_id: string; readonly message: string }[];
  readonly notes: readonly string[];
  readonly faults: readonly { readonly code: string; readonly found: string }[];
}

export interface Run {
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Default: `provision`. */
  readonly task?: 'provision' | 'rekey';
  readonly preload?: Preload;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the built one. */
  readonly bundle?: string;
  /** A program with its arguments that runs the rest of the command line. */
  readonly wrapper?: readonly string[];
  /** User and group to run as; default: one's own. */
  readonly uid?: number;
  /** Sees the process at once. */
  readonly onStart?: (child: ChildProcess) => void;
}

export interface Project {
  /** A real path. */
  readonly folder: string;
  readonly vaultPassword: string;
  /** Writes a file below the folder, and the folders above it. */
  write(path: string, text: string): Promise<void>;
  read(path: string): Promise<string>;
  /** Gives a value as a vars file has it, encrypted with the project's vault password. */
  sealed(text: string, indent?: number): Promise<string>;
  /** Opens an envelope, indented or not. */
  open(envelope: string): Promise<string>;
  /** Runs a task on inventory.yml with the vault password. */
  run(args?: readonly string[], options?: RunOptions): Promise<Run>;
  /** The paths of all files (with their content) and folders (`null`) below the folder. */
  tree(): ReadonlyMap<string, string | null>;
}

/** What a `TestContext` and a process of its own have in common. */
export interface Cleanup {
  readonly after: (clean: () => unknown) => void;
}

/** Makes a folder that is removed when the test ends. */
export async function makeProject(
  t: Cleanup,
  vaultPassword = 'the vault password of this test',
): Promise<Project> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'matrix-tokens-project-')));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const secret: VaultSecret = { label: 'default', password: new Secret(vaultPassword) };
  const project: Project = {
    folder,
    vaultPassword,
    write: async (path, text) => {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    },
    read: (path) => readFile(join(folder, path), 'utf8'),
    sealed: async (text, indent = 2) => {
      const lines = (await encryptText(text, secret)).trimEnd().split('\n');
      return `!vault |\n${lines.map((line) => `${' '.repeat(indent)}${line}`).join('\n')}`;
    },
    open: (envelope) => {
      const text = envelope.replaceAll(/^ +/gm, '');
      return decryptText(text, keyringOf([secret]), { file: 'test', line: 1, column: 1 });
    },
    run: (args = [], options = {}) => runIn(folder, args, options),
    tree: () => listTree(folder),
  };
  await project.write('vault_pass', `${vaultPassword}\n`);
  return project;
}

/** Reads the report of a run with --json. */
export function reportOf({ stdout }: Run): Report {
  return JSON.parse(stdout) as Report;
}

/** Gives the outcomes of a run with --json, by service. */
export function outcomesOf(run: Run): Readonly<Record<string, string>> {
  return Object.fromEntries(reportOf(run).services.map((one) => [one.service, one.outcome]));
}

async function runIn(folder: string, args: readonly string[], options: RunOptions): Promise<Run> {
  const { task = 'provision', preload, env = {}, uid, bundle = BUNDLE } = options;
  const { wrapper = [], onStart } = options;
  const hooks = preload === undefined ? [] : ['--import', PRELOAD];
  const given = ['-i', 'inventory.yml', '--vault-password-file', 'vault_pass', ...args];
  const whole = [...wrapper, process.execPath, ...hooks, bundle, task, ...given];
  const child = spawn(whole[0] ?? '', whole.slice(1), {
    cwd: folder,
    ...(uid === undefined ? {} : { uid, gid: uid }),
    // Without the operator's own Ansible settings, vault passwords and proxies.
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      ...env,
      [PRELOAD_VARIABLE]: JSON.stringify(preload ?? {}),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onStart?.(child);
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
  const [exitCode, signal] = (await once(child, 'close')) as [number | null, Run['signal']];
  return { exitCode, signal, stdout: stdout(), stderr: stderr() };
}

function textOf(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (data: string) => {
    text += data;
  });
  return () => text;
}

function listTree(folder: string): Map<string, string | null> {
  const found = new Map<string, string | null>();
  const walk = (inside: string): void => {
    for (const name of readdirSync(inside).toSorted()) {
      const path = join(inside, name);
      const isFolder = lstatSync(path).isDirectory();
      found.set(relative(folder, path), isFolder ? null : readFileSync(path, 'latin1'));
      if (isFolder) walk(path);
    }
  };
  walk(folder);
  return found;
}
