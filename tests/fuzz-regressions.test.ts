// What the fuzz targets once found, kept as it was printed, made as small as it gets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildMap } from '../src/yaml/new-data.ts';
import { parseYaml } from '../src/yaml/parse.ts';
import { spliceValues } from '../src/yaml/splice.ts';
import { readSafely } from './helpers/fuzz.ts';
import { checkGrowth } from './helpers/fuzz-long.ts';
import type { LongCase } from './helpers/fuzz-long.ts';

test('thousands of mistakes do not bring the YAML package to the end of the stack', () => {
  const text = `${`a: 'b'\n""`.repeat(4000)}}\n`;
  assert.equal(
    readSafely(() => parseYaml(text, 'f')),
    null,
  );
});

test('a block of nothing but blank lines is no reason to look for its end for ever', () => {
  const data = buildMap([{ path: ['k'], value: { kind: 'unsafe', text: 'v' } }]);
  const splice = { file: 'f', data, comment: '# new', olderComment: '# old' };
  assert.equal(spliceValues('a: 1\nk: |+\n\n\n', splice), 'a: 1\n# new\nk: !unsafe "v"\n\n\n');
});

test('what looks like JSON behind a byte order mark is YAML, and gets a value as in YAML', () => {
  const data = buildMap([{ path: ['k'], value: { kind: 'unsafe', text: 'v' } }]);
  const splice = { file: 'f.json', data, comment: '# new', olderComment: '# old' };
  assert.equal(spliceValues('\ufeff{"a": 1}', splice), '\ufeff{"a": 1, k: !unsafe "v"}');
  assert.equal(spliceValues('\ufeff {}\n', splice), '\ufeff# new\nk: !unsafe "v"\n');
});

/** Each took more than linear time. */
const SLOW: readonly LongCase[] = [
  { reader: 'config', prefix: '[d]\na', units: [' \t'], suffix: 'x' },
  { reader: 'envelope', prefix: '$ANSIBLE_VAULT;1', units: [' '], suffix: 'x' },
  { reader: 'ini', prefix: '[all]\nh', units: ['['], suffix: ':1' },
  { reader: 'extra', prefix: '', units: ['a=1 '], suffix: '' },
];

for (const one of SLOW) {
  test(`a long text takes linear time: ${one.reader}, ${JSON.stringify(one.units)}`, () => {
    checkGrowth(one);
  });
}
