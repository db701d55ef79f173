import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { InputError } from '../src/errors.ts';
import type { YamlNode } from '../src/yaml/node.ts';
import { parseFull } from '../src/yaml/parse.ts';
import { parseSimple } from '../src/yaml/simple.ts';

const key = fc.oneof(
  { weight: 9, arbitrary: fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{1,5}$/) },
  { weight: 1, arbitrary: fc.constantFrom('a', 'y', 'yes', 'null', 'on', 'x-y', '"q"', '1') },
);

const PLAIN = [
  'x',
  'yes',
  'Off',
  '0644',
  '1_000',
  '1:30',
  '2024-01-01',
  '2024-13-01',
  '1.0',
  '0x1F',
  '1e3',
  'a b c',
  'https://m.example.org:8448/a',
  'a:b',
  '12:30:45',
  '.inf',
  '.5',
  '.',
  '..',
  'TODO',
  '2001-12-14 21:59:43',
  'a,b',
  'a, b',
  '/x',
  'a~b',
  'x-y',
  '0o17',
  '0b1',
  'a=b',
  'x+1',
  '007',
  '"a b"',
  "'q'",
  '"{{ x }}"',
  "'it is'",
  '""',
  "''",
  '"# x"',
  '"a: b"',
  "'[x]'",
  '"\'"',
  "'\"'",
];

const ODD = [
  'a:',
  'a: b',
  '- x',
  '~',
  '=',
  'x #c',
  'x#c',
  '@a',
  '%a',
  '&a x',
  '*a',
  '!unsafe x',
  '|',
  '>',
  '{a: 1}',
  '[1]',
  '<<',
  'a  b',
  'a ',
  '"a"b',
  '"a\\n"',
  "'it''s'",
  '-',
  '--',
  '+1',
  '-1',
  '!vault x',
  '"open',
  "'open",
  'é',
  '? x',
  '!!str 1',
  '|-',
  '!vault |-',
  '!vault  |',
  ' x',
];

const value = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...PLAIN) },
  { weight: 1, arbitrary: fc.constantFrom(...ODD) },
  { weight: 1, arbitrary: fc.stringMatching(/^[ -~]{0,8}$/) },
);

type Lines = readonly string[];

const indented = (lines: Lines, by: string): string[] => lines.map((line) => by + line);

const envelope = fc
  .tuple(fc.constantFrom('  ', '    ', '          '), fc.integer({ min: 1, max: 3 }))
  .map(([margin, count]): Lines =>
    indented(['$ANSIBLE_VAULT;1.1;AES256', ...Array<string>(count).fill('31320a33')], margin),
  );

const { map } = fc.letrec<{ map: Lines; entry: Lines }>((tie) => ({
  map: fc.array(tie('entry'), { minLength: 1, maxLength: 4 }).map((entries) => entries.flat()),
  entry: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.tuple(key, value).map(([name, text]) => [`${name}: ${text}`]),
    key.map((name) => [`${name}:`]),
    fc.tuple(key, envelope).map(([name, lines]) => [`${name}: !vault |`, ...lines]),
    fc
      .tuple(key, tie('map'), fc.constantFrom('  ', ' ', '    '))
      .map(([name, lines, by]) => [`${name}:`, ...indented(lines, by)]),
  ),
}));

const NOISE = [
  '',
  '# comment',
  '    # deeper',
  '  ',
  '---',
  '...',
  '- a',
  '  - a',
  '  x',
  '\t',
  '? a',
];

/** A document, with one line more or less than it should have now and then. */
const text = fc
  .tuple(
    map,
    fc.option(fc.tuple(fc.nat(), fc.constantFrom(...NOISE)), { freq: 2 }),
    fc.constantFrom('\n', '\n', '\n', ''),
    fc.constantFrom('', '', '---\n'),
  )
  .map(([lines, noise, end, start]) => {
    const all = [...lines];
    if (noise !== null)
      all.splice(noise[0] % (all.length + 1), noise[0] % 5 === 0 ? 1 : 0, noise[1]);
    return start + all.join('\n') + end;
  });

function readFull(source: string): YamlNode | null | string {
  try {
    return parseFull(source, 'f');
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

test('what is read line by line is what the YAML package makes of it, places included', () => {
  let read = 0;
  fc.assert(
    fc.property(text, (source) => {
      const simple = parseSimple(source, 'f');
      if (simple === null) return;
      read += 1;
      assert.deepEqual(simple, readFull(source));
    }),
    { numRuns: Number(process.env['MATRIX_TOKENS_SAMPLES'] ?? 4000) },
  );
  assert.ok(read > 400, `only ${read} texts were read`);
});

test('a file of ours is read line by line', () => {
  const source =
    '# matrix-tokens: x\nvault_x: !vault |\n          $ANSIBLE_VAULT;1.1;AES256\n          3132\n';
  assert.deepEqual(parseSimple(source, 'f'), parseFull(source, 'f'));
  assert.notEqual(parseSimple(source, 'f'), null);
});

test('what is not plainly plain is left to the package', () => {
  const texts = [
    'a: [x]\n',
    'a: &b x\n',
    '- a\n',
    'a: b',
    'a: b\r\n',
    'a: é\n',
    '{}\n',
    '',
    'a: >\n  b\n',
  ];
  for (const source of texts) assert.equal(parseSimple(source, 'f'), null, source);
});
