import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseHostNames } from '../src/ansible/host-name.ts';
import { parseIniInventory } from '../src/ansible/inventory-ini.ts';
import { parseYamlInventory } from '../src/ansible/inventory-yaml.ts';
import { InputError } from '../src/errors.ts';
import { compareWithAnsible, sourceToTyped } from './helpers/ansible-loader.ts';
import { HOST_NAMES } from './helpers/host-names.ts';
import { ansibleSkip } from './helpers/python.ts';
import { sample } from './helpers/yaml-samples.ts';

const skip = await ansibleSkip();

const PIECES =
  'h x - _ . : :: fe80 1 22 [ ] é 10.0.0.1 [1:3] [01:10] [a:c] [a:f:2] :22 [9:11] [1:22] [:1]';
const pieces = fc.constantFrom(...PIECES.split(' '), ' ', '\n');
const generated = fc.array(pieces, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));

test('names, ranges and addresses are expanded as Ansible expands them', { skip }, async () => {
  const names = [...HOST_NAMES, ...sample(generated, 1500)];
  const yaml = names.map((name) => `all: {hosts: {${JSON.stringify(name)}: {v: 1}}}`);
  const inYaml = await compareWithAnsible('yaml-inventory', yaml, (text) =>
    sourceToTyped(parseYamlInventory(text, 'hosts.yml')),
  );
  assert.deepEqual(inYaml.different, []);
  assert.ok(inYaml.agreed > 400, `${inYaml.agreed} read`);
  const ini = names.map((name) => `[g]\n${name} v=1\n`);
  const inIni = await compareWithAnsible('ini', ini, (text) =>
    sourceToTyped(parseIniInventory(text, 'hosts')),
  );
  assert.deepEqual(inIni.different, []);
  assert.ok(inIni.agreed > 400, `${inIni.agreed} read`);
});

const EXPANDED: readonly (readonly [string, readonly string[], number | null])[] = [
  ['web[01:03].x', ['web01.x', 'web02.x', 'web03.x'], null],
  ['x[a:b]-[1:9:4]:22', ['xa-1', 'xa-5', 'xa-9', 'xb-1', 'xb-5', 'xb-9'], 22],
  ['[fe80::1]:2222', ['fe80::1'], 2222],
  ['fe80::1', ['fe80::1'], null],
];

for (const [text, names, port] of EXPANDED) {
  test(`${text} stands for ${names.length} hosts`, () => {
    const at = { file: 'hosts', line: 1, column: 1 };
    assert.deepEqual(parseHostNames(text, at), { names, port });
  });
}

test('a range that would fill the memory is refused', () => {
  const at = { file: 'hosts', line: 3, column: 5 };
  for (const text of ['h[1:70000]', 'h[1:999]-[1:999]', 'h[0:99999999999999999999]']) {
    assert.throws(
      () => parseHostNames(text, at),
      (error) => error instanceof InputError && error.faults[0]?.at === at,
    );
  }
});
