import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { readAnsibleConfig } from '../src/ansible/config.ts';
import { createListing } from '../src/ansible/dynamic.ts';
import { loadInventory } from '../src/inventory.ts';
import type { HostView } from '../src/inventory.ts';
import { Secret } from '../src/secret.ts';
import { decryptText, encryptText, encryptionSecret, keyringOf } from '../src/vault/keyring.ts';
import { startInventoryOracle } from './helpers/ansible-inventory.ts';
import type { InventoryAnswer, InventoryOracle } from './helpers/ansible-inventory.ts';
import { toTyped } from './helpers/ansible-loader.ts';
import { CASE_SECRET, generatedCase, writeCase } from './helpers/generated-case.ts';
import type { GeneratedCase, WrittenCase } from './helpers/generated-case.ts';
import { generatedInventory, writeInventory } from './helpers/generated-inventory.ts';
import { createTally, oracleRuns } from './helpers/oracle-tally.ts';
import type { Tally } from './helpers/oracle-tally.ts';
import { withFolder } from './helpers/folder.ts';
import { ansibleBin, ansibleSkip } from './helpers/python.ts';

const skip = await ansibleSkip();
const inventoryCommand = skip === false ? await ansibleBin('ansible-inventory') : '';

test(
  'hosts, values and types of generated inventories are what Ansible sees, or refused',
  { skip },
  async (t) => {
    const oracle = await startInventoryOracle();
    const runs = oracleRuns(120);
    const tally = createTally('inventories', runs.seed);
    const property = fc.asyncProperty(generatedCase, (one) =>
      withFolder({}, (cwd) => compare(cwd, one, { oracle, tally })),
    );
    await fc.assert(property, { ...runs, includeErrorInReport: true }).finally(oracle.close);
    t.diagnostic(tally.text());
    assert.ok(tally.same > runs.numRuns / 3, 'most inventories are read');
  },
);

test('whole-file vaults hold what Ansible decrypts', { skip }, async () => {
  const secrets = [{ label: 'default', password: new Secret('correct horse') }];
  const encrypt = (text: string): Promise<string> =>
    encryptText(text, encryptionSecret(keyringOf(secrets), null));
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
      decryptText(envelope, keyringOf(secrets), { file, line: 1, column: 1 });
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
    const ask = async (question: readonly string[]): Promise<unknown> => {
      const asked = [...question, ...args];
      const { stdout } = await promisify(execFile)(inventoryCommand, asked, { cwd, env });
      return JSON.parse(stdout);
    };
    const { hostvars } = ((await ask(['--list'])) as { _meta: { hostvars: object } })._meta;
    const plain = Object.fromEntries(
      Object.entries(hosts).map(([host, vars]) => [host, toJsonAll(vars)]),
    );
    assert.deepEqual(plain, hostvars);
    const name = Object.keys(plain).find((host) => Object.keys(plain[host] ?? {}).length > 0) ?? '';
    assert.deepEqual(await ask(['--host', name]), plain[name]);
  });
});

/** The same hosts, values and types; what Ansible refuses, we refuse as well. */
async function compare(
  cwd: string,
  one: GeneratedCase,
  { oracle, tally }: { oracle: InventoryOracle; tally: Tally },
): Promise<void> {
  const written = await writeCase(cwd, one);
  const theirs = await oracle.list(argsOf(written), cwd, written.env);
  const views = await tally.ours(() => loadCase(cwd, written));
  if (views !== null) {
    const see = one.settings?.mergeMaps === true ? inAnyOrder : (value: unknown) => value;
    assert.deepEqual(see(effectiveValues(views)), see(theirs.hosts), theirs.detail);
  }
  tally.count(views, { isRead: theirs.hosts !== undefined });
}

async function loadCase(cwd: string, written: WrittenCase): Promise<readonly HostView[]> {
  const { passwordFile, env } = written;
  return loadInventory({
    ...written,
    cwd,
    config: readAnsibleConfig({ cwd, env }),
    decrypt:
      passwordFile === null
        ? null
        : (envelope, file) =>
            decryptText(envelope, keyringOf([CASE_SECRET]), { file, line: 1, column: 1 }),
    list: createListing({
      program: () => inventoryCommand,
      vaultArguments: [],
      run: async (file, args, options) => {
        const ran = promisify(execFile)(file, args, {
          cwd,
          env: { PATH: process.env['PATH'], ...env, ...options.env },
        });
        const { stdout } = await ran;
        return { exitCode: 0, stdout: Buffer.from(stdout) };
      },
    }),
  });
}

function argsOf(
  written: Omit<WrittenCase, 'env' | 'passwordFile'> & Partial<WrittenCase>,
): string[] {
  const { passwordFile = null } = written;
  return [
    ...(passwordFile === null ? [] : ['--vault-password-file', passwordFile]),
    ...written.inventory.flatMap((source) => ['-i', source]),
    ...written.extraVars.flatMap((text) => ['-e', text]),
    '--playbook-dir',
    written.playbookDir,
  ];
}

/** Two maps that are equal, but for the order of their keys, Ansible merges in a way of its own. */
function inAnyOrder(value: unknown): unknown {
  if (!Array.isArray(value)) {
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, inAnyOrder(inner)]),
    );
  }
  const items = value.map(inAnyOrder);
  if (items[0] !== 'dict') return items;
  const entries = items[1] as unknown[];
  return ['dict', entries.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))];
}

function toJsonAll(vars: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, toJson(value)]));
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
