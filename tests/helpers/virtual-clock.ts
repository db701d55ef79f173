// A clock that stands still while anything can go on, and then jumps to the next sleeper: a test of
// ten minutes takes none, and comes out the same each time.
import { setImmediate } from 'node:timers/promises';

export interface VirtualClock {
  /** Milliseconds since the test began. */
  readonly now: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Lets time pass until the promise is settled. Throws if nobody sleeps and it is not. */
  readonly run: <T>(promise: Promise<T>) => Promise<T>;
}

interface Sleeper {
  readonly until: number;
  readonly wake: () => void;
}

/** Makes a clock that shows 0. */
export function virtualClock(): VirtualClock {
  let time = 0;
  const sleepers = new Set<Sleeper>();
  const sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    return new Promise((resolve) => {
      const wake = (): void => {
        sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { until: time + ms, wake };
      sleepers.add(sleeper);
      signal?.addEventListener('abort', wake);
      if (signal?.aborted === true) wake();
    });
  };
  const wakeNext = (): void => {
    const [next] = [...sleepers].toSorted((a, b) => a.until - b.until);
    if (next === undefined) throw new Error('nobody sleeps, and the work is not done');
    time = Math.max(time, next.until);
    next.wake();
  };
  const run = async <T>(promise: Promise<T>): Promise<T> => {
    const state = { isSettled: false };
    const settle = (): void => {
      state.isSettled = true;
    };
    promise.then(settle, settle);
    await setImmediate();
    while (!state.isSettled) {
      wakeNext();
      await setImmediate();
    }
    return promise;
  };
  return { now: () => time, sleep, run };
}
