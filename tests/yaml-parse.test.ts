import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../src/errors.ts';
import type { Fault } from '../src/errors.ts';
import { parseYaml } from '../src/yaml/parse.ts';
import { compareWithAnsible, toTyped } from './helpers/ansible-loader.ts';
import { ansibleSkip } from './helpers/python.ts';
import { writtenDocuments } from './helpers/yaml-documents.ts';
import { brokenDocuments, sample } from './helpers/yaml-samples.ts';

const skip = await ansibleSkip();

const read = (text: string): unknown => toTyped(parseYaml(text, 'vars.yml'));

test('documents as people write them are read as Ansible reads them', { skip }, async () => {
  const texts = sample(writtenDocuments, 3000);
  const { agreed, refused, different } = await compareWithAnsible('yaml', texts, read);
  assert.deepEqual(different, []);
  assert.ok(agreed > 1000, `only ${agreed} texts were read`);
  const expected =
    /^the same key twice|^a key that is the same|!unsafe|inside its own anchor|block of text$|end of a block of text$/;
  const reasons = refused.flatMap((text) => faultsOf(text).map(({ found }) => found));
  assert.deepEqual(
    reasons.filter((reason) => !expected.test(reason)),
    [],
  );
});

test('no broken document is misread, and none that Ansible refuses is read', { skip }, async () => {
  const texts = sample(brokenDocuments, 4000);
  const { agreed, bothRefused, different } = await compareWithAnsible('yaml', texts, read);
  assert.deepEqual(different, []);
  assert.ok(agreed > 400 && bothRefused > 2000, `${agreed} read, ${bothRefused} refused`);
});

test('values carry the place where they stand, through aliases and merges', () => {
  const text = 'base: &b\n  k: 1\nuse:\n  <<: *b\n  "own": two\nlist: [a, *b]\n';
  const root = parseYaml(text, 'vars.yml');
  assert.deepEqual(toTyped(root), read('{base: {k: 1}, use: {k: 1, own: two}, list: [a, {k: 1}]}'));
  assert.ok(root?.kind === 'map');
  const [, use, list] = root.entries;
  assert.deepEqual(use?.at, { file: 'vars.yml', line: 3, column: 1 });
  assert.ok(use?.value.kind === 'map' && list?.value.kind === 'seq');
  const places = use.value.entries.map(({ at, value }) => [at.line, at.column, value.at.column]);
  assert.deepEqual(places, [
    [2, 3, 6],
    [5, 3, 10],
  ]);
  assert.deepEqual(list.value.items[1]?.at, { file: 'vars.yml', line: 2, column: 3 });
});

test('of merged maps the own value wins, then the first of the list', () => {
  const text = 'a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc:\n  y: 0\n  <<: [*a, *b]\n';
  const root = parseYaml(text, 'f');
  assert.ok(root?.kind === 'map');
  assert.deepEqual(toTyped(root.entries[2]?.value ?? null), read('{x: 1, z: 2, y: 0}'));
});

test('vaulted and unsafe values keep their tags, !unsafe on a map reaches the strings below', () => {
  const vaulted = parseYaml('a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3132\n', 'f');
  assert.deepEqual(toTyped(vaulted), [
    'dict',
    [
      [
        ['str', 'a'],
        ['vault', '$ANSIBLE_VAULT;1.1;AES256\n3132\n'],
      ],
    ],
  ]);
  assert.deepEqual(read('a: !vault-encrypted "x"'), read('a: !vault "x"'));
  assert.deepEqual(read('!unsafe {a: [x, 1, !vault v]}'), [
    'dict',
    [
      [
        ['str', 'a'],
        [
          'list',
          [
            ['unsafe', 'x'],
            ['int', '0x1'],
            ['vault', 'v'],
          ],
        ],
      ],
    ],
  ]);
  assert.deepEqual(read('!unsafe "12"'), ['int', '0xc']);
});

for (const text of [
  '',
  '\n',
  '# only a comment\n',
  '---\n',
  '---\n...\n',
  '~',
  'null\n',
  '\ufeff',
]) {
  test(`an empty document is null: ${JSON.stringify(text)}`, () => {
    assert.equal(parseYaml(text, 'f'), null);
  });
}

test('JSON is read as JSON, where it differs from YAML', () => {
  assert.deepEqual(
    read('{"a": 1e3, "b": "\\ud83d\\udc34", "c": [-0, NaN, 12345678901234567890]}'),
    [
      'dict',
      [
        [
          ['str', 'a'],
          ['float', '408f400000000000'],
        ],
        [
          ['str', 'b'],
          ['str', '🐴'],
        ],
        [
          ['str', 'c'],
          [
            'list',
            [
              ['int', '0x0'],
              ['float', 'nan'],
              ['int', '0xab54a98ceb1f0ad2'],
            ],
          ],
        ],
      ],
    ],
  );
  // Neither a comma too much nor a byte order mark is JSON to Python.
  for (const text of ['{"a": 1e3,}', '\ufeff{"a": 1e3}']) {
    assert.deepEqual(read(text), [
      'dict',
      [
        [
          ['str', 'a'],
          ['str', '1e3'],
        ],
      ],
    ]);
  }
});

test('the marks of ansible-inventory --list are read as tags', () => {
  const text =
    '{"a": {"__ansible_vault": "$ANSIBLE_VAULT;…"}, "b": {"__ansible_unsafe": "{{ x }}"}}';
  assert.deepEqual(read(text), [
    'dict',
    [
      [
        ['str', 'a'],
        ['vault', '$ANSIBLE_VAULT;…'],
      ],
      [
        ['str', 'b'],
        ['unsafe', '{{ x }}'],
      ],
    ],
  ]);
  assert.equal(faultsOf('{"a": {"__ansible_vault": "x", "b": 1}}').length, 1);
});

/** Texts with the line and column of each fault. */
const FAULTS: readonly (readonly [string, string, readonly string[]])[] = [
  ['an unquoted reference', 'a: {{ foo }}\n', ['1:5']],
  ['a key twice', 'a: 1\nb: 2\na: 3\nb: 4\n', ['3:1', '4:1']],
  ['keys that are one to Python', '1: a\ntrue: b\n1.0: c\n', ['2:1', '3:1']],
  ['a key twice in JSON', '{"a": 1,\n "a": 2}', ['2:2']],
  ['a second document', 'a: 1\n---\nb: 2\n', ['2:1']],
  ['an unknown tag', 'a: !foo 1\nb: !bar [1]\n', ['1:9', '2:9']],
  ['a tag of Ansible that is not read', 'a: !!binary aGk=\n', ['1:13']],
  ['a vaulted number', 'a: !vault 12\n', ['1:11']],
  ['a bare =', 'a: =\n', ['1:4']],
  ['a date that does not exist', 'a: 2024-02-30\n', ['1:4']],
  ['an alias without an anchor', 'a: *b\n', ['1:4']],
  ['an alias in its own anchor', 'a: &b [*b]\n', ['1:8']],
  ['a merge of no map', 'a:\n  <<: 1\n', ['2:3']],
  ['a control character', 'a: x\u0007\n# \u2028\n', ['1:5', '2:3']],
  ['a lone carriage return', 'a: 1\rb: 2\n', ['1:5']],
  ['a tab as indentation', 'a:\n\tb: 1\n', ['2:1']],
  ['half of a surrogate pair', 'a: "\\ud83d\\udc34"\n', ['1:4']],
  ['a key behind a question mark', '? a\n: 1\n', ['1:1']],
];

for (const [what, text, places] of FAULTS) {
  test(`${what} is refused with its place`, () => {
    const faults = faultsOf(text);
    assert.deepEqual(
      faults.map(({ at }) => `${at?.line}:${at?.column}`),
      places,
    );
    for (const { code } of faults) assert.match(code, /^E_YAML$|^E_UNSUPPORTED$/);
  });
}

test('aliases of aliases that would fill the memory are refused', () => {
  const lines = Array.from({ length: 30 }, (_, i) => `a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}]`);
  const [fault] = faultsOf(`a: &a-1 [x]\n${lines.join('\n')}\n`);
  assert.match(fault?.found ?? '', /a million values/);
});

test('maps and lists nested too deeply are refused, as JSON and as YAML', () => {
  for (const depth of [300, 100_000]) {
    assert.match(faultsOf('['.repeat(depth) + ']'.repeat(depth))[0]?.found ?? '', /nested|deep/);
  }
  assert.equal(parseYaml(`${'- '.repeat(150)}x\n`, 'f')?.kind, 'seq');
});

test('no error quotes the file', () => {
  const secret = 'hunter2secret';
  const broken = [
    'a: "§',
    'a: [§',
    'a: @§',
    'a: §: §',
    '§: 1\n§: 2',
    'a: !§ 1',
    'a: *§',
    'a: "\\§"',
  ];
  const more = ['a: &§ 1\nb: &§ 2', '- §\nb', 'a: |§\n', '%§\n---\n', '{"§": 1, "§": 2}', '\t§'];
  for (const text of [...broken, ...more]) {
    const error = errorOf(text.replaceAll('§', secret));
    assert.ok(error instanceof InputError, text);
    assert.doesNotMatch(JSON.stringify(error.faults) + error.message + error.stack, /hunter2/);
    assert.equal(error.cause, undefined);
  }
});

function errorOf(text: string): unknown {
  try {
    parseYaml(text, 'vars.yml');
  } catch (error) {
    return error;
  }
  return undefined;
}

function faultsOf(text: string): readonly Fault[] {
  const error = errorOf(text);
  assert.ok(error instanceof InputError, `${JSON.stringify(text.slice(0, 80))} was read`);
  return error.faults;
}
