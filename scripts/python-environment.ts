// Virtual environments for the tests: one with ansible-core, one with Synapse, under the user's
// cache folder. Their names hold the versions of the package and of Python, so that a change of
// either makes a new one; each is whole or counts as not there (scripts/make_environment.py).
import { execFile } from 'node:child_process';
import { access, constants, readFile, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { PYTHON_COMMANDS } from './python-versions.ts';
import type { PythonPackage } from './python-versions.ts';

export type PythonEnvironment =
  | { readonly kind: 'ready'; readonly folder: string }
  | { readonly kind: 'missing'; readonly reason: string };

export interface EnvironmentOptions {
  /** Best first; the first that a Python at hand can run is taken. */
  readonly versions: readonly PythonPackage[];
  /** The environment of the process: PATH, HOME, XDG_CACHE_HOME and pip's own settings count. */
  readonly env: NodeJS.ProcessEnv;
  /** Told in one line what is made and how long it takes, only if something is made. */
  readonly log?: (line: string) => void;
}

interface Python {
  readonly command: string;
  /** Full version, such as 3.11.7. */
  readonly version: string;
  readonly minor: number;
}

interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const MARKER = 'matrix-tokens-complete';
const SCRIPT = resolve(import.meta.dirname, '../../scripts/make_environment.py');
const PROBE = 'import sys, platform, ensurepip, venv; print(platform.python_version())';

/**
 * Gives a virtual environment with one of the wanted versions and makes it if it is not there.
 * Where Python, its venv module or the package index is missing, the reason says which.
 */
export async function pythonEnvironment(options: EnvironmentOptions): Promise<PythonEnvironment> {
  const onPath = await findPythons(PYTHON_COMMANDS, options.env);
  const others = await pyenvPythons(options.env);
  for (const wanted of options.versions) {
    const fits = (candidate: Python): boolean => canRun(candidate, wanted);
    // The others are only looked at where they are needed.
    const python = onPath.find(fits) ?? (await findPythons(others, options.env)).find(fits);
    if (python !== undefined) return await environmentOf(wanted, python, options);
  }
  const names = PYTHON_COMMANDS.join(', ');
  return {
    kind: 'missing',
    reason: `no Python ${wantedPythons(options.versions)} with its venv module (looked for ${names})`,
  };
}

function wantedPythons(versions: readonly PythonPackage[]): string {
  const oldest = Math.min(...versions.map((version) => version.oldestMinor));
  const newest = Math.max(...versions.map((version) => version.newestMinor ?? Infinity));
  return newest === Infinity ? `3.${oldest} or newer` : `3.${oldest} to 3.${newest}`;
}

function canRun({ minor }: Python, { oldestMinor, newestMinor }: PythonPackage): boolean {
  return oldestMinor <= minor && minor <= (newestMinor ?? minor);
}

async function environmentOf(
  wanted: PythonPackage,
  python: Python,
  options: EnvironmentOptions,
): Promise<PythonEnvironment> {
  const requirement = `${wanted.name}==${wanted.version}`;
  const name = `${wanted.name}-${wanted.version}-python-${python.version}`;
  const folder = join(cacheFolder(options.env), name);
  if (!(await hasMarker(folder, requirement))) {
    options.log?.(
      `installing ${wanted.name} ${wanted.version} for the tests into ${folder} (once, about ${wanted.seconds} s)`,
    );
  }
  const made = await run(python.command, ['-I', SCRIPT, folder, requirement], options.env);
  if (made.exitCode === 0) return { kind: 'ready', folder };
  const last = made.stderr.trim().split('\n').at(-1) ?? '';
  return { kind: 'missing', reason: `${requirement} cannot be installed: ${last}` };
}

/** The folder of matrix-tokens in the user's cache. @see the XDG Base Directory specification */
function cacheFolder(env: NodeJS.ProcessEnv): string {
  const base = env['XDG_CACHE_HOME'] ?? '';
  // The specification: a relative path is to be ignored.
  return join(isAbsolute(base) ? base : join(env['HOME'] ?? homedir(), '.cache'), 'matrix-tokens');
}

async function hasMarker(folder: string, requirement: string): Promise<boolean> {
  try {
    await access(join(folder, 'bin/python'), constants.X_OK);
    return (await readFile(join(folder, MARKER), 'utf8')) === requirement;
  } catch {
    return false;
  }
}

async function findPythons(commands: readonly string[], env: NodeJS.ProcessEnv): Promise<Python[]> {
  const probed = await Promise.all(
    commands.map(async (command) => {
      const { exitCode, stdout } = await run(command, ['-I', '-c', PROBE], env);
      const version = stdout.trim();
      const minor = Number(/^3\.(\d+)\./.exec(version)?.[1]);
      return exitCode === 0 && Number.isInteger(minor) ? [{ command, version, minor }] : [];
    }),
  );
  return probed.flat();
}

/** pyenv puts only those versions on PATH that were chosen; the others are as good. */
async function pyenvPythons({ PYENV_ROOT: root = '' }: NodeJS.ProcessEnv): Promise<string[]> {
  if (!isAbsolute(root)) return [];
  const versions = await readdir(join(root, 'versions')).catch(() => []);
  const newestFirst = versions
    .filter((name) => /^3\.\d+\.\d+$/.test(name))
    .toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  return newestFirst.map((name) => join(root, 'versions', name, 'bin/python3'));
}

function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Finished> {
  return new Promise((done) => {
    execFile(file, args, { env, encoding: 'utf8' }, (error, stdout, stderr) => {
      done({ exitCode: error === null ? 0 : 1, stdout, stderr });
    });
  });
}
