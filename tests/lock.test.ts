import assert from 'node:assert/strict';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { InputError } from '../src/errors.ts';
import type { LockHolder } from '../src/vault/lock.ts';
import { acquireLock, removeLock } from '../src/vault/lock.ts';
import type { ProcessIdentity } from '../src/vault/process-identity.ts';
import { isProvedDead, readOwnIdentity } from '../src/vault/process-identity.ts';
import { StoreError } from '../src/vault/store-error.ts';

const STATE = '.matrix-tokens';
const NO_WAIT = { waitMs: 0 };
const noProc = process.platform === 'linux' ? false : 'only Linux tells who is dead';

test('a lock is held by one, and leaves nothing behind', async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'made/made/x.yml');
  const lock = await acquireLock(target, NO_WAIT);
  assert.equal(lock.target, target);
  assert.deepEqual(await readdir(join(folder, 'made/made', STATE)), [
    '.gitignore',
    '.made-2',
    'x.yml.lock',
  ]);
  await lock.check();
  await lock.release();
  assert.deepEqual(await readdir(folder), []);
});

test('a lock of a running process is refused with its holder, and nobody is told to remove it', async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'x.yml');
  const lock = await acquireLock(target, { ...NO_WAIT, now: () => Date.UTC(2026, 10, 23, 6, 42) });
  await assert.rejects(acquireLock(target, NO_WAIT), (error) => {
    assert.ok(error instanceof InputError);
    const [fault] = error.faults;
    assert.equal(fault?.code, 'E_LOCKED');
    assert.match(fault.found, new RegExp(`process ${process.pid} on .+ since 2026-11-23T06:42:00`));
    assert.match(fault.found, noProc ? /$/ : /, which is running$/);
    assert.doesNotMatch(fault.fix ?? '', noProc ? /^$/ : /unlock/);
    return true;
  });
  await lock.release();
});

test('whoever waits is told for whom, once, and gets the lock when it is free', async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'x.yml');
  const first = await acquireLock(target, NO_WAIT);
  const holders: (LockHolder | null)[] = [];
  let released = false;
  const onWait = (holder: LockHolder | null): void => {
    holders.push(holder);
    void first.release().then(() => (released = true));
  };
  const second = await acquireLock(target, { waitMs: 60_000, onWait });
  assert.equal(released, true);
  assert.deepEqual(
    holders.map((holder) => holder?.pid),
    [process.pid],
  );
  await second.release();
  assert.deepEqual(await readdir(folder), []);
});

test('waiting ends with the reason of the signal', async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'x.yml');
  const lock = await acquireLock(target, NO_WAIT);
  const abort = new AbortController();
  const reason = new Error('interrupted');
  const onWait = (): void => abort.abort(reason);
  await assert.rejects(
    acquireLock(target, { waitMs: 60_000, onWait, signal: abort.signal }),
    reason,
  );
  await lock.release();
});

test('a file has one lock, by whatever links it is reached; two files have two', async (t) => {
  const folder = await makeFolder(t);
  await mkdir(join(folder, 'real'));
  await symlink('real', join(folder, 'linked'));
  await symlink('real/x.yml', join(folder, 'link.yml'));
  const lock = await acquireLock(join(folder, 'link.yml'), NO_WAIT);
  assert.equal(lock.target, join(folder, 'real/x.yml'));
  await assert.rejects(acquireLock(join(folder, 'linked/x.yml'), NO_WAIT), InputError);
  const other = await acquireLock(join(folder, 'linked/y.yml'), NO_WAIT);
  await other.release();
  await lock.release();
});

test('a name as long as the file system allows can be locked', async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, `${'x'.repeat(251)}.yml`);
  const lock = await acquireLock(target, NO_WAIT);
  await assert.rejects(acquireLock(target, NO_WAIT), InputError);
  await lock.release();
});

test('who lost the lock to a person is told, and does not remove the lock of the next one', async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'x.yml');
  const lost = await acquireLock(target, NO_WAIT);
  assert.equal(holderOf(await removeLock(target))?.pid, process.pid);
  await assert.rejects(lost.check(), (error) => {
    assert.ok(error instanceof StoreError && !error.replaced);
    return /lock was taken away/.test(error.message);
  });
  const next = await acquireLock(target, NO_WAIT);
  await lost.release();
  await next.check();
  await next.release();
  assert.equal(await removeLock(target), null);
  assert.deepEqual(await readdir(folder), []);
});

function holderOf(removed: Awaited<ReturnType<typeof removeLock>>): LockHolder | null {
  return typeof removed === 'object' ? removed : null;
}

test('a damaged lock is never taken over, and removed by command only', async (t) => {
  for (const content of [
    '',
    '{',
    '[]',
    '{"pid":1}',
    '{"host":"a","pid":-1,"nonce":"","since":1}',
  ]) {
    const folder = await makeFolder(t);
    const target = join(folder, 'x.yml');
    await mkdir(join(folder, STATE));
    await writeFile(join(folder, STATE, 'x.yml.lock'), content);
    await assert.rejects(acquireLock(target, NO_WAIT), (error) => {
      assert.ok(error instanceof InputError);
      return /the lock file is damaged/.test(error.message);
    });
    assert.equal(await removeLock(target), 'unreadable');
    await (await acquireLock(target, NO_WAIT)).release();
    assert.deepEqual(await readdir(folder), []);
  }
});

test('a person does not remove the lock of a running process', { skip: noProc }, async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'x.yml');
  const lock = await acquireLock(target, NO_WAIT);
  await assert.rejects(removeLock(target, { keepAlive: true }), (error) => {
    assert.ok(error instanceof InputError);
    return /is locked by process \d+ on .+, which is running/.test(error.message);
  });
  await lock.check();
  await lock.release();
});

test('a dead lock whose remover died as well is taken over', { skip: noProc }, async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'x.yml');
  const [lock, guard] = [await deadRecord('a'.repeat(32)), await deadRecord('b'.repeat(32))];
  await mkdir(join(folder, STATE));
  await writeFile(join(folder, STATE, 'x.yml.lock'), lock);
  await writeFile(join(folder, STATE, `x.yml.${'a'.repeat(32)}.guard`), guard);
  await (await acquireLock(target, { waitMs: 60_000 })).release();
  assert.deepEqual(await readdir(folder), []);
});

test('a person removes a lock even where an unknown holder of its guard is in the way', async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'x.yml');
  const unknown = (nonce: string) => JSON.stringify({ host: 'elsewhere', pid: 7, nonce, since: 0 });
  await mkdir(join(folder, STATE));
  await writeFile(join(folder, STATE, 'x.yml.lock'), unknown('a'.repeat(32)));
  await writeFile(join(folder, STATE, `x.yml.${'a'.repeat(32)}.guard`), unknown('b'.repeat(32)));
  await assert.rejects(acquireLock(target, NO_WAIT), (error) => {
    assert.ok(error instanceof InputError);
    assert.match(error.message, /process 7 on elsewhere since 1970/);
    assert.match(error.faults[0]?.fix ?? '', new RegExp(`matrix-tokens unlock ${target}$`));
    return true;
  });
  assert.equal(holderOf(await removeLock(target, { keepAlive: true }))?.host, 'elsewhere');
  assert.deepEqual(await readdir(folder), []);
});

test('where no /proc tells who is dead nothing is taken over', async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'x.yml');
  await mkdir(join(folder, STATE));
  await writeFile(join(folder, STATE, 'x.yml.lock'), await deadRecord('a'.repeat(32)));
  const proc = join(folder, 'no-proc');
  await assert.rejects(acquireLock(target, { ...NO_WAIT, proc }), InputError);
  await removeLock(target);
  const lock = await acquireLock(target, { ...NO_WAIT, proc });
  const text = await readFile(join(folder, STATE, 'x.yml.lock'), 'utf8');
  assert.match(text, /"boot_id":null,"pid_namespace":null,"start_time":null/);
  await lock.release();
});

test(
  'only host, boot, PID namespace and start time together prove a holder dead',
  {
    skip: noProc,
  },
  async () => {
    const own = { ...(await readOwnIdentity('/proc')), machine: 'a machine' };
    const judge = (changes: Partial<ProcessIdentity>) =>
      isProvedDead({ ...own, ...changes }, own, '/proc');
    const gone = { pid: 2 ** 22 + 1 };
    assert.equal(await judge({}), false, 'itself');
    assert.equal(await judge({ startTime: '1' }), true, 'the process ID is in use again');
    assert.equal(await judge(gone), true, 'no such process');
    assert.equal(await judge({ bootId: 'an earlier boot' }), true, 'the machine was started again');
    assert.equal(await judge({ ...gone, host: 'another' }), false, 'another host');
    assert.equal(await judge({ ...gone, pidNamespace: 'pid:[1]' }), false, 'another PID namespace');
    assert.equal(await judge({ ...gone, pidNamespace: null }), false, 'no PID namespace known');
    assert.equal(await judge({ ...gone, bootId: null }), false, 'no boot known');
    assert.equal(await judge({ startTime: null }), false, 'no start time known');
    const namesake = { bootId: 'another boot', machine: 'another machine' };
    assert.equal(await judge(namesake), false, 'a machine of the same name');
    assert.equal(await judge({ bootId: 'another boot', machine: null }), false, 'no machine known');
  },
);

/** The text of a lock file whose process cannot exist: its ID is above all that Linux gives. */
async function deadRecord(nonce: string): Promise<string> {
  const own = await readOwnIdentity('/proc');
  return JSON.stringify({
    host: own.host,
    pid: 2 ** 22 + 1,
    machine: own.machine,
    boot_id: own.bootId,
    pid_namespace: own.pidNamespace,
    start_time: own.startTime,
    since: 0,
    nonce,
  });
}

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'matrix-tokens-lock-')));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}
