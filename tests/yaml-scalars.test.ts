import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScalarValue } from '../src/yaml/node.ts';
import { parseYaml } from '../src/yaml/parse.ts';
import { resolvePlain } from '../src/yaml/scalar.ts';
import { compareWithAnsible, toTyped } from './helpers/ansible-loader.ts';
import { ansibleSkip } from './helpers/python.ts';
import { sample, scalarDocuments } from './helpers/yaml-samples.ts';

const skip = await ansibleSkip();

test('generated scalars mean what Ansible makes of them, or are refused', { skip }, async () => {
  const texts = sample(scalarDocuments, 5000);
  const { agreed, different } = await compareWithAnsible('yaml', texts, (text) =>
    toTyped(parseYaml(text, 'vars.yml')),
  );
  assert.deepEqual(different, []);
  assert.ok(agreed > 2000, `only ${agreed} texts were read`);
});

/** What each text means; a float as [number]. */
const MEANINGS: readonly (readonly [string, ScalarValue | [number]])[] = [
  ...['', '~', 'null', 'Null', 'NULL'].map((text) => [text, null] as const),
  ...['yes', 'Yes', 'on', 'ON', 'true', 'TRUE'].map((text) => [text, true] as const),
  ...['no', 'No', 'off', 'OFF', 'false', 'False'].map((text) => [text, false] as const),
  ...[
    'y',
    'n',
    'Y',
    'tRue',
    'nULL',
    '0o14',
    '08',
    '0b',
    '1e3',
    '1.5e3',
    '-.5',
    '.',
    '01:02:03',
  ].map((text) => [text, text] as const),
  ['1_', 1],
  ['0644', 420],
  ['-0', 0],
  ['0x1F', 31],
  ['-0b101', -5],
  ['1_000', 1000],
  ['1:30', 90],
  ['-1:30', -90],
  ['9007199254740991', 9007199254740991],
  ['9007199254740993', 9007199254740993n],
  ['-123456789012345678901234567890', -123456789012345678901234567890n],
  ['1.0', [1]],
  ['1.', [1]],
  ['.5', [0.5]],
  ['1.5e+3', [1500]],
  ['1:30.5', [90.5]],
  ['-.inf', [-Infinity]],
  ['.NaN', [NaN]],
  ['2024-02-29', { iso: '2024-02-29' }],
  ['2024-1-2 3:04:05', { iso: '2024-01-02T03:04:05' }],
  ['2024-01-02T03:04:05.12Z', { iso: '2024-01-02T03:04:05.120000+00:00' }],
  ['2024-01-02 03:04:05 -01:30', { iso: '2024-01-02T03:04:05-01:30' }],
];

for (const [text, expected] of MEANINGS) {
  test(`the plain scalar "${text}" is read as Ansible reads it`, () => {
    const wanted = Array.isArray(expected)
      ? { value: expected[0], float: true }
      : { value: expected };
    assert.deepEqual(resolvePlain(text), wanted);
  });
}

for (const text of ['=', '<<', '0x_', '0b_', '2024-13-01', '2023-02-29', '2024-01-02 24:00:00']) {
  test(`"${text}" has no meaning, since Python fails on it`, () => {
    assert.equal(resolvePlain(text), null);
  });
}

test('an integer of more digits than Python reads has no meaning', () => {
  assert.equal(resolvePlain('9'.repeat(4301)), null);
  assert.equal(resolvePlain('9'.repeat(4300))?.value, BigInt('9'.repeat(4300)));
});
