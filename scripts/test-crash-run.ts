// Gives the scenarios of `npm run test:crash` to a few processes, which share the points of each.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { OWN_MOUNTS } from '../tests/helpers/crash-disk.ts';
import type { Scenario } from '../tests/helpers/crash-scenarios.ts';
import type { Done, Task } from '../tests/helpers/crash-worker.ts';
import { rowOf } from './test-crash-report.ts';
import type { Row } from './test-crash-report.ts';

const WORKER = resolve(import.meta.dirname, '../tests/helpers/crash-worker.js');
/** Runs sometimes wait, for the disk or each other. */
const AT_ONCE = availableParallelism() + 1;

/** Tries all points of the scenarios, and gives a row for each, in their order. */
export async function* runScenarios(
  scenarios: readonly Scenario[],
  { isEvery, signal }: { readonly isEvery: boolean; readonly signal: AbortSignal },
): AsyncGenerator<Row> {
  const waiting = scenarios.flatMap(({ name }): Task[] => {
    return Array.from({ length: AT_ONCE }, (_, index) => {
      return { scenario: name, first: index + 1, step: AT_ONCE, isEvery };
    });
  });
  const board = createBoard<Done>();
  const hasDisk = scenarios.some(({ disk }) => disk !== undefined);
  const workers = Array.from({ length: AT_ONCE }, () => startWorker(hasDisk));
  const kill = (): void => workers.forEach((worker) => worker.kill('SIGTERM'));
  signal.addEventListener('abort', kill);
  const working = Promise.all(workers.map((worker) => work(worker, waiting, board)));
  try {
    for (const { name } of scenarios) {
      const parts = await Promise.race([board.wait(name, AT_ONCE), working.then(() => null)]);
      const done = parts ?? (await board.wait(name, AT_ONCE));
      const ordered = done.toSorted((one, two) => one.first - two.first);
      const tried = ordered.flatMap((part) => part.tried);
      yield rowOf(
        name,
        tried,
        ordered.flatMap((part) => part.expected),
      );
    }
    await working;
  } finally {
    kill();
    signal.removeEventListener('abort', kill);
  }
}

/** Root gets mounts of its own, which end with the process. */
function startWorker(hasDisk: boolean): ChildProcess {
  if (!hasDisk) return fork(WORKER, { execArgv: [] });
  const [execPath, ...args] = OWN_MOUNTS;
  return fork(WORKER, { execPath, execArgv: [...args, process.execPath] });
}

async function work(worker: ChildProcess, waiting: Task[], board: Board<Done>): Promise<void> {
  const ended = once(worker, 'exit');
  for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
    const name = task.scenario;
    const listening = new AbortController();
    const answer = once(worker, 'message', { signal: listening.signal });
    worker.send(task);
    const died = ended.then(() => {
      throw new Error(`${name}: its process has ended`);
    });
    const [done] = (await Promise.race([answer, died])) as [Done];
    listening.abort();
    board.put(name, done);
  }
}

interface Board<T> {
  put(name: string, part: T): void;
  /** Waits until there are so many parts of a name. */
  wait(name: string, count: number): Promise<readonly T[]>;
}

function createBoard<T>(): Board<T> {
  const parts = new Map<string, T[]>();
  const waiting = new Map<string, { count: number; done: (parts: readonly T[]) => void }>();
  const tell = (name: string): void => {
    const [have, wanted] = [parts.get(name) ?? [], waiting.get(name)];
    if (wanted !== undefined && have.length >= wanted.count) wanted.done(have);
  };
  return {
    put: (name, part) => {
      parts.set(name, [...(parts.get(name) ?? []), part]);
      tell(name);
    },
    wait: (name, count) =>
      new Promise((done) => {
        waiting.set(name, { count, done });
        tell(name);
      }),
  };
}
