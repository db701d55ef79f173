import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseIniInventory } from '../src/ansible/inventory-ini.ts';
import { parsePythonLiteral } from '../src/ansible/python-literal.ts';
import { InputError } from '../src/errors.ts';
import { compareWithAnsible, sourceToTyped, toTyped } from './helpers/ansible-loader.ts';
import { ansibleSkip } from './helpers/python.ts';
import { oneOf, sample } from './helpers/yaml-samples.ts';

const skip = await ansibleSkip();

const AT = { file: 'hosts', line: 3, column: 7 };

const pieces = oneOf(
  ['1', '0', '10', '07', '00', '1_0', '0x1f', '0b1', '0o7', '1.5', '.5', '1.', '1e3', '1j'],
  ['-', '+', 'True', 'False', 'None', 'true', 'no', "'a'", '"b"', "'it''s'", '[', ']', '{', '}'],
  ['(', ')', ',', ', ', ':', ': ', ' ', '#', '# c', '...', 'set()', 'u"x"', "b'x'", "r'\\n'"],
  ["f'x'", '"\\n"', '"\\x41"', '"\\d"', '"\\u00e9"', '"\\N{DASH}"', '"\\ud800"', "'''t'''"],
  ['abc', '{{ x }}', '{{', '}}', '{%', 'é', '==', 'or', 'not', '*', '.', '\\', '2024-01-01'],
  ['1.2.3.4', 'a-b', '_', '@', '"', "'", '99999999999999999999', '1,2', '[1, 2]', "{'a': 1}"],
);
const soup = fc.array(pieces, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));

const numbers = fc.stringMatching(
  /^[-+]?[0-9_]{0,4}[.xobej]?[0-9a-f_]{0,4}([eE][-+]?[0-9]{1,2})?$/,
);

const { literals } = fc.letrec<{ literals: string }>((tie) => {
  const list = (open: string, close: string): fc.Arbitrary<string> =>
    fc.array(tie('literals'), { maxLength: 3 }).map((items) => open + items.join(', ') + close);
  const keys = fc.constantFrom("'a'", '1', '"b"', 'None', '(1,2)', '[1]', 'k');
  const entries = fc.array(fc.tuple(keys, tie('literals')), { maxLength: 3 });
  return {
    literals: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom('1', '-2', '1.5', 'True', 'None', "'s'", '"q w"', 'abc', '...', '0x10'),
      fc.constantFrom("'a' 'b'", '+1', '- 1', '(1)', '-(1)', '--1', '()', '(1,)'),
      list('[', ']'),
      list('(', ')'),
      list('(', ',)'),
      list('{', '}'),
      entries.map((pairs) => `{${pairs.map((pair) => pair.join(': ')).join(', ')}}`),
    ),
  };
});

const values = fc.oneof(soup, numbers, literals);

const lines = fc
  .tuple(values, fc.constantFrom('h a=@\n', 'h a="@"\n', "h a='@'\n", '[all:vars]\na=@\n'))
  .map(([value, line]) => line.replace('@', () => value));

test(
  'generated values in INI mean what Ansible makes of them, or are refused',
  { skip },
  async () => {
    const texts = sample(lines, 6000);
    const { agreed, different } = await compareWithAnsible('ini', texts, (text) =>
      sourceToTyped(parseIniInventory(text, 'hosts')),
    );
    assert.deepEqual(different, []);
    assert.ok(agreed > 2500, `only ${agreed} texts were read`);
  },
);

const MEANINGS: readonly (readonly [string, unknown])[] = [
  ['12', ['int', '0xc']],
  ['1 # one', ['int', '0x1']],
  ['1_000', ['int', '0x3e8']],
  ['- 1', ['int', '-0x1']],
  ['0644', ['str', '0644']],
  ['yes', ['str', 'yes']],
  ['true', ['str', 'true']],
  ['True', ['bool', true]],
  ['None', ['none']],
  ['abc # c', ['str', 'abc # c']],
  ['1e3', ['float', '408f400000000000']],
  ['\'a\' "b"', ['str', 'ab']],
  [String.raw`"\x41\n\d"`, ['str', 'A\n\\d']],
  ["r'\\n'", ['str', '\\n']],
  [
    '1,2',
    [
      'list',
      [
        ['int', '0x1'],
        ['int', '0x2'],
      ],
    ],
  ],
  ['(1)', ['int', '0x1']],
  ['()', ['list', []]],
  [
    "{'a': [None]}",
    [
      'dict',
      [
        [
          ['str', 'a'],
          ['list', [['none']]],
        ],
      ],
    ],
  ],
  ['{{ foo }}', ['str', '{{ foo }}']],
  ['[1, foo]', ['str', '[1, foo]']],
  ['1.2.3.4', ['str', '1.2.3.4']],
  ['2024-10-11', ['str', '2024-10-11']],
  ['', ['str', '']],
];

for (const [text, expected] of MEANINGS) {
  test(`the INI value ${JSON.stringify(text)} is read as Ansible reads it`, () => {
    assert.deepEqual(toTyped(parsePythonLiteral(text, AT)), expected);
  });
}

const REFUSED = ["b'x'", '{1, 2}', '1j', '1+2j', '{(1, 2): 3}', String.raw`"\N{DASH}"`, '{[]: 1}'];

for (const text of [...REFUSED, "{'a': 1, 'a': 2}", '('.repeat(99) + ')'.repeat(99)]) {
  test(`the INI value ${text.slice(0, 20)} is refused with its place and without its text`, () => {
    assert.throws(
      () => parsePythonLiteral(text, AT),
      (error) =>
        error instanceof InputError &&
        error.faults[0]?.code === 'E_UNSUPPORTED' &&
        error.faults[0].at === AT &&
        !error.message.includes(text),
    );
  });
}
