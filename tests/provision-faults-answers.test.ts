// Answers to a login that are not what was asked for, and those that come too late.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { rememberBefore, saidBy } from './helpers/crash-truth.ts';
import { deviceIds, requestLines } from './helpers/homeserver.ts';
import { outcomesOf } from './helpers/provision-project.ts';
import { putProxyBefore } from './helpers/provision-proxy.ts';
import type { Rewrites } from './helpers/provision-proxy.ts';
import { ageJournal, assertConverged, FILES, servicesFor } from './helpers/provision-services.ts';
import type { Services } from './helpers/provision-services.ts';
import { assertNothingLost, outcomeOf, provisionInside } from './helpers/provision-world.ts';

const LOGIN = /^POST .*\/login$/;
type Json = Record<string, unknown>;

/** Makes a project whose first login passes a proxy that changes it. */
async function withRewrites(
  t: TestContext,
  rewrites: (services: Services) => Rewrites,
): Promise<Services> {
  const services = await servicesFor(t, { names: ['news'] });
  await putProxyBefore(t, services.project, services.homeserver, rewrites(services));
  return services;
}

/** Changes the first answer to a login. */
function changedAnswer(change: (answer: Json) => Json): Rewrites {
  let isFirst = true;
  return {
    answer: ({ request, body }) => {
      if (!isFirst || !LOGIN.test(request)) return {};
      isFirst = false;
      return { body: JSON.stringify(change(JSON.parse(body) as Json)) };
    },
  };
}

/** The homeserver gives another token than usual. */
function otherToken({ homeserver }: Services, token: string): Rewrites {
  return changedAnswer((answer) => {
    const { sessions } = homeserver.state;
    const session = sessions.get(String(answer['access_token']));
    assert.ok(session);
    sessions.delete(String(answer['access_token']));
    sessions.set(token, session);
    return { ...answer, access_token: token };
  });
}

/** The homeserver chooses the device ID itself, as an old MAS did. */
function otherDevice(): Rewrites {
  let isFirst = true;
  return {
    request: (request, body) => {
      if (!isFirst || !LOGIN.test(request)) return body;
      isFirst = false;
      return JSON.stringify({ ...(JSON.parse(body) as Json), device_id: 'OTHER' });
    },
  };
}

const LOGGED_OUT: Readonly<Record<string, (services: Services) => Rewrites>> = {
  USER_MISMATCH: () => changedAnswer((answer) => ({ ...answer, user_id: '@other:example.com' })),
  DEVICE_MISMATCH: otherDevice,
  TOKEN_UNUSABLE: (services) => otherToken(services, 'syt_{{lookup("pipe","id")}}'),
};

for (const [code, rewrites] of Object.entries(LOGGED_OUT)) {
  test(`${code}: nothing is stored, the session is logged out, nothing is left`, async (t) => {
    const services = await withRewrites(t, rewrites);
    const inside = await provisionInside(services);
    assert.equal(outcomeOf(inside, 'news'), `failed ${code}`);
    assert.deepEqual(inside.report.leftovers, []);
    assert.equal(services.homeserver.state.sessions.size, 0);
    assert.ok(![...services.project.tree().keys()].some((path) => path.startsWith(FILES)));
    await provisionInside(services);
    await assertConverged(services);
  });

  test(`${code}, and only the third logout gets through: nothing is left`, async (t) => {
    const services = await withRewrites(t, rewrites);
    services.homeserver.faults.push({ path: /\/logout$/, nth: [1, 2], cut: 'before' });
    const inside = await provisionInside(services);
    assert.equal(outcomeOf(inside, 'news'), `failed ${code}`);
    assert.deepEqual(inside.report.leftovers, []);
    assert.equal(services.homeserver.state.sessions.size, 0);
  });

  test(`${code}, and the logout fails: the next run deals with the session`, async (t) => {
    const services = await withRewrites(t, rewrites);
    const { faults } = services.homeserver;
    faults.push({ path: /\/logout$/, cut: 'before' });
    const inside = await provisionInside(services);
    assert.equal(outcomeOf(inside, 'news'), `failed ${code}`);
    assert.ok(inside.report.leftovers.length > 0);
    assert.equal(services.homeserver.state.sessions.size, 1);
    await assertNothingLost(services);
    faults.length = 0;
    const next = await provisionInside(services);
    assert.equal(outcomeOf(next, 'news'), 'changed');
    if (code === 'USER_MISMATCH') {
      // Only that user could remove it: it is told until somebody has.
      assert.deepEqual(
        next.report.leftovers.map(({ user_id }) => user_id),
        ['@other:example.com'],
      );
    } else await assertConverged(services);
  });
}

test('another spelling of the user ID, and the logout fails: the next run removes the session', async (t) => {
  const services = await withRewrites(t, () =>
    changedAnswer((answer) => ({ ...answer, user_id: '@News:example.com' })),
  );
  const { faults } = services.homeserver;
  faults.push({ path: /\/logout$/, cut: 'before' });
  assert.equal(outcomeOf(await provisionInside(services), 'news'), 'failed USER_MISMATCH');
  faults.length = 0;
  await provisionInside(services);
  await assertConverged(services);
});

const KEPT: Readonly<Record<string, (services: Services) => Rewrites>> = {
  'a token that no header can carry': (services) => otherToken(services, 'a token'),
  'no token': () => changedAnswer(({ user_id, device_id }) => ({ user_id, device_id })),
  'no device ID': () => changedAnswer((answer) => ({ ...answer, device_id: 7 })),
  'no user ID': () => changedAnswer((answer) => ({ ...answer, user_id: null })),
};

for (const [name, rewrites] of Object.entries(KEPT)) {
  test(`an answer with ${name}: what is open after it, the next run removes`, async (t) => {
    const services = await withRewrites(t, rewrites);
    const inside = await provisionInside(services);
    assert.match(outcomeOf(inside, 'news'), /^(?:failed|unreachable) /);
    await assertNothingLost(services);
    await provisionInside(services);
    await assertConverged(services);
  });
}

test('an answer that comes after the timeout: its session is removed in the same run', async (t) => {
  const services = await servicesFor(t, { names: ['news'] });
  const { project, homeserver } = services;
  // The clock of the run goes 40 times faster: its 30 s are 750 ms.
  homeserver.faults.push({ method: 'POST', path: /\/login$/, nth: 1, delayAfterMs: 2000 });
  const judge = rememberBefore(services);
  const run = await project.run(['--json'], { preload: { speed: 40 } });
  assert.deepEqual(await judge(saidBy(run)), []);
  assert.deepEqual(outcomesOf(run), { news: 'changed' }, run.stderr);
  assert.equal(run.exitCode, 0);
  assert.equal(requestLines(homeserver).filter((line) => LOGIN.test(line)).length, 2);
  await assertConverged(services);
});

test('no answer in time, three times: unreachable, and the next run removes all three', async (t) => {
  const services = await servicesFor(t, { names: ['news'] });
  const { project, homeserver } = services;
  homeserver.faults.push({ method: 'POST', path: /\/login$/, delayAfterMs: 2000 });
  const judge = rememberBefore(services);
  const run = await project.run(['--json'], { preload: { speed: 40 } });
  assert.deepEqual(await judge(saidBy(run)), []);
  assert.deepEqual(outcomesOf(run), { news: 'unreachable' });
  assert.equal(run.exitCode, 1, 'sessions are left');
  assert.equal(deviceIds(homeserver, 'news').length, 3, 'each with an ID of its own');
  await assertNothingLost(services);
  homeserver.faults.length = 0;
  await ageJournal(project, 120_000);
  assert.equal((await project.run()).exitCode, 0);
  await assertConverged(services);
});
