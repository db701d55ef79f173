// Sessions of lost logins: late ones, those of fixed devices, those of a run that was interrupted.
import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HomeserverFault } from '../scripts/homeserver/faults.ts';
import { requestLines } from './helpers/homeserver.ts';
import { killRun } from './helpers/provision-kill.ts';
import { outcomesOf } from './helpers/provision-project.ts';
import {
  ageJournal,
  assertConverged,
  HOST,
  readStored,
  servicesFor,
} from './helpers/provision-services.ts';
import type { ServicesOptions } from './helpers/provision-services.ts';
import { assertNothingLost, outcomeOf, provisionInside } from './helpers/provision-world.ts';

const LOGIN = { method: 'POST', path: /\/login$/ } as const;
const LOST: HomeserverFault = { ...LOGIN, nth: 1, cut: 'after' };
const ONE: ServicesOptions = { names: ['news'] };
const FIXED: ServicesOptions = { ...ONE, keys: ['device_id: FIXED'] };

/** The homeserver executes what is cut at once a while later: 300 ms here are 15 s of the run. */
const LATE: HomeserverFault = { ...LOGIN, nth: 1, cut: 'while', delayBeforeMs: 300 };
const slowly = (ms: number): Promise<void> => sleep(ms / 50);

test('a lost login that is executed late is found and removed (K11)', async (t) => {
  const services = await servicesFor(t, ONE);
  services.homeserver.faults.push(LATE);
  const inside = await provisionInside(services, { meanwhile: slowly });
  assert.equal(outcomeOf(inside, 'news'), 'changed');
  assert.match(inside.report.notes.join('\n'), /^removed the session MT\w+ of @news/);
  await assertConverged(services);
});

for (const software of ['synapse', 'dendrite'] as const) {
  test(`a fixed device waits until a lost login must have ended (K11), ${software}`, async (t) => {
    const services = await servicesFor(t, { ...FIXED, software });
    services.homeserver.faults.push(LATE);
    const inside = await provisionInside(services, { meanwhile: slowly });
    assert.equal(outcomeOf(inside, 'news'), 'changed');
    assert.equal((await readStored(services.project, 'news')).deviceId, 'FIXED');
    await assertConverged(services);
  });
}

test('a run that is interrupted while it waits for a fixed device logs nobody in', async (t) => {
  const services = await servicesFor(t, FIXED);
  services.homeserver.faults.push(LOST);
  const abort = new AbortController();
  const inside = await provisionInside(services, {
    signal: abort.signal,
    onProgress: ({ kind }) => {
      if (kind === 'settle') abort.abort();
    },
  });
  assert.equal(outcomeOf(inside, 'news'), 'failed INTERRUPTED');
  const logins = requestLines(services.homeserver).filter((line) => /^POST .*login$/.test(line));
  assert.equal(logins.length, 1);
  await assertNothingLost(services);
  await provisionInside(services);
  await assertConverged(services);
});

test('a clock that was ahead once makes no run wait for hours', async (t) => {
  for (const options of [ONE, FIXED]) {
    const services = await servicesFor(t, options);
    await killRun(services.project, { killOn: '^send POST \\S+/login$' });
    await ageJournal(services.project, -86_400_000);
    const { report, waits } = await provisionInside(services);
    assert.deepEqual(report.leftovers, []);
    assert.ok(Math.max(...waits) <= 30_000);
    await assertConverged(services);
  }
});

test('services whose files are one file by different names follow each other', async (t) => {
  const services = await servicesFor(t);
  const { project } = services;
  await project.write('secrets/tokens.yml', 'mine: kept\n');
  await symlink('tokens.yml', join(project.folder, 'secrets/linked.yml'));
  const vars = await project.read(`host_vars/${HOST}/vars.yml`);
  const named = vars
    .replace('news: {', 'news: {vault_file: secrets/tokens.yml, ')
    .replace('rss: {', 'rss: {vault_file: secrets/linked.yml, ');
  await project.write(`host_vars/${HOST}/vars.yml`, named);
  const run = await project.run(['--json']);
  assert.deepEqual(outcomesOf(run), { news: 'changed', rss: 'changed' });
  assert.match(await project.read('secrets/tokens.yml'), /^mine: kept\n/);
  assert.equal(services.homeserver.state.sessions.size, 2);
  assert.deepEqual(outcomesOf(await project.run(['--json'])), { news: 'ok', rss: 'ok' });
});
