// The real ansible-inventory as an oracle: one Python process that answers for many inventories.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ansiblePython } from './python.ts';

export interface InventoryAnswer {
  /** By host and variable, as `toTyped` gives them. */
  readonly hosts?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly error?: string;
  readonly detail?: string;
}

/** For each limit the names of the hosts; null where Ansible leaves none or ends with an error. */
type LimitAnswer = readonly (readonly string[] | null)[];

export interface InventoryOracle {
  /** Runs `ansible-inventory --list` with these further arguments; with `env` as a new process. */
  list(
    args: readonly string[],
    cwd: string,
    env?: Readonly<Record<string, string>>,
  ): Promise<InventoryAnswer>;
  /** Gives what `ansible all --list-hosts` leaves of these inventories with each limit. */
  limit(sources: readonly string[], limits: readonly string[], cwd: string): Promise<LimitAnswer>;
  close(): void;
}

const SCRIPT = fileURLToPath(
  new URL('../../../tests/helpers/ansible_inventory.py', import.meta.url),
);

/** Starts the process; whoever starts it closes it. */
export async function startInventoryOracle(): Promise<InventoryOracle> {
  const child = spawn(await ansiblePython(), [SCRIPT], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      LC_ALL: 'C.UTF-8',
      PYTHONDONTWRITEBYTECODE: '1',
    },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async <T>(question: object): Promise<T> => {
    child.stdin.write(`${JSON.stringify(question)}\n`);
    const line = await lines.next();
    if (line.done === true) throw new Error('ansible-inventory gave no answer');
    return JSON.parse(line.value) as T;
  };
  return {
    list: (args, cwd, env) => ask({ args, cwd, env }),
    async limit(sources, limits, cwd) {
      const answer = await ask<{ limits?: LimitAnswer }>({ sources, limits, cwd });
      return answer.limits ?? limits.map(() => null);
    },
    close: () => child.stdin.end(),
  };
}
