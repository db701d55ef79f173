import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readText, resolveOption, showPath } from '../src/ansible/text-file.ts';
import { InputError } from '../src/errors.ts';
import { withFolder } from './helpers/folder.ts';

test('paths are shown relative below the current folder only', () => {
  assert.equal(showPath('/a/b/c', '/a'), 'b/c');
  assert.equal(showPath('/a/b', '/a/c'), '/a/b');
  assert.equal(showPath('/a', '/a'), '/a');
  assert.equal(showPath('/a/..b', '/a'), '..b');
  assert.equal(showPath('/', '/a'), '/');
});

test('paths in options are what Ansible makes of them', () => {
  assert.equal(resolveOption('inv/../hosts', '/a'), '/a/hosts');
  assert.equal(resolveOption('/inv/hosts', '/a'), '/inv/hosts');
  assert.equal(resolveOption('~/hosts', '/a'), join(homedir(), 'hosts'));
  assert.equal(resolveOption('a~/hosts', '/a'), '/a/a~/hosts');
  for (const path of ['~other/hosts', '$HOME/hosts', 'a/${B}'])
    assert.throws(() => resolveOption(path, '/a'), hasCode('E_UNSUPPORTED'));
});

test('a file that is not text names itself and shows nothing of its content', async () => {
  await withFolder({ bad: Buffer.from('secret: \xff', 'latin1') }, async (folder) => {
    const error = hasCode('E_FILE');
    assert.throws(() => readText(join(folder, 'bad'), 'shown'), error);
    assert.throws(
      () => readText(join(folder, 'bad'), 'shown'),
      (thrown: Error) => thrown.message.startsWith('shown: ') && !thrown.message.includes('secret'),
    );
    assert.throws(() => readText(join(folder, 'gone'), 'shown'), error);
    assert.throws(() => readText(folder, 'shown'), error);
  });
});

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof InputError && error.faults.every((one) => one.code === code);
}
