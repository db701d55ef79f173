// The real `ansible-vault`, `ansible` and `ansible-inventory`: one Python process for many calls.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ansiblePython } from './python.ts';

export interface AnsibleJob {
  readonly cwd: string;
  /** The whole environment, but for PATH and locale. */
  readonly env?: Readonly<Record<string, string>>;
  readonly commands: readonly AnsibleCommand[];
}

export interface AnsibleCommand {
  /** Such as `ansible-vault view FILE`. */
  readonly argv: readonly string[];
  readonly input?: string;
}

export interface AnsibleAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface AnsibleCommands {
  /** Runs commands in the same settings, without a terminal. Jobs wait for each other. */
  run(job: AnsibleJob): Promise<readonly AnsibleAnswer[]>;
  close(): void;
}

const SCRIPT = fileURLToPath(
  new URL('../../../tests/helpers/ansible_commands.py', import.meta.url),
);

/** Starts the process; whoever starts it closes it. */
export async function startAnsibleCommands(): Promise<AnsibleCommands> {
  const env = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8', PYTHONDONTWRITEBYTECODE: '1' };
  const child = spawn(await ansiblePython(), [SCRIPT], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...env, HOME: '/nonexistent' },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();
  const ask = async (job: AnsibleJob): Promise<readonly AnsibleAnswer[]> => {
    const commands = job.commands.map(({ argv, input = '' }) => ({ argv, input }));
    child.stdin.write(`${JSON.stringify({ ...job, commands, env: { ...env, ...job.env } })}\n`);
    const line = await lines.next();
    if (line.done === true) throw new Error('Ansible gave no answer');
    return JSON.parse(line.value) as readonly AnsibleAnswer[];
  };
  return {
    run(job) {
      const answers = last.then(() => ask(job));
      last = answers.catch(() => null);
      return answers;
    },
    close: () => child.stdin.end(),
  };
}
