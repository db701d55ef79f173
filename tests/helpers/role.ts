// Playbooks with the role, run by the real ansible-playbook.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Cleanup, Project } from './provision-project.ts';
import { ansibleBin, ansiblePython } from './python.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
export const ROLES = join(ROOT, 'roles');
const CALLBACKS = join(ROOT, 'tests/fixtures/role/callback_plugins');

/** A result as callback plugins get it, by task; of tasks with loops, the whole. */
export interface TaskResult {
  readonly task: string;
  readonly host: string;
  readonly status: 'ok' | 'failed' | 'skipped' | 'unreachable';
  readonly result: Readonly<Record<string, unknown>>;
}

export interface PlayRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Every result, in the order in which they came. */
  readonly results: readonly TaskResult[];
  /** `ok=1 changed=0 …` by host. */
  readonly recap: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** What later tasks saw, by host: the role `show` writes it. */
  readonly shown: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface PlayOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the project's vault password. */
  readonly vaultArguments?: readonly string[];
  readonly inventory?: string;
  /** Make it the leader of a process group, as a shell does. */
  readonly isDetached?: boolean;
  readonly onStart?: (child: ChildProcess) => void;
}

export interface Playbooks {
  /** Runs a playbook that stands in the project as play.yml. */
  run(options?: PlayOptions): Promise<PlayRun>;
  /** The home folder of the runs. */
  readonly home: string;
}

/** Gives a task that writes down what later tasks see of variables. */
export function showTask(folder: string, names: readonly string[]): string {
  const values = names.map((name) => `'${name}': ${name} | default('(undefined)')`).join(', ');
  return [
    '- name: Show what later tasks see',
    '  ansible.builtin.copy:',
    `    content: "{{ {${values}} | to_json }}"`,
    `    dest: "${folder}/{{ inventory_hostname }}.json"`,
    '    mode: "0600"',
    '  check_mode: false',
    '  diff: false',
    '  no_log: true',
    '  delegate_to: localhost',
  ].join('\n');
}

/** Prepares runs of ansible-playbook in a project. */
export async function playbooksIn(t: Cleanup, project: Project): Promise<Playbooks> {
  const home = await mkdtemp(join(tmpdir(), 'matrix-tokens-play-'));
  t.after(() => rm(home, { recursive: true, force: true }));
  await writeFile(join(home, 'ansible.cfg'), '');
  return { home, run: (options = {}) => runPlay(project, home, options) };
}

async function runPlay(project: Project, home: string, options: PlayOptions): Promise<PlayRun> {
  const { args = [], env = {}, inventory = 'inventory.yml', onStart } = options;
  const { isDetached: detached = false } = options;
  const { vaultArguments = ['--vault-password-file', 'vault_pass'] } = options;
  const results = join(home, 'results.jsonl');
  await rm(results, { force: true });
  await rm(join(home, 'shown'), { recursive: true, force: true });
  await mkdir(join(home, 'shown'));
  const child = spawn(
    await ansibleBin('ansible-playbook'),
    ['-i', inventory, ...vaultArguments, ...args, 'play.yml'],
    {
      cwd: project.folder,
      detached,
      env: { ...(await environment(home, results)), ...env },
      stdio: [onStart === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    },
  );
  onStart?.(child);
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (data: string) => {
      texts[name] += data;
    });
  }
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, ...texts, ...(await readResults(home, results)) };
}

async function environment(home: string, results: string): Promise<NodeJS.ProcessEnv> {
  return {
    PATH: process.env['PATH'],
    HOME: home,
    LANG: 'C.UTF-8',
    // Without the machine's own settings.
    ANSIBLE_CONFIG: join(home, 'ansible.cfg'),
    ANSIBLE_ROLES_PATH: ROLES,
    ANSIBLE_NOCOLOR: '1',
    ANSIBLE_CALLBACK_PLUGINS: CALLBACKS,
    ANSIBLE_CALLBACKS_ENABLED: 'everything',
    ANSIBLE_PYTHON_INTERPRETER: await ansiblePython(),
    MATRIX_TOKENS_TEST_RESULTS: results,
  };
}

async function readResults(
  home: string,
  file: string,
): Promise<Pick<PlayRun, 'results' | 'recap' | 'shown'>> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines = text.split('\n').filter(Boolean);
  const all = lines.map((line) => JSON.parse(line) as TaskResult & { recap?: PlayRun['recap'] });
  const shown: Record<string, Record<string, unknown>> = {};
  const { readdir } = await import('node:fs/promises');
  for (const name of await readdir(join(home, 'shown'))) {
    const content = await readFile(join(home, 'shown', name), 'utf8');
    shown[name.replace(/\.json$/, '')] = JSON.parse(content) as Record<string, unknown>;
  }
  return {
    results: all.filter((one) => one.recap === undefined),
    recap: all.find((one) => one.recap !== undefined)?.recap ?? {},
    shown,
  };
}
