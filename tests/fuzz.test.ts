// A short run of every fuzz target. For a long one: `npm run fuzz`.
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FUZZ_TARGETS } from './helpers/fuzz-targets.ts';

/** Set for other cases than the usual ones. */
const SEED = Number(process.env['MATRIX_TOKENS_SAMPLE_SEED'] ?? 1);

/** A thousandth of a long run, but enough to see something. */
const countOf = (runs: number): number => Math.max(40, Math.round(runs / 400));

for (const target of FUZZ_TARGETS) {
  test(`${target.about} (${target.name})`, async (t) => {
    const counts = new Map<string, number>();
    const property = target.property((word) => counts.set(word, (counts.get(word) ?? 0) + 1));
    await fc.assert(property, { numRuns: countOf(target.runs), seed: SEED });
    const words = [...counts].map(([word, count]) => `${count} ${word}`);
    t.diagnostic(`seed ${SEED}: ${words.join(', ')}`);
  });
}
