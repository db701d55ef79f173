import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../src/errors.ts';
import type { Fault } from '../src/errors.ts';
import { appendToMap } from '../src/yaml/append.ts';
import { parseYaml } from '../src/yaml/parse.ts';
import { compareWithAnsible, toTyped } from './helpers/ansible-loader.ts';
import { ansibleSkip } from './helpers/python.ts';
import { writtenDocuments } from './helpers/yaml-documents.ts';
import { sample } from './helpers/yaml-samples.ts';

const skip = await ansibleSkip();

const BLOCK =
  'new_token: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3132\n  3334\nnew_device: "ABC"\n';

/** Names of cases with the file before and after. */
const GROWN: readonly (readonly [string, string, string])[] = [
  ['a file with a final newline', 'a: 1\n', `a: 1\n${BLOCK}`],
  ['a file without a final newline', 'a: 1', `a: 1\n${BLOCK}`],
  ['an empty file', '', BLOCK],
  ['a file with a comment only', '# mine', `# mine\n${BLOCK}`],
  ['a start mark and nothing else', '---\n', `---\n${BLOCK}`],
  ['a start mark and a comment at the end', '---\na: 1\n# x', `---\na: 1\n# x\n${BLOCK}`],
  ['an end mark', 'a: 1\n...\n', `a: 1\n${BLOCK}...\n`],
  ['an end mark without a newline', 'a: 1\n... # bye', `a: 1\n${BLOCK}... # bye`],
  ['text like an end mark in a block', 'a: |\n  ...\n', `a: |\n  ...\n${BLOCK}`],
  ['CRLF', 'a: 1\r\nb: 2\r\n', `a: 1\r\nb: 2\r\n${BLOCK.replaceAll('\n', '\r\n')}`],
  ['CRLF and no final newline', '# x\r\na: 1', `# x\r\na: 1\r\n${BLOCK.replaceAll('\n', '\r\n')}`],
  [
    'indented keys',
    '  a: 1\n  b: 2\n',
    `  a: 1\n  b: 2\n${BLOCK.replaceAll(/^/gm, '  ').trimEnd()}\n`,
  ],
  ['a block that keeps its blank lines', 'a: |+\n  x\n\n\n', `a: |+\n  x\n\n\n${BLOCK}`],
  ['a block with a clipped end', 'a: |\n  x\n\n', `a: |\n  x\n\n${BLOCK}`],
  ['a stripped block without a final newline', 'a: >-\n  x\n  y', `a: >-\n  x\n  y\n${BLOCK}`],
  ['a vaulted block without a final newline', 'a: !vault |\n  $A', `a: !vault |\n  $A\n${BLOCK}`],
  ['a key without a value', 'a:', `a:\n${BLOCK}`],
  ['a list at the indentation of its key', 'a:\n- 1\n- 2\n', `a:\n- 1\n- 2\n${BLOCK}`],
  ['text over several lines', "a: 'x\n\n  y'\nb: c\n  d\n", `a: 'x\n\n  y'\nb: c\n  d\n${BLOCK}`],
  ['a flow map over several lines', 'a: {b: 1,\n  c: 2}\n', `a: {b: 1,\n  c: 2}\n${BLOCK}`],
  ['anchors, aliases, merges', 'a: &x {y: 0644}\n<<: *x\n', `a: &x {y: 0644}\n<<: *x\n${BLOCK}`],
  ['spaces on the last line', 'a: 1\n  ', `a: 1\n  \n${BLOCK}`],
  ['other tags and odd spacing', 'a  :   !!str  1   # x\n', `a  :   !!str  1   # x\n${BLOCK}`],
];

for (const [name, before, after] of GROWN) {
  test(`keys are added at the end, every old byte kept: ${name}`, () => {
    assert.equal(appendToMap(before, 'vars.yml', BLOCK), after);
  });
}

/** Names of cases with the file and the place of the fault. */
const REFUSED: readonly (readonly [string, string, string])[] = [
  ['a map in braces', '# x\n{a: 1}\n', '2:1'],
  ['an empty map in braces', '{}', '1:1'],
  ['JSON', '{\n  "a": 1\n}\n', '1:1'],
  ['a list', '- a\n- b\n', '1:1'],
  ['a string', 'a\n', '1:1'],
  ['a byte order mark', '\ufeffa: 1\n', '1:1'],
  ['a key that is there', 'a: 1\nnew_device: x\n', '2:1'],
  ['a key that a merge brings', '<<: {new_token: x}\n', '1:6'],
  ['a null', 'null\n', '2:1'],
  ['a tag that would reach the new keys', '!unsafe\na: 1\n', '3:1'],
  ['a block whose end a newline would change', 'a: |\n  x', '2:4'],
];

for (const [name, text, place] of REFUSED) {
  test(`what cannot grow safely is refused with its place and what to change: ${name}`, () => {
    const [fault] = faultsOf(() => appendToMap(text, 'vars.yml', BLOCK));
    assert.equal(fault?.code, 'E_NO_SAFE_SPLICE');
    assert.equal(`${fault.at?.line}:${fault.at?.column}`, place);
    assert.ok(fault.fix !== undefined && fault.wanted !== undefined);
  });
}

test('a file that Ansible cannot read is refused as such', () => {
  assert.equal(faultsOf(() => appendToMap('a: {{ b }}\n', 'f', BLOCK))[0]?.code, 'E_YAML');
});

test('in any document the old bytes and the old data stay', { skip }, async () => {
  const texts = sample(writtenDocuments, 4000);
  // A vaulted value at the end of a file without a newline gets one, which is no part of it.
  const isExact = (text: string): boolean => text.endsWith('\n') || !text.includes('!vault');
  const grown = texts.filter(isExact).flatMap((text) => growOrNothing(text));
  assert.ok(grown.length > 200, `only ${grown.length} documents grew`);
  const afterwards = new Map(grown.map(({ before, after }) => [after, before]));
  const { different, refused } = await compareWithAnsible(
    'yaml',
    [...afterwards.keys()],
    (text) => {
      const old = parseYaml(afterwards.get(text) ?? '', 'f');
      const oldEntries = old?.kind === 'map' ? old.entries : [];
      const added = parseYaml(BLOCK, 'f');
      assert.ok(added?.kind === 'map');
      return toTyped({ ...added, entries: [...oldEntries, ...added.entries] });
    },
  );
  assert.deepEqual(refused, []);
  assert.deepEqual(different, []);
});

function growOrNothing(before: string): { before: string; after: string }[] {
  try {
    const after = appendToMap(before, 'f', BLOCK);
    const [head = '', tail = ''] = after.split(/new_token: !vault[^]*new_device: "ABC"\r?\n/);
    assert.equal((head + tail).replaceAll(/\r?\n/g, ''), before.replaceAll(/\r?\n/g, ''));
    assert.ok(before.startsWith(head.replace(/\r?\n *$/, '')) && before.endsWith(tail));
    return [{ before, after }];
  } catch (error) {
    if (error instanceof InputError) return [];
    throw error;
  }
}

function faultsOf(run: () => unknown): readonly Fault[] {
  try {
    run();
  } catch (error) {
    if (error instanceof InputError) return error.faults;
    throw error;
  }
  return assert.fail('nothing was refused');
}
