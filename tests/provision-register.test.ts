// Users that are missing are created where that is asked for. Killed at any instant, the next run
// leaves one session a service and nothing else: also not the one that Dendrite opens by itself.
// `npm run test:crash -- missing` tries every instant.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { errorAnswer, jsonAnswer } from '../scripts/homeserver/answer.ts';
import { htmlAnswer } from '../scripts/homeserver/faults.ts';
import type { HomeserverFault } from '../scripts/homeserver/faults.ts';
import { addUser } from '../scripts/homeserver/state.ts';
import { requestLines } from './helpers/homeserver.ts';
import { killAndRunAgain, killRun } from './helpers/provision-kill.ts';
import type { Kill } from './helpers/provision-kill.ts';
import { putProxyBefore } from './helpers/provision-proxy.ts';
import {
  ageJournal,
  assertConverged,
  HOST,
  servicesFor,
  STATE,
} from './helpers/provision-services.ts';
import type { Services, ServicesOptions } from './helpers/provision-services.ts';
import { assertNothingLost, outcomeOf, provisionInside } from './helpers/provision-world.ts';

const skip = process.platform === 'linux' ? false : 'only Linux tells who is dead';
const SOFTWARE = ['synapse', 'dendrite'] as const;

/** Makes a project whose users do not exist yet. */
function missing(t: TestContext, options: ServicesOptions = {}): Promise<Services> {
  return servicesFor(t, { names: ['news'], isMissing: true, ...options });
}

function registrations({ homeserver }: Services): number {
  return requestLines(homeserver).filter((line) => line.startsWith('POST /_synapse')).length;
}

for (const software of SOFTWARE) {
  test(`missing users are created once, and only one session is left, ${software}`, async (t) => {
    const services = await missing(t, { software, names: ['news', 'rss'] });
    const inside = await provisionInside(services);
    assert.deepEqual(inside.report.leftovers, []);
    assert.equal(outcomeOf(inside, 'news'), 'changed');
    assert.match(
      inside.report.notes.join('\n'),
      /^there was no user @news:\S+: it was created, as an? (?:bot|ordinary user, .*)$/m,
    );
    await assertConverged(services);
    assert.equal(registrations(services), 2);
    await provisionInside(services);
    assert.equal(registrations(services), 2);
    assert.ok(![...services.homeserver.state.users.values()].some((user) => user.admin));
  });
}

test('without the setting nobody is created, in check mode neither', async (t) => {
  const services = await missing(t);
  await services.project.run(['--check']);
  assert.deepEqual(services.homeserver.requests, []);
  const vars = `host_vars/${HOST}/vars.yml`;
  const text = await services.project.read(vars);
  await services.project.write(vars, text.replace(/^matrix_tokens_register.*\n/m, ''));
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'failed USER_MISSING');
  assert.equal(registrations(services), 0);
});

test('where a homeserver does not say what it is, the command for a missing user is an example', async (t) => {
  const services = await missing(t);
  const vars = `host_vars/${HOST}/vars.yml`;
  const text = await services.project.read(vars);
  await services.project.write(vars, text.replace(/^matrix_tokens_register.*\n/m, ''));
  await putProxyBefore(t, services.project, services.homeserver, {
    answer: ({ request }) =>
      request.includes('/versions') ? { status: 200, body: '{"versions":["v1.11"]}' } : {},
  });
  const { report } = await provisionInside(services);
  assert.match(
    report.outcomes[0]?.hint ?? '',
    /; on Synapse for example:\nregister_new_matrix_user -u 'news' --no-admin -t bot -c homeserver.yaml$/,
  );
});

test('a user of another server than the host is never created with the secret of the host', async (t) => {
  const services = await missing(t);
  const vars = `host_vars/${HOST}/vars.yml`;
  const text = await services.project.read(vars);
  const foreign = `news: {user: "@news:example.org", homeserver: "${services.homeserver.baseUrl}", `;
  await services.project.write(vars, text.replace('news: {', foreign));
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'failed M_FORBIDDEN');
  assert.equal(registrations(services), 0);
});

test('a user whose profile is hidden is not taken for missing', async (t) => {
  const services = await missing(t);
  await putProxyBefore(t, services.project, services.homeserver, {
    answer: ({ request }) =>
      request.includes('/profile/')
        ? { status: 401, body: '{"errcode":"M_MISSING_TOKEN","error":"Missing access token"}' }
        : {},
  });
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'failed M_FORBIDDEN');
  assert.equal(registrations(services), 0);
});

test('a name that turns out to be taken stays as it is: the login has failed', async (t) => {
  for (const software of SOFTWARE) {
    const services = await missing(t, { software });
    const { state, serverName } = services.homeserver;
    addUser(state, serverName, { localpart: 'news', password: 'another one' });
    await putProxyBefore(t, services.project, services.homeserver, {
      answer: ({ request }) =>
        request.includes('/profile/')
          ? { status: 404, body: '{"errcode":"M_NOT_FOUND","error":"no profile"}' }
          : {},
    });
    const inside = await provisionInside(services);
    assert.equal(outcomeOf(inside, 'news'), 'failed M_FORBIDDEN');
    assert.match(inside.report.outcomes[0]?.message ?? '', /exists \(registering it says so\)/);
    assert.deepEqual(inside.report.leftovers, []);
    assert.equal(state.users.get(`@news:${serverName}`)?.password, 'another one');
    assert.ok(!services.project.tree().has(STATE));
  }
});

test('who logs in with the shared secret gets a password that nobody knows', async (t) => {
  const services = await missing(t, { sharedSecretAuth: { secret: 'the module secret' } });
  const vars = `host_vars/${HOST}/vars.yml`;
  const text = await services.project.read(vars);
  const setting = 'matrix_tokens_shared_secret_auth: {shared_secret: the module secret}\n';
  const without = text.replace('password: "{{ vault_news_password }}", ', '');
  await services.project.write(vars, `${without}${setting}`);
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'changed');
  await assertConverged(services);
  const user = services.homeserver.state.users.get('@news:example.com');
  assert.match(user?.password ?? '', /^[\w-]{43}$/);
});

const REGISTER = { method: 'POST', path: /\/register$/ } as const;
const ONCE = { nth: 1 } as const;
const LOGIN = { method: 'POST', path: /\/login$/ } as const;

test('whoever is refused after being created is not created again', async (t) => {
  const services = await missing(t);
  const refused = errorAnswer(403, 'M_FORBIDDEN', 'Invalid username or password');
  services.homeserver.faults.push(
    { ...LOGIN, nth: 2, answer: errorAnswer(502, 'M_UNKNOWN', 'not now') },
    { ...LOGIN, nth: 3, answer: refused },
    { method: 'GET', path: /\/profile\//, answer: errorAnswer(404, 'M_NOT_FOUND', 'none') },
  );
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'failed M_FORBIDDEN');
  assert.equal(registrations(services), 1);
});

test('a homeserver that creates somebody else is told on', async (t) => {
  const services = await missing(t);
  const answer = jsonAnswer(200, { user_id: '@other:example.com', home_server: 'example.com' });
  services.homeserver.faults.push({ ...REGISTER, answer });
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'failed USER_MISMATCH');
  assert.match(inside.report.outcomes[0]?.message ?? '', /created @other:example\.com/);
});

test('a wrong secret is not tried again for those who come after', async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const services = await missing(t, { names, registrationSecret: 'another one' });
  const inside = await provisionInside(services);
  for (const name of names) assert.equal(outcomeOf(inside, name), 'failed REGISTER_SECRET');
  // As many as were in flight together.
  assert.ok(registrations(services) <= 4);
});

test('nobody is created once the run is being interrupted', async (t) => {
  const services = await missing(t);
  const controller = new AbortController();
  const inside = await provisionInside(services, {
    signal: controller.signal,
    onProgress: ({ kind }) => {
      if (kind === 'login') controller.abort();
    },
  });
  assert.equal(outcomeOf(inside, 'news'), 'failed INTERRUPTED');
  assert.equal(registrations(services), 0);
});

test('a name with capital letters is not created, since it would become another', async (t) => {
  const services = await missing(t);
  const vars = `host_vars/${HOST}/vars.yml`;
  const text = await services.project.read(vars);
  await services.project.write(vars, text.replace('news: {', 'news: {user: News, '));
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'failed M_INVALID_USERNAME');
  assert.equal(registrations(services), 0);
});
const EFFECTS: Readonly<Record<string, Omit<HomeserverFault, 'method' | 'path' | 'nth'>>> = {
  'cut before it is executed': { cut: 'before' },
  'cut after it was executed': { cut: 'after' },
  'cut in the middle of the answer': { cut: 'answering' },
  'executed and answered with 502': { answer: { ...htmlAnswer(502), execute: true } },
  'answered with 502': { answer: htmlAnswer(502) },
};

for (const [name, effect] of Object.entries(EFFECTS)) {
  test(`the request that creates a user is ${name}: one session is left`, async (t) => {
    for (const software of SOFTWARE) {
      const services = await missing(t, { software });
      services.homeserver.faults.push({ ...REGISTER, ...ONCE, ...effect });
      await provisionInside(services);
      await assertNothingLost(services);
      services.homeserver.faults.length = 0;
      const inside = await provisionInside(services);
      assert.deepEqual(inside.report.leftovers, []);
      await assertConverged(services);
    }
  });
}

test('a session that cannot be logged out is removed with the token that comes after it', async (t) => {
  const services = await missing(t, { software: 'dendrite' });
  services.homeserver.faults.push({ method: 'POST', path: /\/logout$/, cut: 'before' });
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'changed');
  assert.match(
    inside.report.notes.join('\n'),
    /^removed the session shared_secret_registration of @news/m,
  );
  await assertConverged(services);
});

test('a user that a lost request of ours creates late is logged in, not called taken', async (t) => {
  const isLate = { now: false };
  const services: Services = await missing(t, {
    onRequest: ({ method, path }) => {
      if (!isLate.now || method !== 'POST' || !path.endsWith('/register')) return;
      isLate.now = false;
      const { state, serverName } = services.homeserver;
      addUser(state, serverName, { localpart: 'news', password: 'the password of news' });
    },
  });
  services.homeserver.faults.push({ ...REGISTER, ...ONCE, cut: 'before' });
  await killRun(services.project, { killOn: CREATION['the request is sent (K12)'] });
  await ageJournal(services.project);
  isLate.now = true;
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'changed');
  assert.ok(!isLate.now);
  await assertConverged(services);
});

/** The creation of a user, step by step: the names are those of provision-preload.ts. */
const CREATION = {
  'the nonce has come': '^receive GET \\S+/register$',
  'the entry is durable, nothing is sent': '^send POST \\S+/register$',
  'the request is sent (K12)': '^done send POST \\S+/register$',
  'the answer has come (K12)': '^receive POST \\S+/register$',
  'its session is being logged out (K12)': '^done send POST \\S+/logout$',
  'its session is logged out': '^receive POST \\S+/logout$',
} as const;

for (const [when, killOn] of Object.entries(CREATION)) {
  test(`killed while a user is created, when ${when}, dendrite`, { skip }, async (t) => {
    await assertRecovers(t, { software: 'dendrite' }, { killOn });
  });
}

for (const when of ['the request is sent (K12)', 'the answer has come (K12)'] as const) {
  test(`killed while a user is created, when ${when}, synapse`, { skip }, async (t) => {
    await assertRecovers(t, {}, { killOn: CREATION[when] });
  });
}

test('the power fails when a user has just been created', { skip }, async (t) => {
  const killOn = CREATION['the answer has come (K12)'];
  await assertRecovers(t, { software: 'dendrite' }, { killOn, powerCut: 'synced' });
});

async function assertRecovers(t: TestContext, options: ServicesOptions, kill: Kill): Promise<void> {
  const points = await killAndRunAgain(t, { names: ['news'], isMissing: true, ...options }, [kill]);
  assert.ok(!points.includes(null), 'the run was killed');
}
