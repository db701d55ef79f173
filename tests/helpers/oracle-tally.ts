// What came of comparing many generated cases with Ansible: the same, or refused. Anything else is a
// failure of the comparison itself and does not get here.
import { InputError } from '../../src/errors.ts';

export interface Tally {
  /** Runs our side; gives null where it refuses. */
  ours<T>(read: () => Promise<T>): Promise<T | null>;
  /** Counts a case: `theirs` tells whether Ansible read it. */
  count(ours: unknown, theirs: { readonly isRead: boolean }): void;
  /** One line for the report. */
  text(): string;
  readonly same: number;
  readonly refusedByUs: number;
}

/** Begins a tally of what is called `things`. */
export function createTally(things: string, seed: number): Tally {
  const counts = { same: 0, both: 0, us: 0 };
  const kinds = new Map<string, number>();
  let refusal: readonly string[] = [];
  return {
    async ours(read) {
      try {
        return await read();
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        refusal = [...new Set(error.faults.map((fault) => fault.code))];
        return null;
      }
    },
    count(ours, { isRead }) {
      if (ours !== null) counts.same += 1;
      else if (!isRead) counts.both += 1;
      else {
        counts.us += 1;
        for (const code of refusal) kinds.set(code, (kinds.get(code) ?? 0) + 1);
      }
    },
    text() {
      const why = [...kinds].toSorted((a, b) => b[1] - a[1]).map((pair) => pair.join(' '));
      const us = `${counts.us} by us alone${why.length === 0 ? '' : ` (${why.join(', ')})`}`;
      return `${things}: ${counts.same} the same, refused ${counts.both} by both, ${us}; seed ${seed}`;
    },
    get same() {
      return counts.same;
    },
    get refusedByUs() {
      return counts.us;
    },
  };
}

/** How many cases a test tries, and the seed: a longer run and one again are made by a script. */
export function oracleRuns(usual: number): { readonly numRuns: number; readonly seed: number } {
  const { MATRIX_TOKENS_ORACLE_RUNS: runs, MATRIX_TOKENS_ORACLE_SEED: seed } = process.env;
  return {
    numRuns: runs === undefined ? usual : Number(runs),
    seed: seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(seed),
  };
}
