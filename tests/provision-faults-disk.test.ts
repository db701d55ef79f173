// A disk that is full, and folders that become read-only while a login is under way.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { chmod, chown, copyFile, mkdtemp, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { rememberBefore, saidBy } from './helpers/crash-truth.ts';
import { BUNDLE, outcomesOf, reportOf } from './helpers/provision-project.ts';
import type { Project, Run } from './helpers/provision-project.ts';
import {
  ageJournal,
  assertConverged,
  FILES,
  servicesFor,
  STATE,
} from './helpers/provision-services.ts';
import type { ServicesOptions } from './helpers/provision-services.ts';
import type { SmallDiskResult } from './helpers/provision-small-disk.ts';

const ONE: ServicesOptions = { names: ['news'] };
const NOBODY = 65_534;
const WORKER = fileURLToPath(new URL('./helpers/provision-small-disk.js', import.meta.url));
const MOUNT = 'mount -t tmpfs -o size=1m none "$1" && shift && exec "$@"';
const skip = await mountSkip();

/** What becomes read-only while the login is under way, and what comes of the session. */
const READ_ONLY = {
  'the folder of the files': { path: FILES, leftovers: 0 },
  'the folder of the journal, too': { path: STATE, leftovers: 1 },
} as const;

for (const [name, { path, leftovers }] of Object.entries(READ_ONLY)) {
  test(`${name} becomes read-only: the session is logged out, the next run completes`, async (t) => {
    const folders: string[] = [];
    const services = await servicesFor(t, {
      ...ONE,
      onRequest: ({ method, path: asked }) => {
        if (method !== 'POST' || !asked.endsWith('/login')) return;
        for (const folder of folders) chmodSync(folder, 0o500);
      },
    });
    const { project, homeserver } = services;
    folders.push(join(project.folder, FILES), join(project.folder, path));
    const asSomebody = await runAsSomebody(t, project);
    const judge = rememberBefore(services);
    const run = await asSomebody();
    assert.deepEqual(await judge(saidBy(run)), []);
    const report = reportOf(run);
    const [service] = report.services;
    assert.equal(run.exitCode, 1);
    assert.equal(service?.code, 'STORE_FAILED');
    assert.match(service.message, /permission denied.*; the new session was logged out$/);
    assert.equal(homeserver.state.sessions.size, 0);
    assert.equal(report.sessions_left.length, leftovers);
    for (const folder of folders) chmodSync(folder, 0o700);
    homeserver.faults.length = 0;
    folders.length = 0;
    await ageJournal(project);
    assert.equal((await asSomebody()).exitCode, 0);
    await assertConverged(services);
  });
}

test('the journal becomes read-only while a session is removed: that is told, no bug', async (t) => {
  let folder = '';
  const services = await servicesFor(t, {
    ...ONE,
    onRequest: ({ path }) => {
      if (folder !== '' && path.endsWith('/delete_devices')) chmodSync(folder, 0o500);
    },
  });
  const { project, homeserver } = services;
  homeserver.faults.push({ method: 'POST', path: /\/login$/, nth: 1, cut: 'after' });
  folder = join(project.folder, STATE);
  const asSomebody = await runAsSomebody(t, project);
  const judge = rememberBefore(services);
  const run = await asSomebody();
  assert.equal(run.exitCode, 1, run.stderr);
  assert.deepEqual(await judge(saidBy(run)), []);
  assert.deepEqual(outcomesOf(run), { news: 'changed' });
  assert.match(reportOf(run).sessions_left[0]?.message ?? '', /^cannot write .*permission denied/);
  chmodSync(folder, 0o700);
  folder = '';
  await ageJournal(project);
  assert.equal((await asSomebody()).exitCode, 0);
  await assertConverged(services);
});

/** Root may write everywhere: then somebody else runs it. */
async function runAsSomebody(t: TestContext, project: Project): Promise<() => Promise<Run>> {
  if (process.geteuid?.() !== 0) return () => project.run(['--json']);
  const folder = await mkdtemp(join(tmpdir(), 'matrix-tokens-bundle-'));
  t.after(() => rm(folder, { recursive: true }));
  const bundle = join(folder, 'matrix-tokens.cjs');
  await copyFile(BUNDLE, bundle);
  await chmod(folder, 0o755);
  for (const path of ['', ...project.tree().keys()]) {
    await chown(join(project.folder, path), NOBODY, NOBODY);
  }
  return () => project.run(['--json'], { bundle, uid: NOBODY });
}

async function mountSkip(): Promise<string | false> {
  const mounted = promisify(execFile)('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'none', '/mnt']);
  return mounted.then(
    () => false,
    () => 'this system lets nobody mount a file system in a namespace of its own (unshare -Urm)',
  );
}

async function playOnSmallDisk(when: 'login' | 'start'): Promise<SmallDiskResult> {
  const folder = await mkdtemp(join(tmpdir(), 'matrix-tokens-disk-'));
  try {
    const env = { ...process.env, TMPDIR: folder };
    const args = ['-Urm', 'sh', '-c', MOUNT, 'sh', folder, process.execPath, WORKER, when];
    const { stdout } = await promisify(execFile)('unshare', args, { env });
    return JSON.parse(stdout) as SmallDiskResult;
  } finally {
    await rmdir(folder);
  }
}

test(
  'a disk that is full when the login is answered takes the token all the same',
  { skip },
  async () => {
    const { exitCode, report, requests, next } = await playOnSmallDisk('login');
    assert.deepEqual([exitCode, requests, next], [0, 3, 0]);
    assert.equal(report.services[0]?.outcome, 'changed');
  },
);

test('a disk that is full before is told, with nobody asked', { skip }, async () => {
  const { exitCode, report, requests, next } = await playOnSmallDisk('start');
  assert.deepEqual([exitCode, requests, next], [5, 0, 0]);
  assert.match(report.faults[0]?.found ?? '', /no space left on the device/);
});
