import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { loadInventory } from '../src/inventory.ts';
import type { HostView } from '../src/inventory.ts';
import { Secret } from '../src/secret.ts';
import { decryptText, encryptText, encryptionSecret } from '../src/vault/keyring.ts';
import { startInventoryOracle } from './helpers/ansible-inventory.ts';
import type { InventoryAnswer, InventoryOracle } from './helpers/ansible-inventory.ts';
import { toTyped } from './helpers/ansible-loader.ts';
import { generatedInventory, writeInventory } from './helpers/generated-inventory.ts';
import type { GeneratedInventory } from './helpers/generated-inventory.ts';
import { withFolder } from './helpers/folder.ts';
import { ansibleBin, ansibleSkip } from './helpers/python.ts';

const skip = await ansibleSkip();

/** Set for longer runs. */
const RUNS = Number(process.env['MATRIX_TOKENS_ORACLE_RUNS'] ?? 200);

test(
  'hosts, values and types of generated inventories are what Ansible sees',
  { skip },
  async () => {
    const oracle = await startInventoryOracle();
    try {
      const property = fc.asyncProperty(generatedInventory, (generated) =>
        compare(generated, oracle),
      );
      await fc.assert(property, { numRuns: RUNS, includeErrorInReport: true });
    } finally {
      oracle.close();
    }
  },
);

test('whole-file vaults hold what Ansible decrypts', { skip }, async () => {
  const secrets = [{ label: 'default', password: new Secret('correct horse') }];
  const encrypt = (text: string): Promise<string> =>
    encryptText(text, encryptionSecret(secrets, undefined));
  const files = {
    password: 'correct horse\n',
    'inv/hosts': await encrypt('[web]\nh a=1\ng\n'),
    'inv/group_vars/web/vault': await encrypt('a: 2\nb: 0644\nc: !unsafe "{{ b }}"\n'),
    'inv/host_vars/h.yml': await encrypt('b: yes\n'),
    'play/host_vars/g.json': await encrypt('{"b": [1.5, null]}'),
    'empty/group_vars/all': await encrypt(''),
    'extra.yml': await encrypt('d: 1_000\n'),
  };
  await withFolder(files, async (cwd) => {
    const playbookDir = join(cwd, 'play');
    const decrypt = (envelope: string, file: string): Promise<string> =>
      decryptText(envelope, secrets, { file, line: 1, column: 1 });
    const inventory = ['inv/hosts', 'empty/hosts'];
    writeFileSync(join(cwd, 'empty/hosts'), 'g\n');
    const extraVars = [`@${join(cwd, 'extra.yml')}`];
    const views = await loadInventory({ inventory, extraVars, playbookDir, cwd, decrypt });
    const oracle = await startInventoryOracle();
    const args = [
      ...argsOf({ inventory, extraVars, playbookDir }),
      '--vault-password-file',
      'password',
    ];
    const theirs = await oracle.list(args, cwd).finally(oracle.close);
    assert.deepEqual(effectiveValues(views), theirs.hosts, theirs.detail);
  });
});

test('the oracle answers as the command ansible-inventory does', { skip }, async () => {
  const samples = fc.sample(generatedInventory, { numRuns: 30, seed: 4 });
  const generated = samples.find(({ files, extra }) => files.length > 30 && extra.length === 2);
  assert.ok(generated);
  await withFolder({}, async (cwd) => {
    const args = argsOf(writeInventory(cwd, generated));
    const oracle = await startInventoryOracle();
    const { hosts = {} } = await oracle.list(args, cwd).finally(oracle.close);
    const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], LC_ALL: 'C.UTF-8' };
    const command = await ansibleBin('ansible-inventory');
    const { stdout } = await promisify(execFile)(command, ['--list', ...args], { cwd, env });
    const { hostvars } = (JSON.parse(stdout) as { _meta: { hostvars: object } })._meta;
    const plain = Object.entries(hosts).map(([host, vars]) => [
      host,
      Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, toJson(value)])),
    ]);
    assert.deepEqual(Object.fromEntries(plain), hostvars);
  });
});

async function compare(generated: GeneratedInventory, oracle: InventoryOracle): Promise<void> {
  await withFolder({}, async (cwd) => {
    const written = writeInventory(cwd, generated);
    const theirs = await oracle.list(argsOf(written), cwd);
    const views = await loadInventory({ ...written, cwd, decrypt: null });
    assert.deepEqual(effectiveValues(views), theirs.hosts, theirs.detail);
  });
}

function argsOf(written: ReturnType<typeof writeInventory>): string[] {
  return [
    ...written.inventory.flatMap((source) => ['-i', source]),
    ...written.extraVars.flatMap((text) => ['-e', text]),
    '--playbook-dir',
    written.playbookDir,
  ];
}

/** What `ansible-inventory` prints for a value in the oracle's form. */
function toJson(typed: unknown): unknown {
  const [type, value] = typed as [string, unknown];
  if (type === 'none') return null;
  if (type === 'int') return Number.parseInt(String(value), 16);
  if (type === 'float') return Buffer.from(String(value), 'hex').readDoubleBE();
  if (type === 'list') return (value as unknown[]).map(toJson);
  if (type !== 'dict') return value;
  const entries = value as [[string, string], unknown][];
  return Object.fromEntries(entries.map(([[, key], inner]) => [key, toJson(inner)]));
}

/** What wins on each host, without the names that `ansible-inventory` leaves out. */
function effectiveValues(views: readonly HostView[]): InventoryAnswer['hosts'] {
  return Object.fromEntries(
    views.map((view) => {
      const magic = view.layers.filter((layer) => layer.kind === 'magic');
      const isMagic = (name: string): boolean =>
        magic.some((layer) => layer.vars?.has(name) === true);
      const names = [...view.names()].filter((name) => !isMagic(name));
      return [view.name, Object.fromEntries(names.map((name) => [name, valueOf(view, name)]))];
    }),
  );
}

function valueOf(view: HostView, name: string): unknown {
  const { found } = view.lookup(name);
  return found === null ? 'nothing' : toTyped(found.entry.value);
}
