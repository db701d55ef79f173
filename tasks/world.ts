// The real world for a run: clock, signals, terminal, programs.
import { setTimeout as delay } from 'node:timers/promises';
import type { World } from '../src/provision/world.ts';
import type { Report } from '../src/report.ts';
import { redact } from '../src/secret.ts';
import type { Options } from './options.ts';
import { run } from './shell.ts';
import { openPrompt, progressOn } from './terminal.ts';

export interface TaskWorld {
  readonly world: World;
  /** The signal that asked for the end, or null. */
  readonly interruptedBy: () => Report['interrupted'];
  /** Ends what the world keeps going: the line that counts down. */
  readonly close: () => void;
}

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/** So many signals end a run at once, whatever is in flight. */
const PATIENCE = 3;

/** Makes the world of a task. Signals and a closed pipe end the run after what is in flight. */
export function makeWorld(options: Options): TaskWorld {
  const abort = new AbortController();
  const progress = progressOn(process.stderr);
  let signal: Report['interrupted'] = null;
  let patience = PATIENCE;
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (signal === null) say(`${name}: finishing what is in flight, then leaving`);
      signal ??= name;
      abort.abort();
      patience -= 1;
      if (patience > 0) return;
      say(`${name}: leaving at once; the next run tidies up`);
      dieOf(name);
    });
  }
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => abort.abort());
  const say = (line: string): void => {
    progress.clear();
    process.stderr.write(`${redact(line)}\n`);
  };
  const world: World = {
    cwd: process.cwd(),
    env: process.env,
    now: Date.now,
    sleep,
    random: Math.random,
    signal: abort.signal,
    run,
    // Looking at stdin opens it, which takes time that most runs need not spend.
    get prompt() {
      return openPrompt();
    },
    log: (line) => (options.verbosity > 0 ? say(line) : undefined),
    warn: (line) => say(`warning: ${line}`),
    progress: (event) => progress.show(event),
  };
  return { world, interruptedBy: () => signal, close: () => progress.clear() };
}

/** An orderly exit would wait for reads and writes that hang. A shell gives 128 and the number. */
function dieOf(name: (typeof SIGNALS)[number]): void {
  process.removeAllListeners(name);
  process.kill(process.pid, name);
}

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
  }
}
