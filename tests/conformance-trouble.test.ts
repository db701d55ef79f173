// Cases 26 to 36, 38 and 39 of the list in helpers/conformance-cases.ts: rate limits, gateways,
// strange answers. By the whole main job, on a clock that waits move on.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorAnswer, jsonAnswer } from '../scripts/homeserver/answer.ts';
import type { Answer } from '../scripts/homeserver/answer.ts';
import { htmlAnswer } from '../scripts/homeserver/faults.ts';
import { discoveredServices } from './helpers/discovered-services.ts';
import { homeserverFor, requestLines } from './helpers/homeserver.ts';
import { outcomesOf } from './helpers/provision-project.ts';
import { assertConverged, servicesFor } from './helpers/provision-services.ts';
import type { Services, ServicesOptions } from './helpers/provision-services.ts';
import { outcomeOf, provisionInside } from './helpers/provision-world.ts';
import type { Inside } from './helpers/provision-world.ts';

const LOGIN = { method: 'POST', path: /\/login$/ } as const;
const ONE: ServicesOptions = { names: ['news'] };

function logins({ homeserver }: Services): number {
  return requestLines(homeserver).filter((line) => /^POST .*\/login$/.test(line)).length;
}

function limited(body: object, headers: Readonly<Record<string, string>> = {}): Answer {
  return jsonAnswer(429, { errcode: 'M_LIMIT_EXCEEDED', error: 'No', ...body }, headers);
}

/** Refuses the first login in this way, and gives the waits of the run. */
async function waitsFor(
  t: Parameters<typeof servicesFor>[0],
  answer: Answer,
): Promise<readonly number[]> {
  const services = await servicesFor(t, ONE);
  services.homeserver.faults.push({ ...LOGIN, nth: 1, answer });
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'changed');
  await assertConverged(services);
  return inside.waits;
}

/** That the clock of the machine runs on in between, too, makes waits a little shorter. */
function assertAbout(waits: readonly number[], ms: number): void {
  const waited = waits.reduce((sum, wait) => sum + wait, 0);
  // What rounding leaves over may be waited for once more.
  assert.ok(waited <= ms + 10 && waited > ms - 1000, `${waits.join()} instead of ${ms}`);
}

test('26: Retry-After is waited for, whatever the body says', async (t) => {
  assertAbout(await waitsFor(t, limited({ retry_after_ms: 90_000 }, { 'Retry-After': '2' })), 2000);
});

test('27: a wait in the body alone is waited for', async (t) => {
  assertAbout(await waitsFor(t, limited({ retry_after_ms: 5500 })), 5500);
});

test('27: a server that says nothing of a wait, as MAS, is not asked again at once', async (t) => {
  let skipped = 0;
  const services = await servicesFor(t, {
    software: 'mas',
    rcLogin: { address: { per_second: 0.5, burst_count: 1 } },
    now: () => Date.now() + skipped,
  });
  const inside = await provisionInside(services, {
    meanwhile: (ms) => {
      skipped += ms;
      return Promise.resolve();
    },
  });
  assert.equal(outcomeOf(inside, 'rss'), 'changed');
  assert.ok(inside.waits.length > 0 && inside.waits.every((ms) => ms > 500));
  await assertConverged(services);
});

test('28: a Retry-After that is none counts as none; a date is one', async (t) => {
  const past = new Date(Date.now() - 60_000).toUTCString();
  for (const header of ['-3', '1.5', 'abc', '0', past, '2001-01-01']) {
    assertAbout(await waitsFor(t, limited({}, { 'Retry-After': header })), 1000);
  }
  const future = new Date(Date.now() + 60_000).toUTCString();
  const [wait = 0] = await waitsFor(t, limited({}, { 'Retry-After': future }));
  assert.ok(wait > 30_000 && wait <= 60_000, `${wait}`);
});

const SIX = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const SYNAPSE_DEFAULT = { address: { per_second: 0.003, burst_count: 5 } };

test("29: Synapse's default limit holds the whole queue once, and nobody is asked meanwhile", async (t) => {
  let skipped = 0;
  const services = await servicesFor(t, {
    names: SIX,
    rcLogin: SYNAPSE_DEFAULT,
    now: () => Date.now() + skipped,
  });
  const inside = await provisionInside(services, {
    maxWait: 3600,
    meanwhile: (ms) => {
      skipped += ms;
      return Promise.resolve();
    },
  });
  for (const name of SIX) assert.equal(outcomeOf(inside, name), 'changed');
  // Three are beyond the burst of five: a pause each, and one request that was refused before it.
  assert.equal(inside.waits.length, 3, inside.waits.join());
  assert.ok(inside.waits.every((ms) => ms > 300_000));
  const refused = services.homeserver.requests.filter(({ status }) => status === 429);
  assert.ok(refused.length <= 3 + 3, `${refused.length} refusals`);
  await assertConverged(services);
});

test('30: what would have to wait longer than allowed is deferred: the rest is stored', async (t) => {
  const services = await servicesFor(t, { names: SIX, rcLogin: SYNAPSE_DEFAULT });
  const run = await services.project.run(['--json', '--max-wait', '10']);
  assert.equal(run.exitCode, 3);
  const outcomes = Object.values(outcomesOf(run));
  assert.equal(outcomes.filter((one) => one === 'changed').length, 5);
  assert.equal(outcomes.filter((one) => one === 'deferred').length, 3);
  assert.equal(services.homeserver.state.sessions.size, 5);
  // Those in flight together are refused together; after two in a row nobody is asked any more.
  assert.ok(logins(services) <= 8);
});

test('30: after two deferred in a row the rest is deferred unasked', async (t) => {
  const names = Array.from({ length: 12 }, (_, index) => `bot${index}`);
  const services = await servicesFor(t, { names });
  services.homeserver.faults.push({
    ...LOGIN,
    answer: limited({ retry_after_ms: 333_000 }, { 'Retry-After': '333' }),
  });
  const inside = await provisionInside(services, { maxWait: 10 });
  assert.ok(names.every((name) => outcomeOf(inside, name) === 'deferred M_LIMIT_EXCEEDED'));
  assert.ok(logins(services) <= 5, `${logins(services)} logins`);
});

test('31: a gateway that comes back is waited for, and its page is not printed', async (t) => {
  const services = await servicesFor(t, ONE);
  const page = { ...htmlAnswer(502), body: '<html>canary of a page</html>' };
  services.homeserver.faults.push({ ...LOGIN, nth: [1, 2], answer: page });
  const run = await services.project.run(['-v'], { preload: { speed: 10 } });
  assert.equal(run.exitCode, 0, run.stderr);
  assert.doesNotMatch(run.stdout + run.stderr, /canary of a page|<html/);
  await assertConverged(services);
});

test('32: a server error that stays is asked three times, and is one user’s', async (t) => {
  const services = await servicesFor(t, { names: ['news', 'rss'] });
  const error = errorAnswer(500, 'M_UNKNOWN', 'Internal server error');
  services.homeserver.faults.push({ ...LOGIN, answer: error });
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'failed M_UNKNOWN');
  assert.equal(outcomeOf(inside, 'rss'), 'failed M_UNKNOWN');
  assert.equal(logins(services), 6, 'three for each');
});

const BAD_REQUEST = errorAnswer(400, 'M_UNKNOWN', 'Something that nobody should look at');

test('33: 400 M_UNKNOWN for one user is that user’s, for two in a row the homeserver’s', async (t) => {
  const one = await servicesFor(t, { names: ['news', 'rss'] });
  one.homeserver.faults.push({ ...LOGIN, nth: 1, answer: BAD_REQUEST });
  const first = await provisionInside(one);
  const words = [outcomeOf(first, 'news'), outcomeOf(first, 'rss')].toSorted();
  assert.deepEqual(words, ['changed', 'failed M_UNKNOWN']);
  const names = Array.from({ length: 12 }, (_, index) => `bot${index}`);
  const all = await servicesFor(t, { names });
  all.homeserver.faults.push({ ...LOGIN, answer: BAD_REQUEST });
  const inside = await provisionInside(all);
  assert.ok(names.every((name) => outcomeOf(inside, name) === 'failed M_UNKNOWN'));
  assert.ok(logins(all) <= 5, 'those in flight, and nobody after');
});

test('34: a refusal of one user by 401 or 404 concerns nobody else', async (t) => {
  const dendrite = await servicesFor(t, { software: 'dendrite', names: ['news', 'rss'] });
  const answer = errorAnswer(401, 'M_BAD_JSON', 'A password must be supplied.');
  dendrite.homeserver.faults.push({ ...LOGIN, nth: 1, answer });
  const first = await provisionInside(dendrite);
  const words = [outcomeOf(first, 'news'), outcomeOf(first, 'rss')].toSorted();
  assert.deepEqual(words, ['changed', 'failed M_BAD_JSON']);
  const continuwuity = await servicesFor(t, { software: 'continuwuity' });
  continuwuity.homeserver.state.users.delete('@news:example.com');
  const second = await provisionInside(continuwuity);
  assert.equal(outcomeOf(second, 'news'), 'failed M_NOT_FOUND');
  assert.equal(outcomeOf(second, 'rss'), 'changed');
});

async function refusedWith(
  t: Parameters<typeof servicesFor>[0],
  answer: Answer,
): Promise<{ inside: Inside; services: Services }> {
  const services = await servicesFor(t, ONE);
  services.homeserver.faults.push({ ...LOGIN, answer });
  return { inside: await provisionInside(services), services };
}

test('35: an errcode of the homeserver’s own is told as it is', async (t) => {
  const answer = errorAnswer(403, 'COM.EXAMPLE_FOO', 'Not today');
  const { inside, services } = await refusedWith(t, answer);
  assert.equal(outcomeOf(inside, 'news'), 'failed COM.EXAMPLE_FOO');
  assert.match(inside.report.outcomes[0]?.message ?? '', /COM\.EXAMPLE_FOO "Not today"/);
  assert.equal(logins(services), 1);
});

test('36: an errcode that is no text, or JSON that is no object, is no Matrix answer', async (t) => {
  for (const body of [
    '{"errcode":17}',
    '{"errcode":["M_FORBIDDEN"]}',
    '[{"errcode":"M_X"}]',
    '7',
  ]) {
    const { inside, services } = await refusedWith(t, { ...BAD_REQUEST, status: 403, body });
    assert.equal(outcomeOf(inside, 'news'), 'unreachable NOT_MATRIX', body);
    assert.equal(logins(services), 1);
  }
});

test('38: no redirect of a login is followed, and no other host hears of the password', async (t) => {
  const other = await homeserverFor(t, { users: [{ localpart: 'news', password: 'x' }] });
  for (const status of [301, 302, 303, 307, 308]) {
    const headers = { Location: `${other.baseUrl}/_matrix/client/v3/login` };
    const { inside, services } = await refusedWith(t, { status, headers, body: '' });
    assert.equal(outcomeOf(inside, 'news'), 'unreachable REDIRECT', `${status}`);
    assert.equal(logins(services), 1);
  }
  assert.equal(other.requests.length, 0);
});

test('39: without trusted TLS nothing is sent, nothing tried again, nothing sent without', async (t) => {
  for (const certificate of ['self-signed', 'expired', 'wrong-name']) {
    const discovered = await discoveredServices(t, { certificate });
    const inside = await discovered.run();
    assert.match(outcomeOf(inside, 'news'), /^unreachable TLS$/, certificate);
    assert.deepEqual(inside.waits, []);
    assert.deepEqual(discovered.seen, []);
  }
});
