import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { lookupIn } from '../src/ansible/layer.ts';
import type { Layer, Lookup } from '../src/ansible/layer.ts';
import { resolveNode } from '../src/ansible/references.ts';
import type { Resolved } from '../src/ansible/references.ts';
import { entriesByName } from '../src/ansible/vars-files.ts';
import { loadInventory } from '../src/inventory.ts';
import type { HostView } from '../src/inventory.ts';
import type { ScalarNode, ScalarValue, YamlNode } from '../src/yaml/node.ts';
import { parseYaml } from '../src/yaml/parse.ts';
import { ansibleBin, ansibleSkip } from './helpers/python.ts';

const INVENTORY = fileURLToPath(
  new URL('../../tests/fixtures/references/hosts.yml', import.meta.url),
);
const FOLDER = dirname(INVENTORY);

const skip = await ansibleSkip();

test('plain references give what Ansible renders, with its types', { skip }, async () => {
  const host = await loadHost();
  const theirs = await renderWithAnsible('rendered');
  // Before 2.19 a value out of a map became text: 42 as "42", null as "".
  const asText = theirs['int in a map'] === '42';
  const ours = entriesOf(host, 'rendered').map(([key, value]) => {
    const rendered = renderResolved(host.resolve(value));
    return [key, asText && key.endsWith('in a map') ? printOld(rendered) : rendered];
  });
  assert.deepEqual(Object.fromEntries(ours), theirs);
});

test('what is not plainly plain is left to Ansible', async () => {
  const host = await loadHost();
  for (const [key, value] of entriesOf(host, 'refused'))
    assert.equal(host.resolve(value).kind, 'template', key);
});

test('a reference to nothing says which name is missing and where it is used', () => {
  assert.deepEqual(resolveText('a: "{{ b }}"\nb: "x{{ gone }}"'), {
    kind: 'undefined',
    name: 'gone',
    at: { file: 'vars.yml', line: 2, column: 4 },
    closed: [],
  });
  assert.deepEqual(resolveText('a: "{{ b.c.d }}"\nb: {c: {}}'), {
    kind: 'undefined',
    name: 'b.c.d',
    at: { file: 'vars.yml', line: 1, column: 4 },
    closed: [],
  });
  assert.equal(resolveText('a: "{{ b.c }}"\nb: text').kind, 'undefined');
  assert.equal(resolveText('a: "{{ b.c }}"\nb: [c]').kind, 'undefined');
});

test('a closed vault file is named where it could define what is missing', () => {
  const closed = { ...layerOf(''), file: 'vault.yml', vars: null, encrypted: true };
  const found = resolveText('a: "{{ gone }}"', [closed]);
  assert.deepEqual(found.kind === 'undefined' && found.closed, ['vault.yml']);
});

test('references in a circle are found, with all names of the circle', () => {
  const direct = resolveText('a: "{{ a }}"');
  assert.deepEqual(direct.kind === 'cycle' && direct.names, ['a']);
  const far = resolveText('a: "{{ b }}"\nb: "x{{ c.d }}"\nc: {d: "{{ a }}"}');
  assert.deepEqual(far.kind === 'cycle' && far.names, ['b', 'c.d', 'a']);
});

test('references that double at every step end', () => {
  const lines = Array.from({ length: 40 }, (_, i) => `v${i}: "{{ v${i + 1} }}{{ v${i + 1} }}"`);
  const found = resolveText(['a: "{{ v0 }}"', ...lines, 'v40: x'].join('\n'));
  assert.equal(found.kind, 'template');
});

test('a vaulted value stays closed, alone and in text', () => {
  const vars = 'b: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  3338\nc: "{{ b }}"\n';
  const alone = resolveText(`a: "{{ c }}"\n${vars}`);
  assert.equal(alone.kind === 'found' && alone.node.kind === 'scalar' && alone.node.tag, 'vault');
  const text = resolveText(`a: "x{{ c }}-{{ c }}y"\n${vars}`);
  assert.deepEqual(
    text.kind === 'text' && text.parts.map((part) => (typeof part === 'string' ? part : part.tag)),
    ['x', 'vault', '-', 'vault', 'y'],
  );
});

test('the trail begins where the value stands and ends where it comes from', () => {
  const found = resolveText('a: "{{ b.c }}"\nb: "{{ d }}"\nd: {c: x}');
  assert.deepEqual(found.kind === 'found' && found.trail.map((at) => [at.line, at.column]), [
    [1, 4],
    [2, 4],
    [3, 4],
    [3, 8],
  ]);
});

test('only what a value needs is looked at', () => {
  const found = resolveText('a: "{{ b.c }}"\nb: {c: x, d: "{{ gone | bad }}", e: "{{ a }}"}');
  assert.equal(found.kind === 'found' && found.node.kind === 'scalar' && found.node.value, 'x');
  const own = resolveText('a: "{{ b.c }}"\nb: {c: "{{ b.d }}", d: x}');
  assert.equal(own.kind === 'found' && own.node.kind === 'scalar' && own.node.value, 'x');
});

async function loadHost(): Promise<HostView> {
  const options = { inventory: [INVENTORY], extraVars: [], playbookDir: FOLDER, cwd: FOLDER };
  const [host] = await loadInventory({ ...options, decrypt: null });
  assert.ok(host);
  return host;
}

function entriesOf(host: HostView, name: string): [string, YamlNode][] {
  const node = host.lookup(name).found?.entry.value;
  assert.ok(node?.kind === 'map' && node.entries.length > 20);
  return node.entries.map(({ key, value }) => [keyText(key), value]);
}

function keyText(key: ScalarValue): string {
  return typeof key === 'string' ? key : assert.fail('a key that is no string');
}

/** One run renders them all. */
async function renderWithAnsible(name: string): Promise<Record<string, unknown>> {
  const args = ['all', '-i', INVENTORY, '-m', 'debug', '-a', `var=${name}`];
  const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', ANSIBLE_NOCOLOR: '1' };
  const { stdout } = await promisify(execFile)(await ansibleBin('ansible'), args, {
    cwd: FOLDER,
    env: { ...env, HOME: process.env['HOME'] },
  });
  const answer = JSON.parse(stdout.slice(stdout.indexOf('{'))) as Record<string, unknown>;
  return answer[name] as Record<string, unknown>;
}

function renderResolved(resolved: Resolved): unknown {
  if (resolved.kind === 'found') return plain(resolved.node);
  if (resolved.kind !== 'text') return resolved.kind;
  return resolved.parts.map((part) => (typeof part === 'string' ? part : part.tag)).join('');
}

function plain(node: YamlNode): unknown {
  if (node.kind === 'seq') return node.items.map(plain);
  if (node.kind === 'scalar') return plainScalar(node);
  return Object.fromEntries(node.entries.map(({ key, value }) => [keyText(key), plain(value)]));
}

function plainScalar({ value }: ScalarNode): unknown {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'object' && value !== null ? value.iso : value;
}

function printOld(value: unknown): unknown {
  return typeof value === 'number' ? `${value}` : (value ?? '');
}

/** Resolves the variable `a` of a vars file. */
function resolveText(text: string, above: readonly Layer[] = []): Resolved {
  const layers = [layerOf(text), ...above];
  const lookup = (name: string): Lookup => lookupIn(layers, name);
  const entry = lookup('a').found?.entry;
  assert.ok(entry);
  return resolveNode(entry.value, lookup);
}

function layerOf(text: string): Layer {
  const root = parseYaml(text, 'vars.yml');
  const vars = entriesByName(root?.kind === 'map' ? root.entries : []);
  return { kind: 'host_vars', file: 'vars.yml', path: null, of: 'h', vars, encrypted: false };
}
