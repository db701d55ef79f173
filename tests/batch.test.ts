// Several files replaced as one, and ended by the next run after a kill.
import assert from 'node:assert/strict';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { replaceTogether, type BatchFile } from '../src/vault/batch.ts';
import { finishBatches } from '../src/vault/batch-finish.ts';
import { readBatches, writeDecision, writeRecord } from '../src/vault/batch-record.ts';
import { digestOf, prepareFile } from '../src/vault/atomic-file.ts';
import { removeLeftovers } from '../src/vault/leftovers.ts';
import { acquireLock } from '../src/vault/lock.ts';
import { StoreError } from '../src/vault/store-error.ts';

const NOTHING = { replaced: [], kept: [], damaged: [] };
const NAMES = ['a/x.yml', 'a/y.yml', 'b/c/z.yml'];
const signal = new AbortController().signal;

test('all files get their next content, and nothing else is left', async (t) => {
  const folder = await makeFiles(t);
  assert.deepEqual(await replaceTogether(filesIn(folder), { signal }), []);
  await assertTree(folder, 'new');
});

test('modes stay as they are', async (t) => {
  const folder = await makeFiles(t);
  await chmod(join(folder, 'a/x.yml'), 0o640);
  await replaceTogether(filesIn(folder), { signal });
  assert.equal((await stat(join(folder, 'a/x.yml'))).mode & 0o777, 0o640);
});

test('a file that was changed meanwhile: nothing happens to any of them', async (t) => {
  const folder = await makeFiles(t);
  await writeFile(join(folder, 'b/c/z.yml'), 'changed');
  await assert.rejects(replaceTogether(filesIn(folder), { signal }), StoreError);
  await writeFile(join(folder, 'b/c/z.yml'), 'old b/c/z.yml');
  await assertTree(folder, 'old');
});

test('a lock that was taken away, or Ctrl-C: nothing happens to any of them', async (t) => {
  const folder = await makeFiles(t);
  const lost = new StoreError('x', 'its lock was taken away', { code: null, replaced: false });
  const files = filesIn(folder).map((file) =>
    file.path.endsWith('z.yml') ? { ...file, checkLock: () => Promise.reject(lost) } : file,
  );
  await assert.rejects(replaceTogether(files, { signal }), lost);
  const abort = new AbortController();
  const late = filesIn(folder).map((file) => ({
    ...file,
    checkLock: async () => abort.abort(new Error('interrupted')),
  }));
  await assert.rejects(replaceTogether(late, { signal: abort.signal }), /interrupted/);
  await assertTree(folder, 'old');
});

test('a folder in which nothing can be prepared: nothing happens to any file', async (t) => {
  const folder = await makeFiles(t);
  await writeFile(join(folder, 'b/c/.matrix-tokens'), 'in the way');
  await assert.rejects(replaceTogether(filesIn(folder), { signal }), StoreError);
  await rm(join(folder, 'b/c/.matrix-tokens'));
  await assertTree(folder, 'old');
});

test('once decided, what is left is put into place by whoever comes next, from any folder', async (t) => {
  for (const from of ['a', 'b/c']) {
    for (const renamed of [0, 1, 2, 3]) {
      const folder = await makeFiles(t);
      await leaveDecided(folder, { renamed });
      await removeLeftovers(join(folder, from));
      const { replaced, kept } = await finishBatches(join(folder, from));
      const left = NAMES.slice(renamed).map((name) => join(folder, name));
      assert.deepEqual([replaced.toSorted(), kept], [left.toSorted(), []]);
      await assertTree(folder, 'new');
    }
  }
});

test('before it is decided, what was prepared is thrown away', async (t) => {
  const folder = await makeFiles(t);
  await leaveRecords(folder);
  for (const from of ['b/c', 'a']) {
    await removeLeftovers(join(folder, from));
    assert.deepEqual(await finishBatches(join(folder, from)), NOTHING);
  }
  await assertTree(folder, 'old');
});

test('temp files without a record are thrown away as leftovers', async (t) => {
  const folder = await makeFiles(t);
  await prepareNext(folder, 'a/x.yml');
  await removeLeftovers(join(folder, 'a'));
  await assertTree(folder, 'old');
});

test('a file that somebody changed since is kept, and the others are put into place', async (t) => {
  const folder = await makeFiles(t);
  await leaveDecided(folder, { renamed: 0 });
  await writeFile(join(folder, 'a/y.yml'), 'changed');
  const { replaced, kept } = await finishBatches(join(folder, 'b/c'));
  assert.deepEqual(replaced, [join(folder, 'a/x.yml'), join(folder, 'b/c/z.yml')]);
  assert.deepEqual(kept, [join(folder, 'a/y.yml')]);
  assert.equal(await readFile(join(folder, 'a/y.yml'), 'utf8'), 'changed');
  assert.deepEqual(await readBatches(join(folder, 'a')), NONE);
});

test('a temp file that is damaged is never put into place', async (t) => {
  const folder = await makeFiles(t);
  await leaveDecided(folder, { renamed: 0 });
  const state = join(folder, 'b/c/.matrix-tokens');
  const temp = (await readdir(state)).find((name) => name.endsWith('.next')) ?? '';
  await writeFile(join(state, temp), 'new b/c');
  const { kept } = await finishBatches(join(folder, 'a'));
  assert.deepEqual(kept, [join(folder, 'b/c/z.yml')]);
  assert.equal(await readFile(join(folder, 'b/c/z.yml'), 'utf8'), 'old b/c/z.yml');
});

test('files that were removed, and folders that were moved away, stop nobody', async (t) => {
  const folder = await makeFiles(t);
  await leaveDecided(folder, { renamed: 1 });
  await rm(join(folder, 'a/y.yml'));
  await rename(join(folder, 'b'), join(folder, 'elsewhere'));
  const finished = await finishBatches(join(folder, 'a'));
  assert.deepEqual(finished, { ...NOTHING, kept: [join(folder, 'a/y.yml')] });
  // Over there nobody knows of the decision any more.
  assert.deepEqual(await finishBatches(join(folder, 'elsewhere/c')), NOTHING);
  assert.deepEqual(await listTree(folder), ['a/x.yml', 'elsewhere/c/z.yml']);
});

test('a batch of a living run is left alone', async (t) => {
  const folder = await makeFiles(t);
  await leaveDecided(folder, { renamed: 0 });
  const lock = await acquireLock(join(folder, 'b/c/z.yml'), { waitMs: 0 });
  assert.deepEqual(await finishBatches(join(folder, 'a')), NOTHING);
  assert.equal((await readBatches(join(folder, 'a'))).records.length, 1);
  await lock.release();
  await finishBatches(join(folder, 'a'));
  await assertTree(folder, 'new');
});

test('a record that cannot be read is told, and its temp files are kept', async (t) => {
  const folder = await makeFiles(t);
  await leaveDecided(folder, { renamed: 0 });
  const state = join(folder, 'a/.matrix-tokens');
  const name = (await readdir(state)).find((one) => one.endsWith('.batch.json')) ?? '';
  for (const text of ['', '{', '[]', '{"files": [{"name": "../x"}]}']) {
    await writeFile(join(state, name), text);
    await removeLeftovers(join(folder, 'a'));
    assert.deepEqual((await readBatches(join(folder, 'a'))).damaged, [join(state, name)]);
    assert.equal((await readdir(state)).filter((one) => one.endsWith('.next')).length, 2);
  }
});

test('records hold names and digests only', async (t) => {
  const folder = await makeFiles(t);
  await leaveDecided(folder, { renamed: 0 });
  const state = join(folder, 'a/.matrix-tokens');
  const names = (await readdir(state)).filter((one) => one.endsWith('.json'));
  assert.equal(names.length, 2);
  for (const name of names) {
    assert.doesNotMatch(await readFile(join(state, name), 'utf8'), /old |new |matrix-tokens-/);
    assert.equal((await stat(join(state, name))).mode & 0o777, 0o600);
  }
});

const NONE = { records: [], decisions: [], damaged: [] };

async function makeFiles(t: TestContext): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'matrix-tokens-batch-')));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const name of NAMES) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), `old ${name}`);
  }
  return folder;
}

function filesIn(folder: string): BatchFile[] {
  return NAMES.map((name) => ({
    path: join(folder, name),
    before: `old ${name}`,
    after: `new ${name}`,
    checkLock: () => Promise.resolve(),
  }));
}

async function prepareNext(folder: string, name: string): Promise<string> {
  const text = `new ${name}`;
  const options = { reserve: 100, basedOn: `old ${name}`, ending: 'next' } as const;
  const prepared = await prepareFile(join(folder, name), options);
  await prepared.fill(text);
  return prepared.temp;
}

/** What a run leaves that is killed before its decision. */
async function leaveRecords(folder: string): Promise<Parameters<typeof writeDecision>[0]> {
  const id = 'a'.repeat(32);
  const records = [];
  for (const inside of ['a', 'b/c']) {
    const files = [];
    for (const name of NAMES.filter((one) => dirname(one) === inside)) {
      const temp = (await prepareNext(folder, name)).replace(/^.*\//, '');
      const [before, after] = [`old ${name}`, `new ${name}`].map((text) => digest(text));
      files.push({
        name: name.replace(/^.*\//, ''),
        temp,
        before: before ?? '',
        after: after ?? '',
      });
    }
    const record = { id, folder: join(folder, inside), main: join(folder, 'a'), files };
    await writeRecord(record);
    records.push(record);
  }
  return records;
}

/** What a run leaves that is killed after its decision, with so many files in their place. */
async function leaveDecided(folder: string, { renamed }: { renamed: number }): Promise<void> {
  const records = await leaveRecords(folder);
  await writeDecision(records);
  const all = records.flatMap((record) =>
    record.files.map((file) => ({ ...file, folder: record.folder })),
  );
  for (const { folder: inside, name, temp } of all.slice(0, renamed)) {
    await rename(join(inside, '.matrix-tokens', temp), join(inside, name));
  }
}

function digest(text: string): string {
  return digestOf(Buffer.from(text));
}

async function assertTree(folder: string, state: 'old' | 'new'): Promise<void> {
  assert.deepEqual(await listTree(folder), NAMES.toSorted());
  for (const name of NAMES) {
    assert.equal(await readFile(join(folder, name), 'utf8'), `${state} ${name}`);
  }
}

async function listTree(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() || entry.name === '.matrix-tokens')
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}
