import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseExtraVars } from '../src/ansible/extra-vars.ts';
import { InputError } from '../src/errors.ts';
import { compareWithAnsible, toTyped, varsToTyped } from './helpers/ansible-loader.ts';
import { ansibleSkip } from './helpers/python.ts';
import { oneOf, sample } from './helpers/yaml-samples.ts';

const skip = await ansibleSkip();

const noFile = (): string => assert.fail('no file was asked for');

const value = oneOf(
  ['1', 'x', 'yes', '"x y"', "'x y'", '"x', '{{ b }}', '{{b}}', '"{{ b }}"', '{{ "q r" }}'],
  ['{% if x %}a{% endif %}', '{', '}', '{"a": 1}', '[1,2]', 'a=b', 'x\\ny', 'x\\', 'é', '\t'],
  ['"a"b"', '""', "'", '{# c #}', 'x  y', '{{ a', 'b }}', '}}', '#', "x'y'z", 'a"b c"d', '🐴'],
);
const word = fc
  .tuple(
    fc.constantFrom('a', 'b', 'c_d', 'a', 'b', 'a.b', '"k"', ''),
    fc.constantFrom('=', '=', '=', ''),
    value,
  )
  .map((parts) => parts.join(''));
const words = fc
  .tuple(fc.array(word, { minLength: 1, maxLength: 3 }), fc.constantFrom(' ', ' ', '  ', '\n'))
  .map(([list, gap]) => list.join(gap));
const maps = oneOf([
  '{a: 1}',
  '{"a": 1e3, "b": [x]}',
  '{"a": 1e3}',
  '[1]',
  '/x',
  './x',
  '{',
  '{}',
  '{a: 1',
  '{1: 2}',
]);

test('generated extra vars are read as Ansible reads them, or refused', { skip }, async () => {
  const texts = sample(fc.oneof({ arbitrary: words, weight: 9 }, maps), 3000);
  const { agreed, different } = await compareWithAnsible('extra', texts, (text) =>
    varsToTyped(parseExtraVars(text, noFile)),
  );
  assert.deepEqual(different, []);
  assert.ok(agreed > 300, `only ${agreed} texts were read`);
});

test('name=value gives strings, with the place of each value', () => {
  const vars = parseExtraVars(`a=1 b="x y"  c='{{ d }}' e=f=g`, noFile);
  assert.deepEqual(
    [...vars].map(([name, { at, ...node }]) => [name, toTyped({ at, ...node })[1], at.column]),
    [
      ['a', '1', 3],
      ['b', 'x y', 7],
      ['c', '{{ d }}', 16],
      ['e', 'f=g', 28],
    ],
  );
  assert.equal(vars.get('a')?.at.file, '-e');
});

test('a map in braces gives typed values, as YAML or JSON', () => {
  const vars = parseExtraVars('{a: 0644, b: {c: [yes]}}', noFile);
  assert.deepEqual(varsToTyped(vars), [
    'dict',
    [
      [
        ['str', 'a'],
        ['int', '0x1a4'],
      ],
      [
        ['str', 'b'],
        [
          'dict',
          [
            [
              ['str', 'c'],
              ['list', [['bool', true]]],
            ],
          ],
        ],
      ],
    ],
  ]);
});

test('@ names a file, whose name is in the positions', () => {
  const vars = parseExtraVars('@vars/extra.yml', (path) => `# ${path}\na: 1\n`);
  assert.deepEqual(vars.get('a')?.at, { file: 'vars/extra.yml', line: 2, column: 4 });
});

test('an empty text gives nothing', () => {
  assert.equal(parseExtraVars('', noFile).size, 0);
});

/** Texts with code and place of the fault. */
const REFUSED: readonly (readonly [string, string])[] = [
  ['vars.yml', 'E_OPTION -e:1:1'],
  ['./vars.yml', 'E_OPTION -e:1:1'],
  ['[a]', 'E_OPTION -e:1:1'],
  ['@empty.yml', 'E_OPTION empty.yml:1:1'],
  ['a=1 b', 'E_OPTION -e:1:5'],
  ['a-b=1', 'E_OPTION -e:1:1'],
  ['a="x', 'E_UNSUPPORTED -e:1:1'],
  ['a=1 b=x\\ny', 'E_UNSUPPORTED -e:1:1'],
  ['a={{ b', 'E_UNSUPPORTED -e:1:1'],
  ['{a: {{ b }}}', 'E_YAML -e:1:6'],
];

for (const [text, expected] of REFUSED) {
  test(`${JSON.stringify(text)} is refused with its place`, () => {
    assert.throws(
      () => parseExtraVars(text, () => ''),
      (error) => {
        assert.ok(error instanceof InputError);
        const [{ code, at } = assert.fail()] = error.faults;
        assert.equal(`${code} ${at?.file}:${at?.line}:${at?.column}`, expected);
        return true;
      },
    );
  });
}

test('no error quotes the text', () => {
  for (const text of [
    'a=1 hunter2',
    'a="hunter2',
    '{a: "hunter2',
    '{a: @hunter2}',
    'a-b=hunter2',
  ]) {
    assert.throws(
      () => parseExtraVars(text, noFile),
      (error) => error instanceof InputError && !JSON.stringify(error.faults).includes('hunter2'),
    );
  }
});
