// The real world for a run: clock, signals, terminal, programs.
import { setTimeout as delay } from 'node:timers/promises';
import type { World } from '../src/provision/world.ts';
import { watchEnds, type Ends } from './ends.ts';
import { fitFor, toLines } from './lines.ts';
import type { Options } from './options.ts';
import { run } from './shell.ts';
import { openPrompt, progressOn } from './terminal.ts';

export interface TaskWorld {
  readonly world: World;
  /** The signal that asked for the end, or null. */
  readonly interruptedBy: Ends['interruptedBy'];
  /** Ends what the world keeps going: the line that counts down. */
  readonly close: () => void;
}

/** Makes the world of a task. Signals and a closed pipe end the run after what is in flight. */
export function makeWorld(options: Options): TaskWorld {
  const fit = (text: string): string => fitFor(options, text);
  const progress = progressOn(process.stderr, fit);
  const say = (line: string): void => {
    progress.clear();
    process.stderr.write(fit(toLines(line)));
  };
  const { signal, interruptedBy } = watchEnds(say, [process.stdout, process.stderr]);
  const world: World = {
    ...surroundings(),
    signal,
    // Looking at stdin opens it, which takes time that most runs need not spend.
    get prompt() {
      return openPrompt();
    },
    log: (line) => (options.verbosity > 0 ? say(line) : undefined),
    warn: (line) => say(`warning: ${line}`),
    progress: (event) => progress.show(event),
  };
  return { world, interruptedBy, close: () => progress.clear() };
}

/** Gives what every task has around it. */
export function surroundings(): Pick<World, 'cwd' | 'env' | 'now' | 'sleep' | 'random' | 'run'> {
  return { cwd: process.cwd(), env: process.env, now: Date.now, sleep, random: Math.random, run };
}

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
  }
}
