// A run that is killed, or whose machine loses its power, and the run after it.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { findLeaks } from './provision-leaks.ts';
import type { Preload } from './provision-preload-options.ts';
import type { Remains } from './provision-power.ts';
import type { Project, Run, RunOptions } from './provision-project.ts';
import { ageJournal, assertConverged, servicesFor } from './provision-services.ts';
import type { Services, ServicesOptions } from './provision-services.ts';

export const K7 = 'the token is in its file, the folder not synced (K7)';
export const K8 = 'the token is stored, the entry still there (K8)';

/** The login of the first service, step by step: the names are those of provision-preload.ts. */
export const LOGIN = {
  'the journal entry is not yet there': '^rename \\S+ \\S+/news-\\w+\\.session\\.json$',
  'the entry is durable, nothing is sent (K1)': '^send POST \\S+/login$',
  'the request is sent (K2)': '^done send POST \\S+/login$',
  'the answer has come (K3)': '^receive POST \\S+/login$',
  'the token is written beside its file': '^rename \\S+ \\S+_tokens/news\\.yml$',
  [K7]: '^done rename \\S+ \\S+_tokens/news\\.yml$',
  [K8]: '^rm \\S+/news-\\w+\\.session\\.json$',
} as const;

export interface Kill extends Pick<Preload, 'killOn' | 'meddle' | 'signal'> {
  readonly powerCut?: 'synced' | 'current';
}

export interface Killed {
  readonly run: Run;
  /** The name of the point at which it was killed; null where it ended before. */
  readonly point: string | null;
}

/** Runs and kills. After a power cut the folder holds what the disk would. */
export async function killRun(
  project: Project,
  kill: Kill,
  { task = 'provision', args = [] }: { task?: RunOptions['task']; args?: readonly string[] } = {},
): Promise<Killed> {
  const folder = await mkdtemp(join(tmpdir(), 'matrix-tokens-kill-'));
  try {
    const [died, dump] = [join(folder, 'died'), join(folder, 'dump')];
    const { powerCut: names, ...rest } = kill;
    const powerCut = names === undefined ? {} : { powerCut: { dump, names } };
    const run = await project.run(args, { task, preload: { ...rest, ...powerCut, died } });
    const point = await readFile(died, 'utf8').catch(() => null);
    if (point === null) return { run, point };
    if (names !== undefined) await restore(project.folder, await readFile(dump, 'utf8'));
    return { run, point };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function restore(folder: string, dump: string): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
  for (const [path, content] of Object.entries(JSON.parse(dump) as Remains)) {
    await mkdir(content === null ? path : dirname(path), { recursive: true, mode: 0o700 });
    if (content !== null) await writeFile(path, content, { encoding: 'base64', mode: 0o600 });
  }
}

/**
 * Kills runs, one after the other, then runs to the end: with every token stored, and nothing else
 * left. Gives the points of the kills; null for a run that ended before it was killed.
 */
export async function killAndRunAgain(
  t: TestContext,
  options: ServicesOptions,
  kills: readonly Kill[],
): Promise<(string | null)[]> {
  const services = await servicesFor(t, options);
  const points: (string | null)[] = [];
  for (const kill of kills) {
    points.push((await killRun(services.project, kill)).point);
    assert.deepEqual(findLeaks(secretsOf(services), filesOf(services.project)), []);
    await ageJournal(services.project);
  }
  const where = `${JSON.stringify(kills)}, killed at ${points.join(', then ')}`;
  const last = await services.project.run();
  assert.equal(last.exitCode, 0, `${where}\n${last.stderr}${last.stdout}`);
  await assertConverged(services).catch((error: unknown) => {
    throw new Error(`after ${where}\n${last.stderr}${last.stdout}${String(error)}`);
  });
  await services.homeserver.stop();
  return points;
}

function secretsOf({ project, homeserver }: Services): Record<string, string> {
  const { users, sessions, ended } = homeserver.state;
  const passwords = [...users.values()].map((user) => user.password);
  const all = [project.vaultPassword, ...passwords, ...sessions.keys(), ...ended.keys()];
  return Object.fromEntries(all.map((secret, index) => [`secret ${index}`, secret]));
}

function filesOf(project: Project): Record<string, string> {
  const files = [...project.tree()].filter(([path]) => path !== 'vault_pass');
  return Object.fromEntries(files.map(([path, content]) => [path, content ?? '']));
}
