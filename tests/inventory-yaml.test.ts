import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseYamlInventory } from '../src/ansible/inventory-yaml.ts';
import { InputError } from '../src/errors.ts';
import { compareWithAnsible, sourceToTyped, toTyped } from './helpers/ansible-loader.ts';
import { ansibleSkip } from './helpers/python.ts';
import { oneOf, sample } from './helpers/yaml-samples.ts';

const skip = await ansibleSkip();

const values = oneOf([
  '1',
  'yes',
  'abc',
  '"{{ x }}"',
  '{}',
  '[]',
  '[a]',
  '{a: 1}',
  '~',
  '',
  '0644',
  '"q"',
]);

const flowMap = (entries: fc.Arbitrary<readonly [string, string]>): fc.Arbitrary<string> =>
  fc
    .uniqueArray(entries, { maxLength: 3, selector: ([key]) => key })
    .map((pairs) => `{${pairs.map(([key, value]) => `${key}: ${value}`).join(', ')}}`);

/** Groups whose names grow with their depth, so that there are no loops. */
const { group } = fc.letrec<{ group: string }>((tie) => {
  const hostVars = fc.oneof(values, fc.constantFrom('{a: 1}', '{b: x, c: [1]}'));
  const hostNames = ['h1', 'h2', 'h3:22', 'h[1:2]', '12', '"13"', 'h-x', '---', '""', '~'];
  const hosts = flowMap(fc.tuple(fc.constantFrom(...hostNames), hostVars));
  const vars = flowMap(fc.tuple(fc.constantFrom('a', 'b', 'c'), values));
  const section = fc.oneof(
    fc.tuple(fc.constant('hosts'), fc.oneof(hosts, hosts, values)),
    fc.tuple(fc.constant('vars'), fc.oneof(vars, vars, values)),
    fc.tuple(
      fc.constant('children'),
      fc.oneof(
        flowMap(fc.tuple(fc.constantFrom('c1', 'c2', '12'), tie('group'))),
        fc.constantFrom('kid', '', '~', '[a]', '1'),
      ),
    ),
    fc.tuple(fc.constant('other'), values),
  );
  return {
    group: fc.oneof(
      { maxDepth: 1 },
      fc.constantFrom('{}', '', '~', 'x', '[]', '1'),
      flowMap(section),
    ),
  };
});

const inventories = fc
  .uniqueArray(fc.tuple(fc.constantFrom('all', 'g1', 'g2', 'ungrouped', '12', 'plugin'), group), {
    minLength: 1,
    maxLength: 3,
    selector: ([name]) => name,
  })
  .map((groups) => groups.map(([name, body]) => `${name}: ${body}\n`).join(''));

test('generated YAML inventories are read as Ansible reads them', { skip }, async () => {
  const texts = sample(inventories, 3000);
  const { agreed, bothRefused, different } = await compareWithAnsible(
    'yaml-inventory',
    texts,
    (text) => sourceToTyped(parseYamlInventory(text, 'hosts.yml')),
  );
  assert.deepEqual(different, []);
  assert.ok(agreed > 400 && bothRefused > 700, `${agreed} read, ${bothRefused} refused`);
});

test('groups have hosts, variables and children, wherever they are named', () => {
  const text = `
all:
  vars: {x: 1}
  children:
    matrix:
      hosts:
        a.example.com:
          ansible_host: 10.0.0.1
        b.example.com:2222:
    empty:
matrix:
  vars:
    y: !vault |
      $ANSIBLE_VAULT;1.1;AES256
      3132
  hosts: c.example.com
`;
  const { groups, hosts, folder } = parseYamlInventory(text, '/etc/inventory/hosts.yml');
  assert.equal(folder, '/etc/inventory');
  assert.deepEqual(groups.get('all')?.children, ['ungrouped', 'matrix', 'empty']);
  assert.deepEqual(groups.get('matrix')?.hosts, [
    'a.example.com',
    'b.example.com',
    'c.example.com',
  ]);
  assert.equal(groups.get('matrix')?.at?.line, 5);
  assert.equal(toTyped(groups.get('matrix')?.vars.get('y') ?? null)[0], 'vault');
  assert.deepEqual([...hosts.keys()], ['a.example.com', 'b.example.com', 'c.example.com']);
  assert.deepEqual(toTyped(hosts.get('b.example.com')?.vars.get('ansible_port') ?? null), [
    'int',
    '0x8ae',
  ]);
  assert.equal(hosts.get('a.example.com')?.at.line, 7);
});

/** Names of cases with the text, and code and place of each fault. */
const REFUSED: readonly (readonly [string, string, readonly string[]])[] = [
  ['an empty file', '# nothing\n', ['E_INVENTORY 1:1']],
  ['an empty map', '{}\n', ['E_INVENTORY 1:1']],
  ['a list', '- all\n', ['E_INVENTORY 1:1']],
  ['a plugin configuration', 'plugin: aws_ec2\nregions: []\n', ['E_UNSUPPORTED 1:1']],
  [
    'a range of hosts that is none',
    'all:\n  hosts:\n    h[1-3]:\n    i[1:99999999]:\n',
    ['E_INVENTORY 3:5', 'E_INVENTORY 4:5'],
  ],
  ['hosts as a list', 'all:\n  hosts: [a, b]\n', ['E_INVENTORY 2:10']],
  ['a host with a string', 'all:\n  hosts:\n    a: b\n', ['E_INVENTORY 3:8']],
  ['a number as host', 'all:\n  hosts:\n    12:\n', ['E_INVENTORY 3:5']],
  ['a string as group', 'all: a\n', ['E_INVENTORY 1:6']],
  ['a number as group', '12: {}\n', ['E_INVENTORY 1:1']],
  ['a variable without a name', 'all:\n  vars:\n    ~: x\n', ['E_INVENTORY 3:5']],
  ['YAML that cannot be read', 'all: {{ x }}\n', ['E_YAML 1:7']],
];

for (const [name, text, expected] of REFUSED) {
  test(`${name} is refused with its place`, () => {
    assert.throws(
      () => parseYamlInventory(text, 'hosts.yml'),
      (error) => {
        assert.ok(error instanceof InputError);
        const faults = error.faults.map(({ code, at }) => `${code} ${at?.line}:${at?.column}`);
        assert.deepEqual(faults, expected);
        return true;
      },
    );
  });
}
