import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { InputError } from '../src/errors.ts';
import type { Fault } from '../src/errors.ts';
import { loadInventory } from '../src/inventory.ts';
import type { HostView, LoadOptions } from '../src/inventory.ts';
import { withFolder } from './helpers/folder.ts';
import { ansibleBin, ansibleSkip } from './helpers/python.ts';

const skip = await ansibleSkip();

const VAULT = '$ANSIBLE_VAULT;1.1;AES256\n3338\n';

test('every layer is where Ansible puts it, lowest first', async () => {
  const files = {
    'inv/hosts': '[web]\nh a=1\n[web:vars]\na=2\n[all:vars]\na=3\n',
    'inv/group_vars/all.yml': 'a: 4',
    'inv/group_vars/web.yml': 'a: 5',
    'inv/host_vars/h.yml': 'a: 6',
    'play/group_vars/all/x.yml': 'a: 7',
    'play/group_vars/web': 'a: 8',
    'play/host_vars/h.json': '{"a": 9}',
  };
  await withFolder(files, async (cwd) => {
    const [host] = await load(cwd, { inventory: ['inv/hosts'], extraVars: ['a=10'] });
    const holders = host?.layers.filter((layer) => layer.vars?.has('a') === true);
    assert.deepEqual(
      holders?.map(({ kind, file, path, of }) => [kind, file, path, of]),
      [
        ['inventory', 'inv/hosts', join(cwd, 'inv/hosts'), 'all'],
        ['inventory', 'inv/hosts', join(cwd, 'inv/hosts'), 'web'],
        ['group_vars', 'inv/group_vars/all.yml', join(cwd, 'inv/group_vars/all.yml'), 'all'],
        ['group_vars', 'play/group_vars/all/x.yml', join(cwd, 'play/group_vars/all/x.yml'), 'all'],
        ['group_vars', 'inv/group_vars/web.yml', join(cwd, 'inv/group_vars/web.yml'), 'web'],
        ['group_vars', 'play/group_vars/web', join(cwd, 'play/group_vars/web'), 'web'],
        ['inventory', 'inv/hosts', join(cwd, 'inv/hosts'), 'h'],
        ['host_vars', 'inv/host_vars/h.yml', join(cwd, 'inv/host_vars/h.yml'), 'h'],
        ['host_vars', 'play/host_vars/h.json', join(cwd, 'play/host_vars/h.json'), 'h'],
        ['extra', '-e', null, 'all'],
      ],
    );
    assert.deepEqual(valueOf(host, 'a'), '10');
  });
});

test('positions are relative below the current folder and absolute elsewhere', async () => {
  const files = { 'inv/hosts': 'h', 'inv/host_vars/h.yml': '\n  a: 1\n', 'work/x': '' };
  await withFolder(files, async (folder) => {
    const [below] = await load(folder, { inventory: ['inv/hosts'] });
    const at = { file: 'inv/host_vars/h.yml', line: 2, column: 3 };
    assert.deepEqual(below?.lookup('a').found?.entry.at, at);
    const [beside] = await load(join(folder, 'work'), { inventory: ['../inv/hosts'] });
    const file = join(folder, 'inv/host_vars/h.yml');
    assert.deepEqual(beside?.lookup('a').found?.entry.at, { ...at, file });
  });
});

test('a playbook folder that is the inventory folder, too, is read once', async () => {
  const files = { hosts: 'h', 'host_vars/h.yml': 'a: 1', 'group_vars/all.yml': 'a: 2' };
  await withFolder(files, async (cwd) => {
    const [host] = await load(cwd, { inventory: ['hosts'], playbookDir: cwd });
    const kinds = host?.layers.filter((layer) => layer.kind !== 'magic').map(({ kind }) => kind);
    assert.deepEqual(kinds, ['group_vars', 'host_vars']);
  });
});

test('of several inventories the last that names the host has its folder', async () => {
  const files = { 'a/hosts': 'h\nonly', 'b/hosts.yml': 'all: {hosts: {h: {v: 1}}}' };
  await withFolder(files, async (cwd) => {
    const hosts = await load(cwd, { inventory: ['a/hosts', 'b/hosts.yml', 'h,new'] });
    assert.deepEqual(
      hosts.map((host) => [host.name, host.inventoryFolder, host.playbookFolder]),
      [
        ['h', join(cwd, 'play'), join(cwd, 'play')],
        ['only', join(cwd, 'a'), join(cwd, 'play')],
        ['new', join(cwd, 'play'), join(cwd, 'play')],
      ],
    );
    const [h] = await load(cwd, { inventory: ['a/hosts', 'b/hosts.yml'] });
    assert.equal(h?.inventoryFolder, join(cwd, 'b'));
  });
});

test('only files of hosts within the limit and of their groups are read', async () => {
  const files = {
    hosts: '[web]\nh\n[db]\nother',
    'host_vars/other.yml': 'broken: [',
    'group_vars/db.yml': 'broken: [',
    'group_vars/web.yml': 'a: 1',
  };
  await withFolder(files, async (cwd) => {
    const [host] = await load(cwd, { inventory: ['hosts'], limit: 'h' });
    assert.equal(valueOf(host, 'a'), 1);
    const faults = await faultsOf(load(cwd, { inventory: ['hosts'] }));
    assert.deepEqual(faults.map(filePart), ['group_vars/db.yml', 'host_vars/other.yml']);
  });
});

test('the faults of all vars files and extra vars are told at once', async () => {
  const files = {
    hosts: 'h\ng',
    'host_vars/h/a.yml': 'a: [',
    'host_vars/h/b.yml': Buffer.from([0x61, 0x3a, 0x20, 0xff]),
    'host_vars/h/c.yml': '- a\n- b',
    'host_vars/g': '"just text"',
    'group_vars/all/$HOME.yml': 'a: 1',
    'extra.yml': 'a: [',
  };
  await withFolder(files, async (cwd) => {
    const extraVars = ['@extra.yml', '@gone.yml', 'a=1'];
    const faults = await faultsOf(load(cwd, { inventory: ['hosts'], extraVars }));
    assert.deepEqual(faults.map((fault) => `${fault.code} ${filePart(fault)}`).toSorted(), [
      'E_FILE gone.yml',
      'E_FILE group_vars/all/$HOME.yml',
      'E_FILE host_vars/h/b.yml',
      'E_INVENTORY host_vars/g',
      'E_INVENTORY host_vars/h/c.yml',
      'E_YAML extra.yml',
      'E_YAML host_vars/h/a.yml',
    ]);
    assert.match(
      faults.find((fault) => fault.code === 'E_INVENTORY')?.found ?? '',
      /a (list|string)/,
    );
  });
});

test('a whole-file vault is decrypted once for all hosts', async () => {
  const files = { hosts: 'h\ng', 'group_vars/all/v.yml': VAULT, 'host_vars/g/v.yml': VAULT };
  await withFolder(files, async (cwd) => {
    const asked: string[] = [];
    const decrypt = async (envelope: string, file: string): Promise<string> => {
      asked.push(file);
      assert.equal(envelope, VAULT);
      return `secret: ${file}`;
    };
    const [h, g] = await load(cwd, { inventory: ['hosts'], decrypt });
    assert.deepEqual(asked, ['group_vars/all/v.yml', 'host_vars/g/v.yml']);
    assert.equal(valueOf(h, 'secret'), 'group_vars/all/v.yml');
    assert.equal(valueOf(g, 'secret'), 'host_vars/g/v.yml');
    assert.equal(g?.lookup('secret').found?.layer.encrypted, true);
  });
});

test('a closed vault is named where it ranks above what was found, or nothing was', async () => {
  const files = {
    hosts: 'h a=1',
    'group_vars/all.yml': VAULT,
    'host_vars/h/1.yml': VAULT,
    'host_vars/h/2.yml': 'b: 1',
    'host_vars/h/3.yml': VAULT,
    'extra.yml': VAULT,
  };
  await withFolder(files, async (cwd) => {
    const [host] = await load(cwd, { inventory: ['hosts'], extraVars: ['c=1', '@extra.yml'] });
    assert.deepEqual(host?.lookup('a').closed, [
      'extra.yml',
      'host_vars/h/3.yml',
      'host_vars/h/1.yml',
    ]);
    assert.deepEqual(host?.lookup('b').closed, ['extra.yml', 'host_vars/h/3.yml']);
    assert.deepEqual(host?.lookup('c').closed, ['extra.yml']);
    const { found, closed } = host?.lookup('d') ?? {};
    assert.deepEqual([found, closed?.length], [null, 4]);
    assert.deepEqual(
      [...(host?.names() ?? [])].filter((name) => name.length === 1),
      ['a', 'b', 'c'],
    );
  });
});

test('a wrong vault password is told for every file, as a fault', async () => {
  const files = { hosts: 'h', 'host_vars/h/1': VAULT, 'host_vars/h/2': VAULT };
  await withFolder(files, async (cwd) => {
    const decrypt = (_: string, file: string): Promise<string> =>
      Promise.reject(
        new InputError({ code: 'E_VAULT_PASSWORD', at: { file, line: 1, column: 1 }, found: 'x' }),
      );
    const faults = await faultsOf(load(cwd, { inventory: ['hosts'], decrypt }));
    assert.deepEqual(faults.map(filePart), ['host_vars/h/1', 'host_vars/h/2']);
  });
});

test('an encrypted inventory wants the vault password', async () => {
  await withFolder({ hosts: VAULT }, async (cwd) => {
    const faults = await faultsOf(load(cwd, { inventory: ['hosts'] }));
    assert.deepEqual(
      faults.map((fault) => fault.code),
      ['E_VAULT_PASSWORD'],
    );
    const decrypt = (): Promise<string> => Promise.resolve('all: {hosts: {h: {a: 1}}}');
    const [host] = await load(cwd, { inventory: ['hosts'], decrypt });
    assert.equal(valueOf(host, 'a'), 1);
  });
});

test('what is no inventory file is refused by name', async () => {
  const files = {
    'folder/notes.md': 'no inventory',
    'mixed/hosts.ini': 'h',
    'hosts.toml': '[all]',
    script: '#!/bin/sh\necho {}\n',
    'plugin.yml': 'plugin: amazon.aws.aws_ec2',
  };
  await withFolder(files, async (cwd) => {
    chmodSync(join(cwd, 'script'), 0o755);
    const inventory = [
      'folder',
      'mixed',
      'hosts.toml',
      'script',
      'plugin.yml',
      'gone',
      'a[1:2],b',
      '~x/hosts',
    ];
    const faults = await faultsOf(load(cwd, { inventory }));
    assert.deepEqual(
      faults.map(({ code, found }) => `${code}: ${found}`),
      [
        'E_FILE: the file is a folder without any inventory',
        'E_UNSUPPORTED: an .ini file in an inventory folder, which only some versions of Ansible read',
        'E_UNSUPPORTED: the inventory is a TOML file',
        'E_UNSUPPORTED: the inventory is a program',
        'E_UNSUPPORTED: the configuration of an inventory plugin',
        'E_FILE: the file does not exist',
        'E_UNSUPPORTED: the list of hosts holds "a[1:2]"',
        'E_UNSUPPORTED: the path "~x/hosts" holds a "$" or begins with "~"',
      ],
    );
  });
});

test('of a folder all inventories are read, and the variables beside them', async () => {
  const files = {
    'inv/20-hosts.yml': 'web: {vars: {a: 2, order: 20}}',
    'inv/10-hosts': '[web]\nh\n[web:vars]\na=1\norder=10\n',
    'inv/sub/more': '[db]\ng\n[web:vars]\norder=30\n[all:children]\nweb\n',
    'inv/sub/group_vars/db.yml': 'b: not loaded',
    'inv/group_vars/db.yml': 'b: loaded',
    'inv/host_vars/h': 'c: loaded',
    'inv/README.md': '# no inventory',
    'inv/.hidden': '{',
    'inv/old.bak/hosts': '{',
    'inv/hosts~': '{',
  };
  await withFolder(files, async (cwd) => {
    const hosts = await load(cwd, { inventory: ['inv'] });
    const values = hosts.map((host) => ['a', 'b', 'c', 'order'].map((name) => valueOf(host, name)));
    assert.deepEqual(values, [
      [2, undefined, 'loaded', 30],
      [undefined, 'loaded', undefined, undefined],
    ]);
    assert.deepEqual(
      hosts.map(({ name, inventoryFolder }) => [name, inventoryFolder]),
      [
        ['h', join(cwd, 'inv')],
        ['g', join(cwd, 'inv')],
      ],
    );
    assert.equal(valueOf(hosts[1], 'inventory_dir'), join(cwd, 'inv/sub'));
  });
});

test('a group of an earlier inventory needs no section in a later one', async () => {
  const files = { one: '[web]\nh\n', two: '[web:vars]\na=1\n[top:children]\nweb\n' };
  await withFolder(files, async (cwd) => {
    const [host] = await load(cwd, { inventory: ['one', 'two'] });
    assert.deepEqual([valueOf(host, 'a'), host?.groups], [1, ['top', 'web']]);
    const faults = await faultsOf(load(cwd, { inventory: ['two', 'one'] }));
    assert.deepEqual(
      faults.map(({ code }) => code),
      ['E_INI'],
    );
  });
});

test('a list of hosts may hold ports and addresses', async () => {
  await withFolder({}, async (cwd) => {
    const hosts = await load(cwd, { inventory: ['a:22, ::1,[fe80::1]:2222,10.0.0.1,'] });
    assert.deepEqual(
      hosts.map((host) => [host.name, valueOf(host, 'ansible_port')]),
      [
        ['a', 22],
        ['::1', undefined],
        ['fe80::1', 2222],
        ['10.0.0.1', undefined],
      ],
    );
  });
});

test('a file that is marked executable and is no program is read', async () => {
  await withFolder({ hosts: '[web]\nh a=1\n' }, async (cwd) => {
    chmodSync(join(cwd, 'hosts'), 0o755);
    const [host] = await load(cwd, { inventory: ['hosts'] });
    assert.equal(valueOf(host, 'a'), 1);
  });
});

test('the format is found as Ansible finds it', async () => {
  const files = {
    plain: 'h a=ini',
    yaml: 'all: {hosts: {h: {a: yaml}}}',
    'ini.yml': '[web]\nh a=ini\n',
    json: '{"all": {"hosts": {"h": {"a": "json"}}}}',
  };
  await withFolder(files, async (cwd) => {
    const values = Object.keys(files).map(async (file) => {
      const [host] = await load(cwd, { inventory: [file] });
      return valueOf(host, 'a');
    });
    assert.deepEqual(await Promise.all(values), ['ini', 'yaml', 'ini', 'json']);
  });
});

test('a broken file is told in the terms of the format that it looks like', async () => {
  const files = {
    ini: '[web]\nh a\n',
    'yaml.yml': 'all:\n  hosts:\n h: 1\n',
    'json.json': '{"all":{"hosts":[]}}',
  };
  await withFolder(files, async (cwd) => {
    const faults = await faultsOf(load(cwd, { inventory: Object.keys(files) }));
    const codes = faults.map((fault) => `${fault.code} ${filePart(fault)}`);
    assert.ok(codes.includes('E_INI ini'), codes.join());
    assert.ok(codes.includes('E_YAML yaml.yml'), codes.join());
    assert.ok(codes.includes('E_INVENTORY json.json'), codes.join());
  });
});

test('names that cannot be files, loops and clashes are all told', async () => {
  const files = {
    'hosts.yml': `
a/b: {hosts: {x/y: , ../up: , "$HOME": }}
one: {children: {two: }}
two: {children: {one: }, vars: {ansible_group_priority: high}}
same: {hosts: {same: }}
mine: {children: {ungrouped: }}
`,
  };
  await withFolder(files, async (cwd) => {
    const faults = await faultsOf(load(cwd, { inventory: ['hosts.yml'] }));
    const places = faults.map(({ code, at }) => `${code} ${at?.line}`);
    assert.deepEqual(places.toSorted(), [
      'E_INVENTORY 2',
      'E_INVENTORY 2',
      'E_INVENTORY 2',
      'E_INVENTORY 2',
      'E_INVENTORY 3',
      'E_INVENTORY 4',
      'E_UNSUPPORTED 5',
      'E_UNSUPPORTED 6',
    ]);
  });
});

test('without an inventory, or with a wrong playbook folder, the option is named', async () => {
  await withFolder({ hosts: 'h' }, async (cwd) => {
    const none = await faultsOf(load(cwd, { inventory: [] }));
    assert.deepEqual(
      none.map(({ code, fix }) => [code, fix?.includes('-i')]),
      [['E_OPTION', true]],
    );
    const options = { inventory: ['hosts'], playbookDir: 'hosts' };
    const wrong = await faultsOf(load(cwd, options));
    assert.deepEqual(
      wrong.map(({ code }) => code),
      ['E_OPTION'],
    );
  });
});

test('links are followed, dangling ones are not there', async () => {
  const files = { 'real/hosts': 'h', 'elsewhere/x.yml': 'a: 1' };
  await withFolder(files, async (cwd) => {
    symlinkSync('real', join(cwd, 'inv'));
    mkdirSync(join(cwd, 'real/host_vars'));
    symlinkSync('gone', join(cwd, 'real/host_vars/h'));
    symlinkSync('../../elsewhere/x.yml', join(cwd, 'real/host_vars/h.yml'));
    const [host] = await load(cwd, { inventory: ['inv/hosts'] });
    assert.equal(host?.lookup('a').found?.layer.file, 'inv/host_vars/h.yml');
    assert.equal(host.inventoryFolder, join(cwd, 'inv'));
  });
});

test('what Ansible defines by itself has its precedence', { skip }, async () => {
  const names = ['inventory_hostname', 'playbook_dir', 'inventory_dir', 'group_names'];
  const all = JSON.stringify(Object.fromEntries(names.map((name) => [name, 'mine'])));
  const files = {
    'hosts.yml': `all: {hosts: {h.x: ${all}, g.x: , 10.1.2.3: }}`,
    'host_vars/g.x': all,
  };
  await withFolder(files, async (cwd) => {
    mkdirSync(join(cwd, 'play'));
    const shown = [...names, 'inventory_hostname_short', 'inventory_file'];
    const expression = `{{ {${shown.map((name) => `'${name}': ${name}`).join()}} }}`;
    const args = ['all', '-i', 'hosts.yml', '-m', 'debug', '-a', `msg=${expression}`];
    const { stdout } = await promisify(execFile)(await ansibleBin('ansible'), args, {
      cwd,
      env: ENV,
    });
    const theirs = [...stdout.matchAll(/^(\S+) \| SUCCESS => (\{.*?^\})/gms)].map((match) => [
      match[1],
      (JSON.parse(match[2] ?? '') as { msg: unknown }).msg,
    ]);
    const hosts = await load(cwd, { inventory: ['hosts.yml'], playbookDir: '.' });
    const ours = hosts.map((host) => [
      host.name,
      Object.fromEntries(shown.map((name) => [name, valueOf(host, name)])),
    ]);
    assert.deepEqual(Object.fromEntries(ours), Object.fromEntries(theirs));
  });
});

const ENV = {
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
  LC_ALL: 'C.UTF-8',
  ANSIBLE_NOCOLOR: '1',
};

async function load(cwd: string, options: Partial<LoadOptions>): Promise<readonly HostView[]> {
  mkdirSync(join(cwd, 'play'), { recursive: true });
  const defaults = { inventory: [], extraVars: [], playbookDir: 'play', cwd, decrypt: null };
  return loadInventory({ ...defaults, ...options });
}

function valueOf(host: HostView | undefined, name: string): unknown {
  const node = host?.lookup(name).found?.entry.value;
  if (node?.kind === 'seq') return node.items.map((item) => item.kind === 'scalar' && item.value);
  return node?.kind === 'scalar' ? node.value : undefined;
}

async function faultsOf(loading: Promise<unknown>): Promise<readonly Fault[]> {
  const error: unknown = await loading.then(
    () => null,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof InputError, String(error));
  return error.faults;
}

function filePart(fault: Fault): string | undefined {
  return fault.at?.file;
}
