// Walks the list of cases: none is forgotten, none is named twice by mistake.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { CASES, ELSEWHERE } from './helpers/conformance-cases.ts';

const TESTS = resolve(import.meta.dirname, '../../tests');

/** The numbers with which the names of tests begin, by file. */
function testedNumbers(): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const name of readdirSync(TESTS)) {
    if (!/^conformance-.*\.test\.ts$/.test(name)) continue;
    const text = readFileSync(join(TESTS, name), 'utf8');
    for (const [, digits] of text.matchAll(/^ *test\(\s*['"`](\d+): /gm)) {
      found.set(Number(digits), [...(found.get(Number(digits)) ?? []), name]);
    }
  }
  return found;
}

test('every case is tested, or said to belong elsewhere', () => {
  const tested = testedNumbers();
  const numbers = Object.keys(CASES).map(Number);
  assert.deepEqual(
    numbers,
    Array.from({ length: 62 }, (_, index) => index + 1),
  );
  const missing = numbers.filter((number) => !tested.has(number) && !(number in ELSEWHERE));
  assert.deepEqual(missing, [], 'cases without a test');
});

test('no test has a number that is no case, or one that belongs elsewhere', () => {
  const strange = [...testedNumbers().keys()].filter(
    (number) => !(number in CASES) || number in ELSEWHERE,
  );
  assert.deepEqual(strange, []);
  assert.ok(Object.keys(ELSEWHERE).every((number) => Number(number) in CASES));
});
