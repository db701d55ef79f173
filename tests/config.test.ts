import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { readAnsibleConfig } from '../src/ansible/config.ts';
import type { AnsibleConfig } from '../src/ansible/config.ts';
import { InputError } from '../src/errors.ts';
import { loadInventory } from '../src/inventory.ts';
import { toTyped } from './helpers/ansible-loader.ts';
import { withFolder } from './helpers/folder.ts';
import { ansibleBin, ansibleSkip } from './helpers/python.ts';

const skip = await ansibleSkip();

type Env = Record<string, string>;

const FILES = {
  'ansible.cfg': `# comment
[defaults]
Inventory = sub/hosts, $NAME/more ; comment
vault_password_file: ~/pass
vault_identity_list = dev@a, prod@b
vault_id_match = yes
ssh_args = -o A
  -o B
[inventory]
enable_plugins = host_list, script, auto, yaml, ini, toml
`,
  'other/ansible.cfg': '[defaults]\ninventory=here\nhash_behaviour=merge\n',
  'home/.ansible.cfg': '[defaults]\ninventory = ~/hosts\n',
};

test('settings come from ansible.cfg, with paths relative to it', async () => {
  await withFolder(FILES, async (cwd) => {
    const config = read(cwd, { NAME: 'x', HOME: '/home/me' });
    assert.deepEqual(config.inventory, [join(cwd, 'sub/hosts'), join(cwd, 'x/more')]);
    const { passwordFile, identityList, idMatch } = config.vault;
    const origin = 'vault_password_file in ansible.cfg';
    assert.deepEqual(passwordFile, { value: '/home/me/pass', origin });
    assert.deepEqual(valuesOf(identityList), ['dev@a', 'prod@b']);
    assert.deepEqual([idMatch, config.mergeMaps], [true, false]);
  });
});

test('the file is found as Ansible finds it, and the environment wins over it', async () => {
  await withFolder(FILES, async (cwd) => {
    const home = { NAME: 'x', HOME: join(cwd, 'home') };
    const named = read(cwd, { ...home, ANSIBLE_CONFIG: 'other' });
    assert.deepEqual([named.inventory, named.mergeMaps], [[join(cwd, 'other/here')], true]);
    assert.deepEqual(read(join(cwd, 'home'), home).inventory, [join(cwd, 'home/hosts')]);
    const env = { ...home, ANSIBLE_INVENTORY: 'a,~/b', ANSIBLE_HASH_BEHAVIOUR: 'merge' };
    const config = read(cwd, env);
    assert.deepEqual(config.inventory, [join(cwd, 'a'), join(cwd, 'home/b')]);
    assert.equal(config.mergeMaps, true);
  });
});

test('a file in a folder that everybody may write to is left out, and that is told', async () => {
  await withFolder(FILES, async (cwd) => {
    chmodSync(cwd, 0o777);
    const config = read(cwd, { NAME: 'x', HOME: join(cwd, 'home') });
    assert.deepEqual(config.inventory, [join(cwd, 'home/hosts')]);
    assert.match(config.notes.join(), /ansible\.cfg is ignored/);
  });
});

const REFUSED: readonly (readonly [string, Env, readonly string[]])[] = [
  ['[defaults]\nvars_plugins = x\nprecedence = y\n', {}, ['E_UNSUPPORTED 2', 'E_UNSUPPORTED 3']],
  ['[inventory]\nenable_plugins = yaml\n', {}, ['E_UNSUPPORTED 2']],
  ['', { ANSIBLE_INVENTORY_IGNORE: '.x' }, ['E_UNSUPPORTED undefined']],
  ['[defaults]\ninventory = "a"\n', {}, ['E_UNSUPPORTED 2']],
  ['[defaults]\ninventory = a,\n', {}, ['E_UNSUPPORTED 2']],
  ['[defaults]\ninventory = a,\n  b\n', {}, ['E_UNSUPPORTED 2']],
  ['[defaults]\ninventory = $GONE/a\n', {}, ['E_UNSUPPORTED 2']],
  ['[defaults]\nhash_behaviour = mrege\n', {}, ['E_UNSUPPORTED 2']],
  ['a=1\n[defaults]\nx\ny=1\nY=2\n[defaults]\n', {}, ['E_INI 1', 'E_INI 3', 'E_INI 5', 'E_INI 6']],
];

for (const [text, env, expected] of REFUSED) {
  test(`refused with its place: ${JSON.stringify(text)} ${Object.keys(env).join()}`, async () => {
    await withFolder({ 'ansible.cfg': text }, async (cwd) => {
      assert.throws(
        () => read(cwd, env),
        (error) => {
          assert.ok(error instanceof InputError);
          const faults = error.faults.map(({ code, at }) => `${code} ${at?.line}`);
          assert.deepEqual(faults, expected);
          return true;
        },
      );
    });
  });
}

const MERGED = {
  'ansible.cfg': '[defaults]\ninventory = inv/hosts.yml,more\nhash_behaviour = merge\n',
  'inv/hosts.yml': `all: {vars: {m: {a: 1, n: {x: 1, l: [1]}}, s: {a: 1}, z: {a: 1}}}
web: {hosts: {h: {m: {n: {z: 3}}, s: text}}, vars: {m: {b: 2, n: {x: 2, y: 2, l: [2]}}}}`,
  more: `[web:vars]\nm={'c': 3, 'n': {'w': None}}\nz=[]\n`,
  'inv/group_vars/all.yml': 'm: {a: 9}\ns: {b: 1}\n',
  'inv/host_vars/h/1.yml': 'm: {d: {e: 1}}\nz: {b: 1}\n',
  'inv/host_vars/h/2.yml': 'm: {d: {f: 1}, n: {}}\nz: {c: 1}\n',
};

test('with hash_behaviour=merge maps are merged as Ansible merges them', { skip }, async () => {
  await withFolder(MERGED, async (cwd) => {
    const config = read(cwd, {});
    const options = { inventory: [], extraVars: ['{"m": {"e": 1}}'], playbookDir: cwd, cwd };
    const [host] = await loadInventory({ ...options, config, decrypt: null });
    const command = await ansibleBin('ansible-inventory');
    const env = { PATH: process.env['PATH'], HOME: cwd, LC_ALL: 'C.UTF-8' };
    const args = ['--host', 'h', '-e', '{"m": {"e": 1}}', '--playbook-dir', cwd];
    const { stdout } = await promisify(execFile)(command, args, { cwd, env });
    const theirs = JSON.parse(stdout) as Record<string, unknown>;
    for (const name of ['m', 's', 'z']) {
      const node = host?.lookup(name).found?.entry.value ?? null;
      assert.deepEqual(plain(toTyped(node)), theirs[name], name);
    }
  });
});

test('a closed vault below a map could hold more of it', async () => {
  const files = {
    hosts: 'h\n',
    'group_vars/all.yml': '$ANSIBLE_VAULT;1.1;AES256\n3338\n',
    'host_vars/h.yml': 'm: {a: 1}\ns: x\n',
  };
  await withFolder(files, async (cwd) => {
    const config = read(cwd, { ANSIBLE_HASH_BEHAVIOUR: 'merge', ANSIBLE_INVENTORY: 'hosts' });
    const options = { inventory: [], extraVars: [], playbookDir: cwd, cwd, decrypt: null };
    const [host] = await loadInventory({ ...options, config });
    assert.deepEqual(host?.lookup('m').closed, ['group_vars/all.yml']);
    assert.deepEqual(host.lookup('s').closed, []);
  });
});

test('a map that one inventory writes twice is merged with hash_behaviour=merge', async () => {
  const hosts = `[g:vars]\nm={'a': 1}\n[g]\nh\n[g:vars]\nm={'b': 1}\n`;
  await withFolder({ hosts }, async (cwd) => {
    const valueWith = async (env: Env): Promise<unknown> => {
      const config = read(cwd, env);
      const options = { inventory: ['hosts'], extraVars: [], playbookDir: cwd, cwd, decrypt: null };
      const [host] = await loadInventory({ ...options, config });
      return plain(toTyped(host?.lookup('m').found?.entry.value ?? null));
    };
    assert.deepEqual(await valueWith({ ANSIBLE_HASH_BEHAVIOUR: 'merge' }), { a: 1, b: 1 });
    assert.deepEqual(await valueWith({}), { b: 1 });
  });
});

test('maps are combined in the order in which Ansible combines them', async () => {
  // The group's own values first: its text is gone before the map of the group above is merged.
  const files = {
    one: '[low:vars]\nm={"a": 1}\n[low:children]\nhigh\n[high]\n[high:vars]\nm=text\n',
    two: '[high]\nh\n[high:vars]\nm={"b": 2}\n',
  };
  await withFolder(files, async (cwd) => {
    const config = read(cwd, { ANSIBLE_HASH_BEHAVIOUR: 'merge' });
    const options = { extraVars: [], playbookDir: cwd, cwd, decrypt: null, config };
    const [host] = await loadInventory({ ...options, inventory: ['one', 'two'] });
    const value = host?.lookup('m').found?.entry.value ?? null;
    assert.deepEqual(plain(toTyped(value)), { a: 1, b: 2 });
  });
});

function valuesOf(settings: readonly { readonly value: string }[]): string[] {
  return settings.map(({ value }) => value);
}

function read(cwd: string, env: Env): AnsibleConfig {
  return readAnsibleConfig({ cwd, env: { HOME: '/nonexistent', ...env } });
}

function plain(typed: unknown): unknown {
  const [type, value] = typed as [string, unknown];
  if (type === 'none') return null;
  if (type === 'int') return Number.parseInt(String(value), 16);
  if (type === 'list') return (value as unknown[]).map(plain);
  if (type !== 'dict') return value;
  const entries = value as [[string, string], unknown][];
  return Object.fromEntries(entries.map(([[, key], inner]) => [key, plain(inner)]));
}
