// Word of folders that come or go: what a killed run leaves empty, the next one removes.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { readAnnouncement, topOf, writeAnnouncement } from '../src/vault/announcement.ts';
import { removeLeftovers } from '../src/vault/leftovers.ts';
import { foldersAbove } from '../src/vault/state-path.ts';

/** Makes a folder with word of `host_vars/a/b` in it, as a run that is killed leaves it. */
async function announced(t: TestContext): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'matrix-tokens-announced-')));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, '.matrix-tokens'));
  const folders = { top: join(folder, 'host_vars'), folder: join(folder, 'host_vars/a/b') };
  const path = await writeAnnouncement(join(folder, '.matrix-tokens'), folders);
  assert.deepEqual(await readAnnouncement(folder, path), { folder: folders.folder, levels: 3 });
  return folder;
}

for (const made of [
  '.',
  'host_vars',
  'host_vars/a',
  'host_vars/a/b',
  'host_vars/a/b/.matrix-tokens',
]) {
  test(`killed when ${made} was the last that was made: all of it goes`, async (t) => {
    const folder = await announced(t);
    await mkdir(join(folder, made), { recursive: true });
    await removeLeftovers(folder);
    assert.deepEqual(await readdir(folder), []);
  });
}

test('a folder that holds something by now stays, with those above it', async (t) => {
  const folder = await announced(t);
  await mkdir(join(folder, 'host_vars/a/b'), { recursive: true });
  await writeFile(join(folder, 'host_vars/a/vars.yml'), 'mine: 1\n');
  await removeLeftovers(folder);
  assert.deepEqual(await readdir(folder), ['host_vars']);
  assert.deepEqual(await readdir(join(folder, 'host_vars/a')), ['vars.yml']);
});

test('word that is cut short, or leads elsewhere, removes nothing', async (t) => {
  const folder = await announced(t);
  await mkdir(join(folder, 'host_vars'));
  for (const text of [
    '',
    '\n',
    'host_vars',
    '../host_vars\n',
    '/tmp\n',
    'a/../host_vars\n',
    '.\n',
  ]) {
    const path = join(folder, '.matrix-tokens/word.folders');
    await writeFile(path, text);
    assert.equal(await readAnnouncement(folder, path), null, JSON.stringify(text));
  }
  assert.equal(await readAnnouncement(folder, join(folder, 'none.folders')), null);
});

test('the folders above a path, and the topmost of some', () => {
  assert.deepEqual(foldersAbove('/a/b/c'), ['/a/b', '/a', '/']);
  assert.equal(topOf('/a/b/c', 1), '/a/b/c');
  assert.equal(topOf('/a/b/c', 3), '/a');
});
