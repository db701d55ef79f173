// What a fuzz target is, and what holds for every reader: it gives something, or throws an InputError
// that shows nothing of the text. `npm run fuzz` runs targets for long, tests/fuzz.test.ts for short.
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { FAULT_CODES, InputError } from '../../src/errors.ts';
import { CANARY } from './fuzz-texts.ts';

export interface FuzzTarget {
  readonly name: string;
  /** What is tried, in a few words. */
  readonly about: string;
  /** How many cases a long run has. */
  readonly runs: number;
  /** What is to hold for every case. Called once before each run; `count` gets words to be counted. */
  property(count: (word: string) => void): fc.IRawProperty<unknown>;
}

/** Makes a target of cases and a check that throws. A word that it gives is counted. */
export function defineTarget<T>(
  settings: Omit<FuzzTarget, 'property'>,
  cases: fc.Arbitrary<T>,
  check: (one: T) => string | Promise<string>,
): FuzzTarget {
  const property = (count: (word: string) => void): fc.IRawProperty<unknown> =>
    fc.asyncProperty(cases, async (one) => {
      count(await check(one));
    });
  return { ...settings, property };
}

/** A reader that takes longer than this for a short text does not come to an end. */
const LONGEST_MS = 20_000;

/** Reads, and gives null where an InputError was thrown that is as it should be. */
export function readSafely<T>(read: () => T): { readonly value: T } | null {
  const begun = performance.now();
  try {
    return { value: read() };
  } catch (error) {
    checkError(error);
    return null;
  } finally {
    assert(performance.now() - begun < LONGEST_MS, 'it takes too long');
  }
}

/** Throws for anything but an InputError whose faults say enough and not too much. */
export function checkError(error: unknown): asserts error is InputError {
  if (!(error instanceof InputError)) throw error;
  assert(error.faults.length > 0, 'an error without a fault');
  assert(
    !JSON.stringify([error.faults, error.message]).includes(CANARY),
    'an error shows the text',
  );
  assert(
    !String(error.stack).includes(CANARY) && error.cause === undefined,
    'a stack shows the text',
  );
  for (const { code, at, found } of error.faults) {
    assert(Object.hasOwn(FAULT_CODES, code) && found !== '');
    if (at !== undefined) assert(at.line >= 1 && at.column >= 1, 'a place before the beginning');
  }
}
