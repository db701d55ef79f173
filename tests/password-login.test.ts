import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Credential } from '../src/matrix/credential.ts';
import { isFailure, type Failure } from '../src/matrix/failure.ts';
import type { Homeserver } from '../src/matrix/homeserver.ts';
import { loginWithPassword, type PasswordLogin } from '../src/matrix/login/password.ts';
import { Secret } from '../src/secret.ts';
import {
  capture,
  clientFor,
  html,
  json,
  startReplayServer,
  type Answer,
  type SeenRequest,
} from './helpers/replay-server.ts';

const LOGIN: PasswordLogin = {
  userId: '@bot1:hs.test',
  password: new Secret('pw-bot1'),
  deviceId: 'LABDEV',
  displayName: null,
};

interface Attempt {
  readonly result: Credential | Failure;
  readonly requests: readonly SeenRequest[];
}

async function attempt(
  t: TestContext,
  answer: Answer,
  change: { login?: Partial<PasswordLogin>; homeserver?: Partial<Homeserver> } = {},
): Promise<Attempt> {
  const server = await startReplayServer(t, () => answer);
  const homeserver: Homeserver = {
    serverName: 'hs.test',
    baseUrl: server.url,
    api: 'v3',
    flows: ['m.login.password'],
    ...change.homeserver,
  };
  const login = { ...LOGIN, ...change.login };
  const result = await loginWithPassword(clientFor(t), homeserver, login);
  return { result, requests: server.requests };
}

function bodyOf({ requests }: Attempt): Record<string, unknown> {
  return JSON.parse(requests[0]?.body ?? '') as Record<string, unknown>;
}

function credentialOf({ result }: Attempt): Credential {
  assert.ok(!isFailure(result), JSON.stringify(result));
  return result;
}

function failureOf({ result }: Attempt): Failure {
  assert.ok(isFailure(result));
  return result;
}

test('one request carries the full user ID, the password and the device ID, nothing else', async (t) => {
  const done = await attempt(t, capture('login-ok'));
  assert.deepEqual(bodyOf(done), {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: '@bot1:hs.test' },
    password: 'pw-bot1',
    device_id: 'LABDEV',
  });
  assert.deepEqual(
    done.requests.map(({ method, path }) => `${method} ${path}`),
    ['POST /_matrix/client/v3/login'],
  );
  const credential = credentialOf(done);
  assert.equal(credential.accessToken.reveal(), 'syt_Ym90MQ_kdYfzjSuRkOIQusUsMrS_3Q2xMz');
  assert.deepEqual(
    { ...credential, accessToken: null },
    {
      userId: '@bot1:hs.test',
      deviceId: 'LABDEV',
      accessToken: null,
      expiresInMs: null,
      hasRefreshToken: false,
    },
  );
});

test('a display name goes along where there is one', async (t) => {
  const done = await attempt(t, capture('login-ok'), { login: { displayName: 'rss ✓' } });
  assert.equal(bodyOf(done)['initial_device_display_name'], 'rss ✓');
});

test('a password goes out as it is: quotes, backslashes, emoji, spaces, 100 bytes', async (t) => {
  for (const text of ['"\\', ' pass 🗝 ', 'ü'.repeat(50), '\ttab\u0001', 'x'.repeat(5000)]) {
    const password = new Secret(text);
    const done = await attempt(t, capture('login-ok'), { login: { password } });
    assert.equal(bodyOf(done)['password'], text);
  }
});

test('a homeserver of r0 is logged in to by r0', async (t) => {
  const done = await attempt(t, capture('login-ok'), { homeserver: { api: 'r0' } });
  assert.equal(done.requests[0]?.path, '/_matrix/client/r0/login');
});

test('where no login with a password is offered, none is sent', async (t) => {
  const flows = ['m.login.sso', 'm.login.application_service'];
  const done = await attempt(t, capture('login-ok'), { homeserver: { flows } });
  const failure = failureOf(done);
  assert.deepEqual([failure.scope, failure.code], ['homeserver', 'NO_PASSWORD_FLOW']);
  assert.equal(failure.maybeExecuted, false);
  assert.equal(done.requests.length, 0);
});

test('the captured answers of Dendrite and MAS are credentials', async (t) => {
  const dendrite = { userId: '@bot1:den.test' };
  assert.equal(
    credentialOf(
      await attempt(t, capture('dendrite-login-ok'), { login: dendrite }),
    ).accessToken.reveal(),
    'x_dLugVRMwnHe-p_dlRsQyTHuk6UFVsy4atIWpu0uQk',
  );
  const mas = { userId: '@bot1:mas.test' };
  assert.equal(
    credentialOf(await attempt(t, capture('mas-login-ok'), { login: mas })).accessToken.reveal(),
    'mct_OsModaiiyWaaXfXv5lHvrEPkcu3NBl_0j6rOa',
  );
});

test('fields that nobody asked for are passed over', async (t) => {
  const answer = capture('login-well-known');
  const { device_id } = JSON.parse(String(answer.body)) as { device_id: string };
  const done = await attempt(t, answer, { login: { deviceId: device_id } });
  assert.equal(credentialOf(done).userId, '@bot1:hs.test');
});

test('an expiry and a refresh token that came unasked are told of', async (t) => {
  const login = { userId: '@bot5:hs.test', deviceId: 'RDEV' };
  const credential = credentialOf(await attempt(t, capture('refresh-login'), { login }));
  assert.deepEqual([credential.expiresInMs, credential.hasRefreshToken], [299_993, true]);
});

function answered(change: object): Answer {
  const answer = { user_id: '@bot1:hs.test', device_id: 'LABDEV', access_token: 'token-abcd' };
  return json(200, { ...answer, ...change });
}

test('another user than the one asked for is refused, with the session to log out', async (t) => {
  for (const user_id of ['@Bot1:hs.test', '@bot2:hs.test', '@bot1:other.test']) {
    const failure = failureOf(await attempt(t, answered({ user_id })));
    assert.deepEqual([failure.scope, failure.code], ['user', 'USER_MISMATCH']);
    assert.ok(failure.message.includes(user_id));
    assert.equal(failure.session?.deviceId, 'LABDEV');
    assert.equal(failure.session?.accessToken?.reveal(), 'token-abcd');
    assert.equal(failure.maybeExecuted, true);
  }
});

test('another device than the one asked for is refused, with the session to log out', async (t) => {
  const failure = failureOf(await attempt(t, answered({ device_id: 'OTHER' })));
  assert.deepEqual([failure.scope, failure.code], ['user', 'DEVICE_MISMATCH']);
  assert.equal(failure.session?.deviceId, 'OTHER');
  const empty = failureOf(await attempt(t, capture('login-device-empty')));
  assert.equal(empty.code, 'DEVICE_MISMATCH');
  assert.notEqual(empty.session?.accessToken, null);
});

test('a token that Ansible would template, or that is too long, is refused with its session', async (t) => {
  for (const access_token of ['{{canary}}', 'a b', '$x', 'x'.repeat(4097), '', 'ü', 'a\nb']) {
    const failure = failureOf(await attempt(t, answered({ access_token })));
    assert.deepEqual([failure.scope, failure.code], ['user', 'TOKEN_UNUSABLE'], access_token);
    const isSendable = /^[\x21-\x7e]+$/.test(access_token);
    assert.equal(failure.session?.accessToken?.reveal(), isSendable ? access_token : undefined);
    assert.equal(failure.session?.deviceId, 'LABDEV');
  }
  credentialOf(await attempt(t, answered({ access_token: 'x'.repeat(4096) })));
  credentialOf(await attempt(t, answered({ access_token: 'Az09._~+/=:-' })));
});

test('a 200 that lacks a field, or has another type in it, is no Matrix answer', async (t) => {
  const broken: [object, boolean][] = [
    [{ access_token: undefined }, false],
    [{ access_token: 17 }, false],
    [{ device_id: undefined }, true],
    [{ device_id: null }, true],
    [{ user_id: ['@bot1:hs.test'] }, true],
  ];
  for (const [change, hasToken] of broken) {
    const failure = failureOf(await attempt(t, answered(change)));
    assert.deepEqual([failure.scope, failure.code], ['homeserver', 'NOT_MATRIX']);
    assert.equal(failure.maybeExecuted, true);
    assert.equal(failure.session?.accessToken instanceof Secret, hasToken);
  }
  for (const answer of [html(200), json(200, []), json(200, {}), { status: 204 }]) {
    const failure = failureOf(await attempt(t, answer));
    assert.deepEqual([failure.scope, failure.code], ['homeserver', 'NOT_MATRIX']);
    assert.equal(failure.session, undefined);
  }
});

test('a wrong password is asked once, and is no fault of the homeserver', async (t) => {
  for (const name of [
    'login-wrong-password',
    'dendrite-login-wrong-password',
    'mas-login-wrong-password',
  ]) {
    const done = await attempt(t, capture(name));
    const failure = failureOf(done);
    assert.deepEqual(
      [failure.scope, failure.code, failure.retry],
      ['user', 'M_FORBIDDEN', undefined],
    );
    assert.equal(failure.maybeExecuted, false);
    assert.equal(done.requests.length, 1);
  }
});

test('a redirect of a login is the fault of the homeserver, and goes nowhere', async (t) => {
  for (const status of [301, 302, 303, 307, 308]) {
    const second = await startReplayServer(t, () => capture('login-ok'));
    const headers = [['location', `${second.url}/_matrix/client/v3/login`]] as const;
    const done = await attempt(t, { status, headers });
    const failure = failureOf(done);
    assert.deepEqual([failure.scope, failure.code], ['homeserver', 'REDIRECT']);
    assert.deepEqual([done.requests.length, second.requests.length], [1, 0]);
  }
});
