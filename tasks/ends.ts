// What asks a run to end: signals, and a reader or parent that is gone.
import type { Report } from '../src/report.ts';

export interface Ends {
  /** Given when the run is to end after what is in flight. */
  readonly signal: AbortSignal;
  /** The signal that asked for the end, or null. */
  readonly interruptedBy: () => Report['interrupted'];
  /** Asks for the end. */
  readonly end: () => void;
}

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

/** So many signals end a run at once, whatever is in flight. */
const PATIENCE = 3;

/** The time is that of a request (REQUEST_TIMEOUT_MS), whose module is not loaded for this. */
const PARTING = 'finishing requests in flight (up to 30 s each); a third leaves at once';

/** Lets signals end the run, and streams that nobody reads. `say` takes a line about it. */
export function watchEnds(
  say: (line: string) => void,
  streams: readonly NodeJS.WriteStream[] = [],
): Ends {
  const abort = new AbortController();
  let signal: Report['interrupted'] = null;
  let patience = PATIENCE;
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (signal === null) say(`${name}: ${PARTING}`);
      signal ??= name;
      abort.abort();
      patience -= 1;
      if (patience > 0) return;
      say(`${name}: leaving at once; the next run tidies up`);
      dieOf(name);
    });
  }
  for (const stream of streams) stream.on('error', () => abort.abort());
  return { signal: abort.signal, interruptedBy: () => signal, end: () => abort.abort() };
}

/** An orderly exit would wait for reads and writes that hang. A shell gives 128 and the number. */
function dieOf(name: (typeof SIGNALS)[number]): void {
  process.removeAllListeners(name);
  process.kill(process.pid, name);
}
