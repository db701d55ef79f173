import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { PrepareOptions } from '../src/vault/atomic-file.ts';
import { prepareFile } from '../src/vault/atomic-file.ts';
import { StoreError } from '../src/vault/store-error.ts';

const STATE = '.matrix-tokens';
const isRoot = process.geteuid?.() === 0;
const needsRoot = isRoot ? false : 'only root can give files away';

test('a new file is written with its folders, readable for its owner only', async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'host_vars/a/vault_matrix_tokens/rss.yml');
  const prepared = await prepareFile(target, { reserve: 5 });
  assert.equal(prepared.path, target);
  await prepared.commit('hello');
  assert.equal(await readFile(target, 'utf8'), 'hello');
  assert.equal(await modeOf(target), 0o600);
  assert.equal(await modeOf(join(folder, 'host_vars/a')), 0o700);
  assert.deepEqual(await listTree(folder), ['host_vars/a/vault_matrix_tokens/rss.yml']);
});

test('the full size lies on the disk before the content is known', async (t) => {
  const folder = await makeFolder(t);
  const prepared = await prepareFile(join(folder, 'x.yml'), { reserve: 100_000 });
  const temp = await findTemp(folder);
  const stats = await stat(temp);
  assert.equal(stats.size, 100_000);
  assert.ok(stats.blocks * 512 >= 100_000);
  assert.equal(stats.mode & 0o777, 0o600);
  await prepared.commit('short');
  assert.equal(await readFile(join(folder, 'x.yml'), 'utf8'), 'short');
});

test('a content that is longer than what was reserved is stored, too', async (t) => {
  const folder = await makeFolder(t);
  const prepared = await prepareFile(join(folder, 'x.yml'), { reserve: 1 });
  await prepared.commit('ä'.repeat(70_000));
  assert.equal(await readFile(join(folder, 'x.yml'), 'utf8'), 'ä'.repeat(70_000));
});

test('an existing file keeps its mode, and its content until the commit', async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'x.yml');
  await writeFile(target, 'old');
  await chmod(target, 0o640);
  const prepared = await prepareFile(target, { reserve: 3, mode: 0o600 });
  assert.equal(await readFile(target, 'utf8'), 'old');
  await prepared.commit('new');
  assert.equal(await readFile(target, 'utf8'), 'new');
  assert.equal(await modeOf(target), 0o640);
});

test('an existing file keeps its owner', { skip: needsRoot }, async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'x.yml');
  await writeFile(target, 'old');
  await chown(target, 1234, 4321);
  await store(target, 'new');
  assert.deepEqual(await ownerOf(target), [1234, 4321]);
});

test(
  'a new file made by root, and its folders, belong to the owner of the folder',
  {
    skip: needsRoot,
  },
  async (t) => {
    const folder = await makeFolder(t);
    await chown(folder, 1234, 4321);
    const target = join(folder, 'host_vars/a/x.yml');
    const prepared = await prepareFile(target, { reserve: 1 });
    for (const path of ['host_vars', 'host_vars/a', `host_vars/a/${STATE}`]) {
      assert.deepEqual(await ownerOf(join(folder, path)), [1234, 4321], path);
    }
    assert.deepEqual(await ownerOf(await findTemp(join(folder, 'host_vars/a'))), [1234, 4321]);
    await prepared.commit('x');
    assert.deepEqual(await ownerOf(target), [1234, 4321]);
  },
);

test('a symbolic link stays one, and the file behind it is written', async (t) => {
  const folder = await makeFolder(t);
  await mkdir(join(folder, 'real'));
  await writeFile(join(folder, 'real/x.yml'), 'old');
  await symlink('real/x.yml', join(folder, 'link.yml'));
  await symlink('real', join(folder, 'linked'));
  await symlink('real/made/later.yml', join(folder, 'dangling.yml'));
  await store(join(folder, 'link.yml'), 'one');
  assert.equal(await readFile(join(folder, 'real/x.yml'), 'utf8'), 'one');
  await store(join(folder, 'linked/x.yml'), 'two');
  assert.equal(await readFile(join(folder, 'real/x.yml'), 'utf8'), 'two');
  await store(join(folder, 'dangling.yml'), 'three');
  assert.equal(await readFile(join(folder, 'real/made/later.yml'), 'utf8'), 'three');
  assert.equal(await readlink(join(folder, 'link.yml')), 'real/x.yml');
  assert.equal(await readlink(join(folder, 'dangling.yml')), 'real/made/later.yml');
});

test('links in a circle, a folder in the place of the file, a file in that of a folder: refused', async (t) => {
  const folder = await makeFolder(t);
  await symlink('b', join(folder, 'a'));
  await symlink('a', join(folder, 'b'));
  await mkdir(join(folder, 'c'));
  await writeFile(join(folder, 'd'), '');
  await rejectsStore(prepareFile(join(folder, 'a'), { reserve: 1 }), 'ELOOP', /links/);
  await rejectsStore(prepareFile(join(folder, 'c'), { reserve: 1 }), null, /not a regular file/);
  await rejectsStore(prepareFile(join(folder, 'd/x/y'), { reserve: 1 }), 'ENOTDIR', /not a folder/);
  assert.deepEqual((await readdir(folder)).sort(), ['a', 'b', 'c', 'd']);
});

test('discarding removes the temp file and the folders that were made, and only those', async (t) => {
  const folder = await makeFolder(t);
  await mkdir(join(folder, 'there'));
  const first = await prepareFile(join(folder, 'there/made/made/x.yml'), { reserve: 10 });
  const second = await prepareFile(join(folder, 'there/made/y.yml'), { reserve: 10 });
  await first.discard();
  assert.deepEqual(await readdir(join(folder, 'there/made')), [STATE]);
  await second.discard();
  await second.discard();
  assert.deepEqual(await readdir(join(folder, 'there')), []);
  const third = await prepareFile(join(folder, 'there/made/made/x.yml'), { reserve: 10 });
  await writeFile(join(folder, 'there/made/by-somebody'), '');
  await third.discard();
  assert.deepEqual(await readdir(join(folder, 'there/made')), ['by-somebody']);
});

test('discarding after a commit leaves the new file alone', async (t) => {
  const folder = await makeFolder(t);
  const prepared = await prepareFile(join(folder, 'made/x.yml'), { reserve: 10 });
  await prepared.commit('new');
  await prepared.discard();
  assert.deepEqual(await listTree(folder), ['made/x.yml']);
});

test('a file that changed after the preparation is not replaced', async (t) => {
  const changes: Record<string, (target: string) => Promise<unknown>> = {
    'other content of the same length': (target) => writeFile(target, 'OLD'),
    'other mode': (target) => chmod(target, 0o604),
    'another file in its place': async (target) => {
      await writeFile(`${target}.2`, 'new one');
      await rename(`${target}.2`, target);
    },
    removed: (target) => rm(target),
    'now a link': async (target) => {
      await rename(target, `${target}.real`);
      await symlink(`${target}.real`, target);
    },
  };
  for (const [name, change] of Object.entries(changes)) {
    const folder = await makeFolder(t);
    const target = join(folder, 'x.yml');
    await writeFile(target, 'old');
    const prepared = await prepareFile(target, { reserve: 3 });
    await change(target);
    const before = await readFile(target, 'utf8').catch(() => null);
    await rejectsStore(prepared.commit('new'), null, /changed meanwhile|not a regular file/, name);
    assert.equal(await readFile(target, 'utf8').catch(() => null), before, name);
    await prepared.discard();
    assert.ok(!(await readdir(folder)).includes(STATE), name);
  }
});

test('a file that somebody made after the preparation is not replaced', async (t) => {
  const folder = await makeFolder(t);
  const prepared = await prepareFile(join(folder, 'x.yml'), { reserve: 3 });
  await writeFile(join(folder, 'x.yml'), 'theirs');
  await rejectsStore(
    prepared.commit('ours'),
    null,
    /changed meanwhile; what somebody else wrote there was left alone$/,
  );
  assert.equal(await readFile(join(folder, 'x.yml'), 'utf8'), 'theirs');
  await prepared.discard();
});

test('a file that changed since its content was read is refused at once', async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'x.yml');
  await store(target, 'one', { basedOn: null });
  await store(target, '', { basedOn: 'one' });
  await rejectsStore(
    prepareFile(target, { reserve: 1, basedOn: 'one' }),
    null,
    /changed meanwhile/,
  );
  await rejectsStore(prepareFile(target, { reserve: 1, basedOn: null }), null, /changed meanwhile/);
  await store(target, 'two', { basedOn: '' });
  await rm(target);
  await rejectsStore(
    prepareFile(target, { reserve: 1, basedOn: 'two' }),
    null,
    /changed meanwhile/,
  );
  assert.deepEqual(await readdir(folder), []);
});

test('what the last check throws comes out, and the file is as it was', async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'x.yml');
  await writeFile(target, 'old');
  const trouble = new Error('the lock is lost');
  const verifyBeforeRename = () => Promise.reject(trouble);
  const prepared = await prepareFile(target, { reserve: 3, verifyBeforeRename });
  await assert.rejects(prepared.commit('new'), trouble);
  await prepared.discard();
  assert.equal(await readFile(target, 'utf8'), 'old');
  assert.deepEqual(await readdir(folder), ['x.yml']);
});

test('the last check sees the old content, all else being done', async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'x.yml');
  await writeFile(target, 'old');
  const seen: string[] = [];
  const verifyBeforeRename = async () => {
    seen.push(await readFile(target, 'utf8'), await readFile(await findTemp(folder), 'utf8'));
  };
  await store(target, 'new', { verifyBeforeRename });
  assert.deepEqual(seen, ['old', 'new']);
});

test('a folder in which nothing may be written is refused before anything is lost', async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'x.yml');
  await writeFile(target, 'old');
  if (isRoot) await chown(folder, 65_534, 65_534);
  await chmod(folder, 0o555);
  if (isRoot) process.seteuid?.(65_534);
  try {
    await rejectsStore(
      prepareFile(target, { reserve: 3 }),
      'EACCES',
      /permission denied \(EACCES\)/,
    );
  } finally {
    if (isRoot) process.seteuid?.(0);
    await chmod(folder, 0o755);
  }
  assert.deepEqual(await readdir(folder), ['x.yml']);
});

test('a file of another owner is refused, not taken over', { skip: needsRoot }, async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'x.yml');
  await writeFile(target, 'old');
  await chmod(target, 0o644);
  await chown(folder, 65_534, 65_534);
  process.seteuid?.(65_534);
  try {
    await rejectsStore(
      prepareFile(target, { reserve: 3 }),
      'EPERM',
      /belongs to user 0 and group 0/,
    );
  } finally {
    process.seteuid?.(0);
  }
  assert.deepEqual(await readdir(folder), ['x.yml']);
});

test('many writers come and go in one folder, and nothing is left of them', async (t) => {
  const folder = await makeFolder(t);
  const home = join(folder, 'host_vars/a/vault_matrix_tokens');
  const writers = Array.from({ length: 40 }, async (_, index) => {
    const prepared = await prepareFile(join(home, `${index}.yml`), { reserve: 50 });
    if (index % 4 === 0) await prepared.commit(`content ${index}`);
    else await prepared.discard();
  });
  await Promise.all(writers);
  const expected = Array.from({ length: 10 }, (_, index) => `${index * 4}.yml`).sort();
  assert.deepEqual((await readdir(home)).sort(), expected);
  assert.equal(await readFile(join(home, '8.yml'), 'utf8'), 'content 8');
});

test('of writers that all discard not even the folders are left', async (t) => {
  const folder = await makeFolder(t);
  const target = (index: number) => join(folder, `host_vars/a/made/${index % 3}.yml`);
  const writers = Array.from({ length: 40 }, async (_, index) => {
    const prepared = await prepareFile(target(index), { reserve: 50 });
    await prepared.discard();
  });
  await Promise.all(writers);
  assert.deepEqual(await readdir(folder), []);
});

test('git does not see what is being prepared', async (t) => {
  const folder = await makeFolder(t);
  const git = promisify(execFile);
  await git('git', ['init', '-q', folder]);
  const prepared = await prepareFile(join(folder, 'x.yml'), { reserve: 50 });
  const { stdout } = await git('git', ['-C', folder, 'status', '--porcelain', '-uall']);
  assert.equal(stdout, '');
  await prepared.discard();
});

async function store(target: string, text: string, options: Partial<PrepareOptions> = {}) {
  const prepared = await prepareFile(target, { reserve: text.length, ...options });
  await prepared.commit(text);
}

async function rejectsStore(
  operation: Promise<unknown>,
  code: string | null,
  message: RegExp,
  name?: string,
): Promise<void> {
  await assert.rejects(
    operation,
    (error) => {
      assert.ok(error instanceof StoreError, String(error));
      assert.equal(error.code, code);
      assert.equal(error.replaced, false);
      assert.match(error.message, message);
      return true;
    },
    name,
  );
}

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'matrix-tokens-atomic-')));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

async function findTemp(folder: string): Promise<string> {
  const names = await readdir(join(folder, STATE));
  const temp = names.find((name) => name.endsWith('.tmp'));
  assert.ok(temp !== undefined, names.join());
  return join(folder, STATE, temp);
}

async function modeOf(path: string): Promise<number> {
  return (await lstat(path)).mode & 0o7777;
}

async function ownerOf(path: string): Promise<number[]> {
  const { uid, gid } = await lstat(path);
  return [uid, gid];
}

async function listTree(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}
