// Several runs at once on the same files.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { on } from 'node:events';
import { PassThrough } from 'node:stream';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { removeLock } from '../src/vault/lock.ts';
import { createReader } from './helpers/crash-counts.ts';
import { requestLines } from './helpers/homeserver.ts';
import { outcomesOf, reportOf } from './helpers/provision-project.ts';
import type { Project, Run } from './helpers/provision-project.ts';
import { assertConverged, FILES, HOST, servicesFor } from './helpers/provision-services.ts';
import type { Services } from './helpers/provision-services.ts';

const skip = process.platform === 'linux' ? false : 'only Linux tells who is dead';
const LOGIN = /^POST .*\/login$/;

const RUNS = 20;
/** Nobody has to give up on a slow machine. */
const PATIENT = ['--lock-timeout', '3600', '--json'];

test('20 runs at once log each user in once, and all of them end well', { skip }, async (t) => {
  const services = await servicesFor(t, { names: ['mail', 'news', 'rss'] });
  const { project, names } = services;
  const runs = await Promise.all(Array.from({ length: RUNS }, () => project.run(PATIENT)));
  for (const run of runs) assert.equal(run.exitCode, 0, run.stderr + run.stdout);
  const changed = runs.flatMap((run) => Object.values(outcomesOf(run))).filter(isChange);
  assert.equal(changed.length, names.length, 'each login is told by one run');
  assert.equal(countLogins(services), names.length);
  await assertConverged(services);
});

test('20 runs for 20 services of one file that is kept by hand: no update is lost', async (t) => {
  const names = Array.from({ length: RUNS }, (_, index) => `bot_${index}`);
  const services = await servicesFor(t, { names });
  const { project, homeserver } = services;
  await shareFile(project, 'mine: kept # as it is\n');
  const runs = await Promise.all(names.map((name) => project.run([...PATIENT, name])));
  for (const [index, run] of runs.entries()) {
    assert.deepEqual(outcomesOf(run), { [String(names[index])]: 'changed' }, run.stderr);
  }
  assert.match(await project.read(SHARED), /^mine: kept # as it is\n/);
  const { values, closed } = await createReader(project)(project.tree());
  assert.equal(closed, 0);
  for (const name of names) {
    const session = homeserver.state.sessions.get(values.get(`vault_${name}_token`) ?? '');
    assert.equal(session?.user.localpart, name);
    assert.equal(session.device.deviceId, values.get(`vault_${name}_device`));
  }
  assert.equal(countLogins(services), RUNS);
  assert.equal(homeserver.state.sessions.size, RUNS);
  assert.ok(![...project.tree().keys()].some((path) => path.includes('.matrix-tokens')));
});

test('of runs that do not wait, those that come too late name the holder', async (t) => {
  const names = ['mail', 'news', 'rss', 'wiki', 'chat'];
  const services = await servicesFor(t, { names });
  const { project } = services;
  await shareFile(project, 'mine: kept\n');
  const runs = await Promise.all(
    names.map((name) => project.run(['--lock-timeout', '0', '--json', name])),
  );
  for (const [index, run] of runs.entries()) {
    if (run.exitCode === 0) continue;
    assert.equal(run.exitCode, 5, run.stderr);
    const [fault] = reportOf(run).faults;
    assert.equal(fault?.code, 'E_LOCKED', names[index]);
    assert.match(fault.found, /tokens\.yml is locked by process \d+ on \S+ since 20/);
  }
  const good = runs.filter((run) => run.exitCode === 0).length;
  assert.ok(good >= 1);
  assert.equal(countLogins(services), good);
  assert.equal((await project.run()).exitCode, 0);
  assert.equal(countLogins(services), names.length);
});

const SHARED = `host_vars/${HOST}/tokens.yml`;

/** All services store into one file, which somebody keeps. */
async function shareFile(project: Project, text: string): Promise<void> {
  const vars = await project.read(`host_vars/${HOST}/vars.yml`);
  const named = vars.replaceAll(/: \{password/g, `: {vault_file: ${SHARED}, password`);
  await project.write(`host_vars/${HOST}/vars.yml`, named);
  await project.write(SHARED, text);
}

function countLogins({ homeserver }: Services): number {
  return requestLines(homeserver).filter((line) => LOGIN.test(line)).length;
}

/** Starts a run and stops it when its first login has arrived: it keeps its lock, sees no answer. */
async function stoppedRun(t: TestContext): Promise<{
  services: Services;
  child: ChildProcess;
  ended: Promise<Run>;
}> {
  let child: ChildProcess | null = null;
  let hasArrived = (): void => {};
  const arrival = new Promise<void>((resolve) => {
    hasArrived = resolve;
  });
  const services = await servicesFor(t, {
    names: ['news'],
    onRequest: ({ method }) => {
      if (method !== 'POST') return;
      // Later logins are those of other runs.
      if (services.homeserver.requests.length === 3) child?.kill('SIGSTOP');
      hasArrived();
    },
  });
  const ended = services.project.run(['--json'], {
    onStart: (started) => {
      child = started;
    },
  });
  await arrival;
  assert.ok(child !== null);
  return { services, child, ended };
}

test('a run that is killed while others wait for it: one of them goes on', { skip }, async (t) => {
  const { services, child, ended } = await stoppedRun(t);
  const children: ChildProcess[] = [];
  const onStart = (started: ChildProcess): void => void children.push(started);
  const waiting = [1, 2, 3].map(() => services.project.run(['--json'], { ...FAST, onStart }));
  await Promise.all(children.map((one) => saysThatItWaits(one)));
  child.kill('SIGKILL');
  assert.equal((await ended).signal, 'SIGKILL');
  for (const run of await Promise.all(waiting)) assert.equal(run.exitCode, 0, run.stderr);
  await assertConverged(services);
});

test(
  'a run whose lock was taken away stores nothing, and ends its session',
  { skip },
  async (t) => {
    const { services, child, ended } = await stoppedRun(t);
    const { project } = services;
    await removeLock(join(project.folder, FILES, 'news.yml'));
    const other = await project.run(['--json']);
    assert.deepEqual(outcomesOf(other), { news: 'changed' }, other.stderr);
    child.kill('SIGCONT');
    const run = await ended;
    assert.equal(run.exitCode, 1);
    const [service] = reportOf(run).services;
    assert.match(
      service?.message ?? '',
      /its lock was taken away .*; the new session was logged out$/,
    );
    await assertConverged(services);
  },
);

async function saysThatItWaits({ stderr }: ChildProcess): Promise<void> {
  for await (const [text] of on(stderr ?? new PassThrough(), 'data')) {
    if (String(text).startsWith('waiting for process ')) return;
  }
}

/** For the half minute that a lost login is waited for. */
const FAST = { preload: { speed: 40 } };

function isChange(outcome: string): boolean {
  return outcome === 'changed';
}
