import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseIniInventory } from '../src/ansible/inventory-ini.ts';
import { InputError } from '../src/errors.ts';
import { compareWithAnsible, sourceToTyped, toTyped } from './helpers/ansible-loader.ts';
import { HOST_NAMES } from './helpers/host-names.ts';
import { ansibleSkip } from './helpers/python.ts';
import { oneOf, sample } from './helpers/yaml-samples.ts';

const skip = await ansibleSkip();

const names = fc.constantFrom('a', 'b', 'ansible_host', 'x-y', 'é');
const values = oneOf(
  ['1', 'yes', 'abc', '"q w"', "'it s'", '"[1, 2]"', '\'{"a": 1}\'', 'a\\ b', '"a\\"b"', '"\\n"'],
  ['', '#c', 'a#b', '"a#b"', '{{ x }}', '"{{ x }}"', '=', 'a=b', '"open', '\\'],
);
const hosts = oneOf(
  ['h1', 'h2', 'h3.example.com', 'h4:22', 'h[1:3]', 'h5:', '10.0.0.1', '10.0.0.1:2222'],
  ['fe80::1', 'h_', 'ho*st', '---', '"h q"', 'h\\ x', 'hé', 'h#c', ...HOST_NAMES],
);
const hostLine = fc
  .tuple(
    hosts,
    fc.array(fc.tuple(names, values), { maxLength: 3 }),
    fc.constantFrom('', ' # c', '  ', '#c', ' junk'),
  )
  .map(([host, vars, end]) => [host, ...vars.map((pair) => pair.join('='))].join(' ') + end);
const varLine = fc
  .tuple(names, fc.constantFrom('=', ' = ', '= ', ''), values, fc.constantFrom('', ' # c'))
  .map((parts) => parts.join(''));
const section = fc
  .tuple(
    fc.constantFrom('g1', 'g2', 'g3', 'all', 'ungrouped', 'g-x'),
    fc.constantFrom('', '', '', ':vars', ':children', ':hosts', ':foo'),
    fc.constantFrom('', '', ' # c', ' ', 'x', '  ; c'),
  )
  .map(([group, kind, end]) => `[${group}${kind}]${end}`);
const oddLine = fc.constantFrom('', '# c', '; c', '  h1', '[bad group]', '[g1', '\ttab=1');
const anyLines = fc
  .tuple(
    fc.array(fc.oneof(hostLine, varLine, section, section, oddLine), { maxLength: 8 }),
    fc.constantFrom('\n', '\n', '\r\n'),
  )
  .map(([lines, newline]) => lines.join(newline));

/** Lines in the sections where they belong; children only downwards, so that there are no loops. */
const goodLines = fc
  .array(
    fc.oneof(
      hostLine.map((line) => `[g1]\n${line}\n`),
      varLine.map((line) => `[g2:vars]\n${line}\n`),
      fc.constantFrom('[g1:children]\ng2\n', '[g1:children]\ng3 # c\n', '[g2:children]\ng3\n'),
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => `[g1]\n[g2]\n${parts.join('')}[g3]\n`);

test('generated INI inventories are read as Ansible reads them', { skip }, async () => {
  const texts = sample(fc.oneof(anyLines, goodLines), 3000);
  const { agreed, bothRefused, different } = await compareWithAnsible('ini', texts, (text) =>
    sourceToTyped(parseIniInventory(text, 'hosts')),
  );
  assert.deepEqual(different, []);
  assert.ok(agreed > 700 && bothRefused > 700, `${agreed} read, ${bothRefused} refused`);
});

test('sections make groups with hosts, variables and children', () => {
  const text = [
    'lone ansible_host=10.0.0.1',
    '[matrix:children]',
    'servers',
    '',
    '[servers] # all of them',
    'a.example.com:2222 x=1 y="two words" # comment',
    'b.example.com',
    '[servers:vars]',
    'z = [1, "q"] # comment',
  ];
  const { groups, hosts, file, folder } = parseIniInventory(text.join('\n'), 'inventory/hosts');
  assert.deepEqual([file, folder], ['inventory/hosts', 'inventory']);
  assert.deepEqual([...groups.keys()], ['all', 'ungrouped', 'matrix', 'servers']);
  assert.deepEqual(groups.get('all')?.children, ['ungrouped']);
  assert.deepEqual(groups.get('ungrouped')?.hosts, ['lone']);
  assert.deepEqual(groups.get('matrix')?.children, ['servers']);
  assert.deepEqual(groups.get('matrix')?.at, { file, line: 2, column: 1 });
  const servers = groups.get('servers');
  assert.deepEqual(servers?.hosts, ['a.example.com', 'b.example.com']);
  assert.deepEqual(servers.vars.get('z')?.at, { file, line: 9, column: 5 });
  const a = hosts.get('a.example.com');
  assert.deepEqual(a?.at, { file, line: 6, column: 1 });
  assert.deepEqual(
    [...a.vars].map(([name, value]) => [name, toTyped(value), value.at.column]),
    [
      ['ansible_port', ['int', '0x8ae'], 1],
      ['x', ['int', '0x1'], 22],
      ['y', ['str', 'two words'], 26],
    ],
  );
});

/** Names of cases with the text, and code and place of each fault. */
const REFUSED: readonly (readonly [string, string, readonly string[]])[] = [
  ['a range that ends before it begins', 'a\nh[20:10] x=1\n', ['E_INVENTORY 2:1']],
  ['a pattern', 'h*\n', ['E_UNSUPPORTED 1:1']],
  ['a host that ends with a colon', '  all:\n', ['E_INVENTORY 1:3']],
  ['a section of an unknown kind', '[g:foo]\n', ['E_INI 1:1']],
  ['a section with a space', '[my group]\n', ['E_INI 1:1']],
  ['an undefined child', '[g:children]\na\nb\n[b]\n', ['E_INI 2:1']],
  ['variables of an undefined group', '[g:vars]\nx=1\n', ['E_INI 1:1']],
  ['a variable without a value', '[all:vars]\nx\n=1\n', ['E_INI 2:1', 'E_INI 3:1']],
  ['a word behind a host', 'h x=1 up\nh =1\n', ['E_INI 1:7', 'E_INI 2:3']],
  ['an open quote', 'h x="1\nh \\', ['E_INI 1:1', 'E_INI 2:1']],
  ['a byte order mark', '\ufeff[g]\n', ['E_INI 1:1']],
  ['line breaks that only Python knows', 'h\u2028x=1\nh\u000b', ['E_INI 1:2', 'E_INI 2:2']],
  ['a value that cannot be read', 'h a=1 b="b\'x\'"\n', ['E_UNSUPPORTED 1:9']],
];

for (const [name, text, expected] of REFUSED) {
  test(`${name} is refused with its place`, () => {
    assert.throws(
      () => parseIniInventory(text, 'hosts'),
      (error) => {
        assert.ok(error instanceof InputError);
        const faults = error.faults.map(({ code, at }) => `${code} ${at?.line}:${at?.column}`);
        assert.deepEqual(faults, expected);
        return true;
      },
    );
  });
}
