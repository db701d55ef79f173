// Locks and temp files between real processes, some of which are killed.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { InputError } from '../src/errors.ts';
import { removeLeftovers } from '../src/vault/leftovers.ts';
import { acquireLock, removeLock } from '../src/vault/lock.ts';

const WORKER = fileURLToPath(new URL('./helpers/vault-worker.js', import.meta.url));
const noProc = process.platform === 'linux' ? false : 'only Linux tells who is dead';
const PROCESSES = 20;
const TURNS = 60;

test(
  '20 processes that leave dead locks behind, and 6 that are killed: no turn of 1,200 is lost',
  {
    skip: noProc,
  },
  async (t) => {
    const folder = await makeFolder(t);
    const target = join(folder, 'made/counter');
    const dying = Array.from({ length: 6 }, () => startWorker(t, 'die', target));
    const counting = Array.from({ length: PROCESSES }, () => {
      return startWorker(t, 'count', target, String(TURNS));
    });
    const codes = await Promise.all(counting.map(waitForEnd));
    const signals = await Promise.all(dying.map(waitForEnd));
    assert.deepEqual(
      codes,
      Array.from({ length: PROCESSES }, () => 0),
    );
    assert.deepEqual(
      signals,
      Array.from({ length: 6 }, () => 'SIGKILL'),
    );
    assert.equal(await readFile(target, 'utf8'), String(PROCESSES * TURNS));
    await removeLeftovers(join(folder, 'made'));
    assert.deepEqual(await readdir(join(folder, 'made')), ['counter']);
  },
);

test('processes that journal in one folder and leave it do not disturb each other', async (t) => {
  const folder = await makeFolder(t);
  const workers = Array.from({ length: 4 }, (_, index) => {
    return startWorker(t, 'journal', join(folder, `host_vars/a/${index}.yml`), '40');
  });
  assert.deepEqual(await Promise.all(workers.map(waitForEnd)), [0, 0, 0, 0]);
  assert.deepEqual(await readdir(folder), []);
});

test('the lock of a killed process is taken over', { skip: noProc }, async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'x.yml');
  const worker = startWorker(t, 'hold', target);
  await waitUntilReady(worker);
  await assert.rejects(acquireLock(target, { waitMs: 0 }), InputError);
  worker.kill('SIGSTOP');
  await assert.rejects(acquireLock(target, { waitMs: 200 }), InputError);
  await kill(worker);
  await (await acquireLock(target, { waitMs: 60_000 })).release();
  assert.deepEqual(await readdir(folder), []);
});

test('a killed process that nobody has reaped counts as dead', { skip: noProc }, async (t) => {
  const folder = await makeFolder(t);
  const target = join(folder, 'x.yml');
  const script = '"$0" "$1" hold "$2" & exec sleep 600';
  const parent = start(t, 'sh', ['-c', script, process.execPath, WORKER, target]);
  const pid = await waitUntilReady(parent);
  process.kill(pid, 'SIGKILL');
  await (await acquireLock(target, { waitMs: 60_000 })).release();
  assert.match(await readFile(`/proc/${pid}/stat`, 'latin1'), /\) Z /);
});

test(
  'a killed run leaves the old file, and what it prepared is removed by the next one',
  {
    skip: noProc,
  },
  async (t) => {
    const folder = await makeFolder(t);
    const [old, made] = [join(folder, 'old.yml'), join(folder, 'made/made/new.yml')];
    await writeFile(old, 'old');
    const workers = [startWorker(t, 'prepare', old), startWorker(t, 'prepare', made)];
    await Promise.all(workers.map(waitUntilReady));
    const living = startWorker(t, 'prepare', join(folder, 'living.yml'));
    await waitUntilReady(living);
    await Promise.all(workers.map(kill));
    assert.equal(await readFile(old, 'utf8'), 'old');
    await removeLeftovers(folder);
    await removeLeftovers(join(folder, 'made/made'));
    const left = (await readdir(join(folder, '.matrix-tokens'))).map((name) => {
      return name.replace(/[0-9a-f]{32}/, 'NONCE');
    });
    assert.deepEqual(left.sort(), ['.gitignore', 'living.yml.NONCE.tmp', 'living.yml.lock']);
    await kill(living);
    await removeLeftovers(folder);
    assert.deepEqual(await readdir(folder), ['old.yml']);
  },
);

const skipNamespaces = noProc === false ? await namespaceSkip() : noProc;

test(
  'a holder in another PID namespace is never taken for dead',
  {
    skip: skipNamespaces,
  },
  async (t) => {
    const folder = await makeFolder(t);
    const target = join(folder, 'x.yml');
    for (const proc of [['--mount-proc'], []]) {
      const parent = start(t, 'unshare', [...namespaceArgs(proc), ...workerArgs('hold', target)]);
      await waitUntilReady(parent);
      await assert.rejects(acquireLock(target, { waitMs: 200 }), /is locked by process \d+ on/);
      await kill(parent);
      // Nobody can prove from here that the process is dead, though it is.
      await assert.rejects(acquireLock(target, { waitMs: 200 }), /is locked by process \d+ on/);
      assert.notEqual(await removeLock(target), null);
      await (await acquireLock(target, { waitMs: 0 })).release();
    }
  },
);

async function namespaceSkip(): Promise<string | false> {
  const probe = spawn('unshare', [...namespaceArgs(['--mount-proc']), 'true'], { stdio: 'ignore' });
  const ended = await once(probe, 'exit').catch(() => [1]);
  return ended[0] === 0 ? false : 'this system lets nobody make a PID namespace (unshare -Urpf)';
}

function namespaceArgs(proc: readonly string[]): string[] {
  return ['-Urpf', '--kill-child', ...proc];
}

function workerArgs(...args: string[]): string[] {
  return [process.execPath, WORKER, ...args];
}

function startWorker(t: TestContext, ...args: string[]): ChildProcess {
  return start(t, process.execPath, [WORKER, ...args]);
}

/** In a process group of its own, so that whatever it starts ends with the test. */
function start(t: TestContext, command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  t.after(() => killGroup(child));
  return child;
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/** Gives the process ID that the worker sees. */
async function waitUntilReady(child: ChildProcess): Promise<number> {
  assert.ok(child.stdout !== null);
  for await (const line of createInterface({ input: child.stdout })) {
    const pid = /^ready (\d+)$/.exec(line)?.[1];
    if (pid !== undefined) return Number(pid);
  }
  throw new Error('the worker ended before it was ready');
}

async function waitForEnd(child: ChildProcess): Promise<number | string | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode ?? child.signalCode;
}

async function kill(child: ChildProcess): Promise<void> {
  killGroup(child);
  await waitForEnd(child);
}

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'matrix-tokens-lock-')));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}
