import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { InputError } from '../src/errors.ts';
import { loadInventory } from '../src/inventory.ts';
import { withFolder } from './helpers/folder.ts';
import { ansibleBin, ansibleSkip } from './helpers/python.ts';

const skip = await ansibleSkip();

const FILES = {
  hosts: 'loose\n[web]\nw1\nw2.example.com\n[db]\nd1\n[site:children]\nweb\ndb\n[empty]\n',
};

for (const limit of ['web', 'd1, w1', 'site', 'ungrouped,w2.example.com,', 'all']) {
  test(`the limit "${limit}" leaves the hosts that Ansible leaves`, { skip }, async () => {
    await withFolder(FILES, async (cwd) => {
      const ansible = await ansibleBin('ansible');
      const args = ['all', '-i', 'hosts', '--list-hosts', '-l', limit];
      const env = { PATH: process.env['PATH'], HOME: process.env['HOME'], LC_ALL: 'C.UTF-8' };
      const { stdout } = await promisify(execFile)(ansible, args, { cwd, env });
      const [, ...theirs] = stdout.trim().split(/\s*\n\s*/);
      assert.deepEqual(await limited(cwd, limit), theirs.toSorted());
    });
  });
}

test('names that are not in the inventory are all told', async () => {
  assert.deepEqual(await codesOf('web,wbe,gone'), ['E_LIMIT', 'E_LIMIT']);
});

test('a limit that leaves no host is refused, and so is an empty one', async () => {
  assert.deepEqual(await codesOf('empty'), ['E_LIMIT']);
  assert.deepEqual(await codesOf(''), ['E_LIMIT']);
  assert.deepEqual(await codesOf(' , '), ['E_LIMIT']);
});

test('patterns are refused, each by name', async () => {
  const patterns = ['w*', '!db', '&web', '~w.', '@retry', 'web[0]', 'web:db', 'w?', 'site:!db'];
  assert.deepEqual(
    await codesOf(patterns.join()),
    patterns.map(() => 'E_UNSUPPORTED'),
  );
});

async function limited(cwd: string, limit: string): Promise<string[]> {
  const options = { inventory: ['hosts'], extraVars: [], playbookDir: cwd, cwd, decrypt: null };
  const hosts = await loadInventory({ ...options, limit });
  return hosts.map((host) => host.name).toSorted();
}

async function codesOf(limit: string): Promise<string[]> {
  let codes: string[] = [];
  await withFolder(FILES, async (cwd) => {
    const error: unknown = await limited(cwd, limit).catch((reason: unknown) => reason);
    assert.ok(error instanceof InputError, String(error));
    codes = error.faults.map((fault) => fault.code);
  });
  return codes;
}
