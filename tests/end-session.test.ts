// Undoing a login: tried again, believed, never proved by whoami, and told where it could not be done.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { errorAnswer, jsonAnswer } from '../scripts/homeserver/answer.ts';
import type { HomeserverFault } from '../scripts/homeserver/faults.ts';
import { endSession } from '../src/provision/end-session.ts';
import type { World } from '../src/provision/world.ts';
import { Secret } from '../src/secret.ts';
import { requestLines } from './helpers/homeserver.ts';
import { putProxyBefore } from './helpers/provision-proxy.ts';
import { assertConverged, FILES, readStored, servicesFor } from './helpers/provision-services.ts';
import type { Services, ServicesOptions } from './helpers/provision-services.ts';
import { assertNothingLost, outcomeOf, provisionInside } from './helpers/provision-world.ts';
import { capture, clientFor, html, json, startReplayServer } from './helpers/replay-server.ts';
import type { Answer } from './helpers/replay-server.ts';

interface Undone {
  readonly code: string | null;
  readonly waits: readonly number[];
  readonly requests: readonly string[];
}

async function undo(t: TestContext, answers: readonly Answer[]): Promise<Undone> {
  let count = 0;
  const last = answers.at(-1) ?? json(200, {});
  const server = await startReplayServer(t, () => answers[count++] ?? last);
  const waits: number[] = [];
  const world = { sleep: (ms: number) => Promise.resolve(void waits.push(ms)) };
  const failure = await endSession(new Secret('a-token-0123456789'), {
    client: clientFor(t),
    homeserver: { serverName: 'hs.test', baseUrl: server.url, api: 'v3', flows: [] },
    world: world as unknown as World,
  });
  const requests = server.requests.map(({ method, path }) => `${method} ${path}`);
  return { code: failure?.code ?? null, waits, requests };
}

const LOGOUT = 'POST /_matrix/client/v3/logout';

test('a logout is believed at once, as is that the token is not known any more', async (t) => {
  for (const answer of [capture('logout'), capture('logout-twice'), capture('mas-logout')]) {
    const { code, waits, requests } = await undo(t, [answer]);
    assert.deepEqual([code, waits, requests], [null, [], [LOGOUT]]);
  }
});

test('trouble that may pass is tried three times, a refusal once', async (t) => {
  const twice = await undo(t, [html(502), html(503), json(200, {})]);
  assert.deepEqual([twice.code, twice.waits], [null, [1000, 2000]]);
  const always = await undo(t, [html(502)]);
  assert.deepEqual([always.code, always.requests.length], ['SERVER_ERROR', 3]);
  const refused = await undo(t, [json(403, { errcode: 'M_FORBIDDEN', error: 'no' })]);
  assert.deepEqual([refused.code, refused.requests.length], ['M_FORBIDDEN', 1]);
});

test('a rate limit is waited for, but not for hours', async (t) => {
  const limit = (ms: number): Answer =>
    json(429, { errcode: 'M_LIMIT_EXCEEDED', error: 'slow', retry_after_ms: ms });
  const short = await undo(t, [limit(5000), json(200, {})]);
  assert.deepEqual([short.code, short.waits], [null, [5000]]);
  const long = await undo(t, [limit(3_600_000)]);
  assert.deepEqual([long.code, long.waits, long.requests.length], ['M_LIMIT_EXCEEDED', [], 1]);
});

const LOGOUTS = { method: 'POST', path: /\/logout$/ } as const;

/** A project whose logins are of no use: another user is named in their answers. */
async function withUselessLogins(
  t: TestContext,
  faults: readonly HomeserverFault[],
): Promise<Services> {
  const services = await servicesFor(t, { names: ['news'] });
  await putProxyBefore(t, services.project, services.homeserver, {
    answer: ({ request, body }) =>
      request.endsWith('/login') && request.startsWith('POST')
        ? { body: body.replace('@news:', '@other:') }
        : {},
  });
  services.homeserver.faults.push(...faults);
  return services;
}

test('a login that is of no use is logged out with as many tries as any other', async (t) => {
  const services = await withUselessLogins(t, [{ ...LOGOUTS, nth: [1, 2], cut: 'before' }]);
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'failed USER_MISMATCH');
  assert.deepEqual(inside.report.leftovers, []);
  assert.equal(services.homeserver.state.sessions.size, 0);
  assert.doesNotMatch(inside.report.outcomes[0]?.message ?? '', /logged out/);
});

test('where it cannot be logged out, that is told with its device and the reason', async (t) => {
  const services = await withUselessLogins(t, [{ ...LOGOUTS, cut: 'before' }]);
  const inside = await provisionInside(services);
  const [{ message } = { message: '' }] = inside.report.outcomes;
  assert.match(
    message,
    /; its session MT[0-9A-F]{20} could not be logged out \(.*\/logout \(.*\)\)$/,
  );
  assert.equal(inside.report.leftovers.length, 1);
  await assertNothingLost(services);
});

test('a token that could not be stored is logged out, and MAS is not asked whether it is', async (t) => {
  const options: ServicesOptions = { names: ['news'], software: 'mas' };
  const services: Services = await servicesFor(t, {
    ...options,
    onRequest: ({ method, path }) => {
      if (method !== 'POST' || !path.endsWith('/login')) return;
      writeFileSync(join(services.project.folder, FILES, 'news.yml'), 'somebody: else\n');
    },
  });
  services.homeserver.faults.push({ ...LOGOUTS, nth: 1, cut: 'after' });
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'failed STORE_FAILED');
  assert.match(inside.report.outcomes[0]?.message ?? '', /; the new session was logged out$/);
  const lines = requestLines(services.homeserver);
  assert.equal(lines.filter((line) => line.endsWith('/logout')).length, 2);
  assert.ok(!lines.some((line) => line.endsWith('/whoami')));
  assert.equal(services.homeserver.state.sessions.size, 0);
});

test('a session that a later run cannot log out stays in the journal, with the reason', async (t) => {
  const services = await servicesFor(t, { names: ['news'], software: 'mas' });
  const { faults } = services.homeserver;
  faults.push({ method: 'POST', path: /\/login$/, nth: 1, cut: 'after' });
  faults.push({ ...LOGOUTS, cut: 'before' });
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'changed');
  const { leftovers } = inside.report;
  assert.match(leftovers[0]?.message ?? '', /POST \S+\/logout/);
  await assertNothingLost(services);
  faults.length = 0;
  await provisionInside(services);
  await assertConverged(services);
});

test('the session of another user that cannot be ended is told until somebody removes it', async (t) => {
  const services = await servicesFor(t, { names: ['news'] });
  const { homeserver } = services;
  const body = { user_id: '@other:example.com', device_id: 'OTHERS', access_token: 'syt_of_other' };
  homeserver.faults.push(
    { method: 'POST', path: /\/login$/, nth: 1, answer: jsonAnswer(200, body) },
    { method: 'POST', path: /\/logout$/, answer: errorAnswer(500, 'M_UNKNOWN', 'no') },
  );
  const first = await provisionInside(services);
  assert.equal(outcomeOf(first, 'news'), 'failed USER_MISMATCH');
  homeserver.faults.length = 0;
  for (const expected of ['changed', 'ok']) {
    const inside = await provisionInside(services);
    assert.equal(outcomeOf(inside, 'news'), expected);
    const told = inside.report.leftovers.map((one) => [one.user_id, one.device_id]);
    assert.deepEqual(told, [['@other:example.com', 'OTHERS']]);
    assert.match(inside.report.leftovers[0]?.message ?? '', /log this device out by hand/);
  }
});

test('a login that removes a session and meets another user leaves that one to a person', async (t) => {
  const services = await servicesFor(t, { names: ['news'] });
  const { homeserver, project } = services;
  const body = { user_id: '@other:example.com', device_id: 'OTHERS', access_token: 'syt_of_other' };
  homeserver.faults.push(
    { method: 'POST', path: /\/login$/, nth: 1, cut: 'after' },
    { method: 'POST', path: /\/login$/, nth: 3, answer: jsonAnswer(200, body) },
    { method: 'POST', path: /\/delete_devices$/, answer: errorAnswer(404, 'M_UNRECOGNIZED', 'no') },
    { method: 'POST', path: /\/logout$/, answer: errorAnswer(500, 'M_UNKNOWN', 'no') },
  );
  await provisionInside(services);
  homeserver.faults.length = 0;
  const { report } = await provisionInside(services);
  const told = report.leftovers.map((one) => [one.user_id, one.device_id]);
  assert.deepEqual(told, [['@other:example.com', 'OTHERS']]);
  assert.equal((await readStored(project, 'news')).userId, '@news:example.com');
});

test('a secret that is answered as the name of another user stands in no journal and no report', async (t) => {
  const password = 'canary-of-the-password';
  const services = await servicesFor(t, { names: ['news'], password });
  const { homeserver, project } = services;
  const body = {
    user_id: `@${password}:example.com`,
    device_id: 'OTHERS',
    access_token: 'syt_canary_of_a_token',
  };
  homeserver.faults.push(
    { method: 'POST', path: /\/login$/, nth: 1, answer: jsonAnswer(200, body) },
    { method: 'POST', path: /\/logout$/, answer: errorAnswer(500, 'M_UNKNOWN', 'no') },
  );
  const { report } = await provisionInside(services);
  assert.equal(report.leftovers.length, 1);
  assert.doesNotMatch(JSON.stringify(report), /canary/);
  const entries = [...project.tree()].filter(([path]) => path.endsWith('.session.json'));
  assert.equal(entries.length, 1);
  assert.doesNotMatch(JSON.stringify(entries), /canary/);
});
