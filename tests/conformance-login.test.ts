// Cases 10 to 19 and 22 to 25 of the list in helpers/conformance-cases.ts, by the whole main job:
// on the real Synapse what it can be made to show.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { deviceIds, requestLines } from './helpers/homeserver.ts';
import { outcomesOf, reportOf } from './helpers/provision-project.ts';
import type { Project } from './helpers/provision-project.ts';
import { putProxyBefore } from './helpers/provision-proxy.ts';
import type { Rewrites } from './helpers/provision-proxy.ts';
import {
  assertConverged,
  FILES,
  HOST,
  readStored,
  servicesFor,
} from './helpers/provision-services.ts';
import type { ServicesOptions } from './helpers/provision-services.ts';
import { outcomeOf, provisionInside } from './helpers/provision-world.ts';
import { synapseSkip } from './helpers/python.ts';
import { loginBodies, synapseServices } from './helpers/synapse-services.ts';
import type { Synapse, TestUser } from './helpers/synapse.ts';

const skip = await synapseSkip();
const LOGIN = /^POST .*\/login$/;
const ONE: ServicesOptions = { names: ['news'] };

function newUsers(...prefixes: string[]) {
  return (synapse: Synapse): Promise<TestUser[]> =>
    Promise.all(prefixes.map((prefix) => synapse.newUser(prefix)));
}

function postedLogins(lines: readonly string[]): number {
  return lines.filter((line) => LOGIN.test(line)).length;
}

test(
  '10: a login names the user by the full ID, asks for no refresh token, and is stored',
  { skip },
  async (t) => {
    const services = await synapseServices(t);
    const run = await services.project.run(['--json']);
    assert.deepEqual(outcomesOf(run), { s0: 'changed' }, run.stderr);
    const [user] = services.users;
    const [body, ...others] = loginBodies(services);
    assert.equal(others.length, 0);
    const { device_id: deviceId, ...rest } = body ?? {};
    assert.deepEqual(rest, {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: user?.userId },
      password: user?.password,
      initial_device_display_name: rest['initial_device_display_name'],
    });
    const devices = await services.synapse.devicesOf(user?.userId ?? '');
    assert.deepEqual(
      devices.map((device) => device.device_id),
      [deviceId],
    );
  },
);

test(
  '11: a localpart alone is enough, and the answer has to name that user',
  { skip },
  async (t) => {
    const services = await synapseServices(t, {
      define: ({ localpart }) => ({ user: JSON.stringify(localpart) }),
    });
    const run = await services.project.run(['--json']);
    assert.deepEqual(outcomesOf(run), { s0: 'changed' }, run.stderr);
    const identifier = loginBodies(services)[0]?.['identifier'];
    assert.deepEqual(identifier, { type: 'm.id.user', user: services.users[0]?.userId });
  },
);

/** Changes what passes between the run and the real Synapse. */
async function rewriting(
  t: TestContext,
  rewrites: Rewrites,
): Promise<{
  synapse: Synapse;
  user: TestUser;
  run: () => ReturnType<Project['run']>;
  tree: () => ReadonlyMap<string, string | null>;
}> {
  const { synapse, project, relay, users } = await synapseServices(t);
  await putProxyBefore(t, project, relay, rewrites);
  const [user] = users;
  assert.ok(user !== undefined);
  return { synapse, user, run: () => project.run(['--json']), tree: () => project.tree() };
}

test(
  '12: a device ID that does not come back is refused, and its session logged out',
  { skip },
  async (t) => {
    const { synapse, user, run, tree } = await rewriting(t, {
      request: (request, body) =>
        LOGIN.test(request)
          ? JSON.stringify({ ...(JSON.parse(body) as object), device_id: 'OTHER' })
          : body,
    });
    const refused = await run();
    assert.equal(refused.exitCode, 1);
    assert.equal(reportOf(refused).services[0]?.code, 'DEVICE_MISMATCH');
    assert.deepEqual(await synapse.devicesOf(user.userId), []);
    assert.ok(![...tree().keys()].some((path) => path.startsWith(FILES)));
  },
);

test(
  '13: no empty device ID goes out: what is made up comes back and is recorded',
  { skip },
  async (t) => {
    const services = await synapseServices(t);
    assert.equal((await services.project.run()).exitCode, 0);
    const deviceId = String(loginBodies(services)[0]?.['device_id']);
    assert.match(deviceId, /^MT[0-9A-F]{20}$/);
    const stored = await services.project.read(`${FILES}/s0.yml`);
    assert.ok(stored.includes(`device_id=${deviceId}`));
    for (const empty of ['""', 'null']) {
      const odd = await synapseServices(t, { define: () => ({ device_id: empty }) });
      const run = await odd.project.run(['--json']);
      assert.equal(run.exitCode, 5, `${empty} is bad input`);
      assert.deepEqual(loginBodies(odd), []);
    }
  },
);

test(
  '14: a user ID that the homeserver writes otherwise is not stored, but told',
  { skip },
  async (t) => {
    const services = await synapseServices(t, {
      define: ({ userId, localpart }) => ({
        user: JSON.stringify(userId.replace(localpart, localpart.toUpperCase())),
      }),
    });
    const run = await services.project.run(['--json']);
    const [one] = reportOf(run).services;
    assert.deepEqual([run.exitCode, one?.code], [1, 'USER_MISMATCH']);
    assert.match(one?.hint ?? '', /capital and small letters/);
    assert.deepEqual(await services.synapse.devicesOf(services.users[0]?.userId ?? ''), []);
  },
);

test('15: fields that nobody asked for are passed over', async (t) => {
  const services = await servicesFor(t, { ...ONE, publicBaseUrl: 'https://matrix.example.org/' });
  await putProxyBefore(t, services.project, services.homeserver, {
    answer: ({ request, body }) =>
      LOGIN.test(request)
        ? { body: JSON.stringify({ ...(JSON.parse(body) as object), 'org.new': { a: [1] } }) }
        : {},
  });
  assert.equal(outcomeOf(await provisionInside(services), 'news'), 'changed');
  await assertConverged(services);
});

test('16: a 200 without a token or a device ID is no login, and nothing is stored', async (t) => {
  const broken = [
    { access_token: undefined },
    { access_token: 7 },
    { device_id: undefined },
    { device_id: 7 },
    { user_id: null },
  ];
  for (const change of broken) {
    const services = await servicesFor(t, ONE);
    await putProxyBefore(t, services.project, services.homeserver, {
      answer: ({ request, body }) =>
        LOGIN.test(request)
          ? { body: JSON.stringify({ ...(JSON.parse(body) as object), ...change }) }
          : {},
    });
    const inside = await provisionInside(services);
    assert.equal(outcomeOf(inside, 'news'), 'unreachable NOT_MATRIX');
    assert.ok(!services.project.tree().has(`${FILES}/news.yml`));
  }
});

test('17: a token that will expire is stored, and the expiry told of', async (t) => {
  const services = await servicesFor(t, { ...ONE, sessionLifetimeMs: 3_600_000 });
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'changed');
  assert.match(inside.report.notes.join(), /lets the token of news die in 60 minutes/);
  await assertConverged(services);
});

test('17: a refresh token that came unasked is told of, never dropped silently', async (t) => {
  const services = await servicesFor(t, ONE);
  await putProxyBefore(t, services.project, services.homeserver, {
    answer: ({ request, body }) =>
      LOGIN.test(request)
        ? { body: JSON.stringify({ ...(JSON.parse(body) as object), refresh_token: 'syr_x' }) }
        : {},
  });
  const inside = await provisionInside(services);
  assert.match(inside.report.notes.join(), /refresh token for news that nobody asked for/);
});

test('18: where no password is taken, none is sent', async (t) => {
  const services = await servicesFor(t, { names: ['news', 'rss'], passwords: false });
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'failed NO_PASSWORD_FLOW');
  assert.equal(outcomeOf(inside, 'rss'), 'failed NO_PASSWORD_FLOW');
  assert.ok(services.homeserver.requests.every(({ method }) => method === 'GET'));
});

test('19: the login with a password is found behind all others', async (t) => {
  const services = await servicesFor(t, { ...ONE, software: 'tuwunel' });
  assert.equal(outcomeOf(await provisionInside(services), 'news'), 'changed');
  await assertConverged(services);
});

test('22: a wrong password is sent once, and the next user is logged in', { skip }, async (t) => {
  const services = await synapseServices(t, {
    users: newUsers('wrong', 'right'),
    define: (_user, index) => (index === 0 ? { password: 'not-the-password' } : {}),
  });
  const run = await services.project.run(['--json']);
  assert.deepEqual(outcomesOf(run), { s0: 'failed', s1: 'changed' });
  assert.equal(run.exitCode, 1);
  assert.equal(loginBodies(services).length, 2);
  const one = reportOf(run).services.find(({ service }) => service === 's0');
  assert.equal(one?.code, 'M_FORBIDDEN');
});

test('23: a deactivated user is told of as such, where the server says so', async (t) => {
  for (const software of ['continuwuity', 'conduit', 'tuwunel'] as const) {
    const services = await servicesFor(t, { software, names: ['gone', 'news'] });
    const user = services.homeserver.state.users.get('@gone:example.com');
    assert.ok(user !== undefined);
    user.deactivated = true;
    const inside = await provisionInside(services);
    assert.equal(outcomeOf(inside, 'gone'), 'failed M_USER_DEACTIVATED');
    assert.equal(outcomeOf(inside, 'news'), 'changed');
    assert.equal(postedLogins(requestLines(services.homeserver)), 2);
  }
});

test('23: where it is refused like a wrong password, both are named', { skip }, async (t) => {
  const services = await synapseServices(t);
  const [user] = services.users;
  await services.synapse.deactivateUser(user?.userId ?? '');
  const run = await services.project.run(['--json']);
  const [one] = reportOf(run).services;
  // Whether its profile is still there is up to Synapse.
  assert.match(one?.code ?? '', /^(?:M_FORBIDDEN|USER_MISSING)$/);
  assert.match(one?.message ?? '', /or the user is deactivated|no user/);
  assert.equal(loginBodies(services).length, 1);
});

test('24: a locked user is tried once, and a token that is there stays', { skip }, async (t) => {
  const services = await synapseServices(t, { users: newUsers('has', 'locked') });
  const { project, synapse, users } = services;
  assert.equal((await project.run(['s0'])).exitCode, 0);
  for (const { userId } of users) await synapse.lockUser(userId);
  const stored = await project.read(`${FILES}/s0.yml`);
  const run = await project.run(['--json']);
  assert.deepEqual(outcomesOf(run), { s0: 'ok', s1: 'failed' });
  assert.equal(reportOf(run).services[1]?.code, 'M_USER_LOCKED');
  assert.equal(loginBodies(services).length, 2);
  assert.equal(await project.read(`${FILES}/s0.yml`), stored);
});

test('25: a user locked at MAS keeps the stored token, though it looks dead', async (t) => {
  const services = await servicesFor(t, { ...ONE, software: 'mas' });
  await provisionInside(services);
  const { project, homeserver } = services;
  const stored = await readStored(project, 'news');
  const user = homeserver.state.users.get('@news:example.com');
  assert.ok(user !== undefined);
  user.locked = true;
  const requests = homeserver.requests.length;
  assert.equal(outcomeOf(await provisionInside(services), 'news'), 'ok');
  assert.deepEqual(await readStored(project, 'news'), stored);
  assert.equal(homeserver.requests.length, requests);
});

test('25: a user locked at MAS who has no token yet is told to be locked', async (t) => {
  const services = await servicesFor(t, { ...ONE, software: 'mas' });
  const user = services.homeserver.state.users.get('@news:example.com');
  assert.ok(user !== undefined);
  user.locked = true;
  assert.equal(outcomeOf(await provisionInside(services), 'news'), 'failed M_USER_LOCKED');
  assert.equal(postedLogins(requestLines(services.homeserver)), 1);
});

const PASSWORDS = [
  '🗝 ünicode',
  '"quoted" \\ back',
  'x'.repeat(100),
  ' leading and trailing ',
  "it's $HOME {not} jinja %s",
];

test(
  '45: a password goes out as it is: emoji, quotes, backslashes, spaces, 100 bytes',
  { skip },
  async (t) => {
    const services = await synapseServices(t, {
      users: (synapse) =>
        Promise.all(
          PASSWORDS.map(async (password) => {
            const localpart = `pw-${randomBytes(6).toString('hex')}`;
            return { localpart, password, userId: await synapse.registerUser(localpart, password) };
          }),
        ),
    });
    const run = await services.project.run(['--json']);
    const wanted = Object.fromEntries(PASSWORDS.map((_one, index) => [`s${index}`, 'changed']));
    assert.deepEqual(outcomesOf(run), wanted, run.stdout);
    const sent = loginBodies(services).map((body) => body['password']);
    assert.deepEqual(new Set(sent), new Set(PASSWORDS));
  },
);

test('46: a server that is down holds up no user of another one', async (t) => {
  const services = await servicesFor(t, ONE);
  const { project, homeserver } = services;
  const down = await servicesFor(t, ONE);
  await down.homeserver.stop();
  const vars = await project.read(`host_vars/${HOST}/vars.yml`);
  const other = `  other: {user: "@other:example.org", homeserver: ${down.homeserver.baseUrl}, password: x, variables: {access_token: vault_other_token}}\n`;
  await project.write(`host_vars/${HOST}/vars.yml`, vars + other);
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'changed');
  assert.equal(outcomeOf(inside, 'other'), 'unreachable REFUSED');
  assert.deepEqual(deviceIds(homeserver, 'news').length, 1);
});

test('47: one user in two services gets two logins and two devices', { skip }, async (t) => {
  const services = await synapseServices(t, {
    users: async (synapse) => {
      const user = await synapse.newUser('shared');
      return [user, user];
    },
  });
  const run = await services.project.run(['--json']);
  assert.deepEqual(outcomesOf(run), { s0: 'changed', s1: 'changed' }, run.stdout);
  const devices = await services.synapse.devicesOf(services.users[0]?.userId ?? '');
  const sent = loginBodies(services).map((body) => body['device_id']);
  assert.deepEqual(new Set(devices.map((one) => one.device_id)), new Set(sent));
  assert.equal(new Set(sent).size, 2);
});
