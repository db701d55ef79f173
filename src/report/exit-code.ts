// The exit codes of design and documentation, in one place.
import type { Report } from './types.ts';

export const EXIT = {
  converged: 0,
  failed: 1,
  pending: 2,
  deferred: 3,
  unreachable: 4,
  badInput: 5,
  bug: 70,
} as const;

const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Gives the exit code of a run: an interruption first, then 1 before 4 before 3. */
export function exitCodeOf(
  report: Report,
  { detailed = false }: { detailed?: boolean } = {},
): number {
  if (report.interrupted !== null) return SIGNALS[report.interrupted];
  const has = (word: string): boolean => report.outcomes.some((one) => one.outcome === word);
  const waits = report.leftovers.length > 0 || (report.damaged ?? []).length > 0;
  if (report.check) {
    const isPending = has('changed') || has('unknown') || waits || report.rekeyWaits === true;
    return detailed && isPending ? EXIT.pending : EXIT.converged;
  }
  if (has('failed') || waits) return EXIT.failed;
  if (has('unreachable')) return EXIT.unreachable;
  return has('deferred') ? EXIT.deferred : EXIT.converged;
}
