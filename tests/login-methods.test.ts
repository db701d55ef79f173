// The ways to log in: which is taken, what it sends, and how it removes the sessions of lost logins.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isFailure, type Failure } from '../src/matrix/failure.ts';
import type { Homeserver } from '../src/matrix/homeserver.ts';
import { byReach, chooseLogin, type Choice } from '../src/matrix/login/choose.ts';
import type { LoginMethod, Removed } from '../src/matrix/login/method.ts';
import { LOGIN_METHODS, loginMethod } from '../src/matrix/login/registry.ts';
import { proveUser } from '../src/matrix/login/shared-secret.ts';
import { runQueue, type Job } from '../src/matrix/queue.ts';
import { groupOf } from '../src/provision/logins.ts';
import { redact, Secret } from '../src/secret.ts';
import {
  capture,
  clientFor,
  json,
  startReplayServer,
  type Answer,
  type SeenRequest,
} from './helpers/replay-server.ts';

const PASSWORD = 'm.login.password';
const SHARED = 'com.devture.shared_secret_auth';
const USER = '@bot.rss:example.com';
const SECRET = new Secret('the secret of the module');
const TOKEN = new Secret('syt_stored_token_0123456789');

/** Made with another program, Python's hmac. */
const PROOF =
  'de2409c7f5fd5722d0f057a6c34c8d38ac3c3fc76ae1c314e32c8ee98dd47090' +
  '4b9d6df4a9ba0b1934448f3d1465a5a184fec2a76ec61179a58a7f6602e31e12';

const sharedSecret = loginMethod('shared_secret');
const password = loginMethod('password');

function homeserverAt(baseUrl: string, flows: readonly string[]): Homeserver {
  return { serverName: 'example.com', baseUrl, api: 'v3', flows };
}

test('the ways to log in stand in alphabetical order, each with a place for its secret', () => {
  const names = LOGIN_METHODS.map(({ name }) => name);
  assert.deepEqual(names, names.toSorted());
  assert.equal(new Set(names).size, names.length);
  for (const method of LOGIN_METHODS) {
    const { wanted, fix } = method.validate({ service: 'rss', hasSecret: false }) ?? {};
    assert.ok(wanted !== undefined && fix !== undefined, method.name);
    assert.equal(method.validate({ service: 'rss', hasSecret: true }), null);
    assert.match(
      wanted,
      new RegExp(method.secret.of === 'service' ? method.secret.key : method.secret.variable),
    );
  }
});

function chosen(names: readonly string[], flows: readonly string[]): string {
  const methods = byReach(names.map(loginMethod));
  const choice: Choice | Failure = chooseLogin(methods, homeserverAt('https://hs', flows));
  return isFailure(choice)
    ? `${choice.scope} ${choice.code}`
    : `${choice.method.name} ${choice.type}`;
}

test('the secret that opens least is taken, of those that the homeserver offers a login for', () => {
  const both = ['shared_secret', 'password'];
  assert.equal(chosen(both, [SHARED, PASSWORD]), `password ${PASSWORD}`);
  assert.equal(chosen(both, [SHARED]), `shared_secret ${SHARED}`);
  assert.equal(chosen(['shared_secret'], [PASSWORD, SHARED]), `shared_secret ${SHARED}`);
  // The module may take the proof in place of a password, and nobody can see whether it does.
  assert.equal(chosen(['shared_secret'], [PASSWORD]), `shared_secret ${PASSWORD}`);
  assert.equal(chosen(['password'], [SHARED]), 'homeserver NO_PASSWORD_FLOW');
  assert.equal(chosen(['shared_secret'], ['m.login.sso']), 'homeserver NO_LOGIN_FLOW');
  assert.equal(chosen(both, []), 'homeserver NO_LOGIN_FLOW');
});

test('a homeserver without /login is OAuth only, whatever there is to log in with', () => {
  const homeserver = { ...homeserverAt('https://hs', []), isOAuthOnly: true };
  for (const method of LOGIN_METHODS) {
    const choice = chooseLogin([method], homeserver);
    assert.ok(isFailure(choice));
    assert.equal(choice.code, 'OAUTH_ONLY');
  }
});

test('the proof is the HMAC-SHA512 of the full user ID, in hex, and is as secret as the secret', () => {
  const proof = proveUser(SECRET, USER);
  assert.equal(proof.reveal(), PROOF);
  assert.equal(redact(`a ${PROOF} b`), 'a <redacted> b');
  const other = proveUser(new Secret('sécret'), '@b:[2001:db8::1]:8448').reveal();
  assert.match(other, /^5aa1c276d2faf425127d00c32d65e16d9d62e1425b653e5a/);
});

interface Attempt<T> {
  readonly result: T;
  readonly requests: readonly SeenRequest[];
}

async function login(
  t: TestContext,
  method: LoginMethod,
  flows: readonly string[],
  answer: Answer,
): Promise<Attempt<Awaited<ReturnType<LoginMethod['login']>>>> {
  const server = await startReplayServer(t, () => answer);
  const request = { userId: USER, secret: SECRET, deviceId: 'LABDEV', displayName: 'rss' };
  const result = await method.login(clientFor(t), homeserverAt(server.url, flows), request);
  return { result, requests: server.requests };
}

const OK = json(200, { user_id: USER, device_id: 'LABDEV', access_token: 'a-token-of-rss' });

test('a login with the shared secret sends the proof and no password, by the type that is offered', async (t) => {
  const common = {
    identifier: { type: 'm.id.user', user: USER },
    device_id: 'LABDEV',
    initial_device_display_name: 'rss',
  };
  const cases = [
    [[PASSWORD, SHARED], { type: SHARED, token: PROOF }],
    [[PASSWORD], { type: PASSWORD, password: PROOF }],
  ] as const;
  for (const [flows, proof] of cases) {
    const { result, requests } = await login(t, sharedSecret, flows, OK);
    assert.ok(!isFailure(result));
    assert.deepEqual(JSON.parse(requests[0]?.body ?? ''), { ...common, ...proof });
    assert.equal(requests.length, 1);
  }
  const none = await login(t, sharedSecret, ['m.login.sso'], OK);
  assert.ok(isFailure(none.result) && none.result.code === 'NO_LOGIN_FLOW');
  assert.equal(none.requests.length, 0);
});

test('a refused proof is told as that, and names neither secret nor proof', async (t) => {
  const { result } = await login(t, sharedSecret, [SHARED], capture('login-wrong-password'));
  assert.ok(isFailure(result));
  assert.deepEqual(
    [result.code, result.scope, result.onRepeat],
    ['M_FORBIDDEN', 'user', 'homeserver'],
  );
  assert.match(
    result.message,
    /^the homeserver refused the shared secret: POST \S+\/login answered 403/,
  );
  assert.equal(result.maybeExecuted, false);
});

test('a wrong secret says something of those alone who use the same one', () => {
  const group = (method: LoginMethod, file: string): string =>
    groupOf({ method, why: '', secret: { secret: SECRET, at: { file, line: 1, column: 1 } } });
  assert.equal(group(sharedSecret, 'a.yml'), group(sharedSecret, 'a.yml'));
  assert.notEqual(group(sharedSecret, 'a.yml'), group(sharedSecret, 'b.yml'));
  assert.equal(group(password, 'a.yml'), group(password, 'b.yml'));
});

test('two users refused in a row mean a wrong secret: no more of it, but passwords go on', async (t) => {
  const { result: refused } = await login(
    t,
    sharedSecret,
    [SHARED],
    capture('login-wrong-password'),
  );
  assert.ok(isFailure(refused));
  const sent: string[] = [];
  const job = (name: string, group: string, outcome: string | Failure): Job<string> => ({
    name,
    group,
    attempt: () => {
      sent.push(name);
      return Promise.resolve(outcome);
    },
  });
  const jobs = [
    ...['a', 'b', 'c', 'd', 'e', 'f'].map((name) => job(name, 'shared_secret', refused)),
    ...['g', 'h', 'i', 'j'].map((name) => job(name, 'password', 'ok')),
  ];
  const sleep = (): Promise<void> => Promise.resolve();
  const options = { maxWaitMs: 0, now: () => 0, sleep, random: () => 0 };
  const results = await runQueue(jobs, options);
  assert.deepEqual(results.slice(6), ['ok', 'ok', 'ok', 'ok']);
  const scopes = results.slice(0, 6).map((one) => (isFailure(one) ? one.scope : one));
  assert.deepEqual(scopes, ['user', ...Array<string>(5).fill('homeserver')]);
  // Those that were in flight together are all that were refused.
  assert.deepEqual(sent, ['a', 'b', 'c', 'd', 'g', 'h', 'i', 'j']);
});

async function abandon(
  t: TestContext,
  method: LoginMethod,
  flows: readonly string[],
  answer: Answer,
): Promise<Attempt<Removed | Failure>> {
  const server = await startReplayServer(t, () => answer);
  const removal = { userId: USER, secret: SECRET, token: TOKEN, deviceIds: ['MTLOST', 'MTTOO'] };
  const result = await method.abandon(clientFor(t), homeserverAt(server.url, flows), removal);
  return { result, requests: server.requests };
}

test('lost sessions are removed in one request, proved as a login is', async (t) => {
  const identifier = { type: 'm.id.user', user: USER };
  const cases = [
    [sharedSecret, [PASSWORD, SHARED], { type: SHARED, identifier, token: PROOF }],
    [sharedSecret, [PASSWORD], { type: PASSWORD, identifier, password: PROOF }],
    [password, [PASSWORD], { type: PASSWORD, identifier, password: SECRET.reveal() }],
  ] as const;
  for (const [method, flows, auth] of cases) {
    const { result, requests } = await abandon(t, method, flows, json(200, {}));
    assert.deepEqual(result, { kind: 'gone' });
    assert.deepEqual(JSON.parse(requests[0]?.body ?? ''), { devices: ['MTLOST', 'MTTOO'], auth });
    assert.equal(requests[0]?.headers.authorization, `Bearer ${TOKEN.reveal()}`);
  }
});

test('where the proof is not taken for removing devices, a new login has to do it', async (t) => {
  const refusals = [
    json(401, { errcode: 'M_FORBIDDEN', error: 'no', session: 's', flows: [], params: {} }),
    json(401, { session: 's', flows: [{ stages: [PASSWORD] }], params: {} }),
    json(404, { errcode: 'M_UNRECOGNIZED', error: 'no' }),
    json(400, { errcode: 'M_UNKNOWN', error: 'Password login has been disabled.' }),
  ];
  for (const answer of refusals) {
    const { result } = await abandon(t, sharedSecret, [SHARED], answer);
    assert.deepEqual(result, { kind: 'not_offered' });
  }
  const trouble = await abandon(t, sharedSecret, [SHARED], json(502, {}));
  assert.ok(isFailure(trouble.result));
  assert.equal(trouble.result.scope, 'retry');
});
