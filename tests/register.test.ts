// Creating users through the registration API, against the answers of a real Synapse and Dendrite.
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { test, type TestContext } from 'node:test';
import { isFailure, type Failure } from '../src/matrix/failure.ts';
import {
  REGISTRATION_DEVICE,
  registerUser,
  type NewUser,
  type Registered,
} from '../src/matrix/register.ts';
import { redact, Secret } from '../src/secret.ts';
import {
  capture,
  clientFor,
  html,
  json,
  startReplayServer,
  type Answer,
  type SeenRequest,
} from './helpers/replay-server.ts';

const USER: NewUser = { localpart: 'rss', password: new Secret('pä'), as: 'bot' };
const WITHOUT_MORE = (): Promise<null> => Promise.resolve(null);
const SYNAPSE_NONCE = 'a'.repeat(128);

interface Attempt {
  readonly result: Registered | Failure;
  readonly requests: readonly SeenRequest[];
}

async function register(
  t: TestContext,
  answers: { readonly nonce?: Answer; readonly created: Answer },
  user: Partial<NewUser> = {},
): Promise<Attempt> {
  const nonce = answers.nonce ?? json(200, { nonce: SYNAPSE_NONCE });
  const server = await startReplayServer(t, ({ method }) =>
    method === 'GET' ? nonce : answers.created,
  );
  const api = { baseUrl: server.url, secret: new Secret('registration secret') };
  const result = await registerUser(clientFor(t), api, { ...USER, ...user }, WITHOUT_MORE);
  return { result, requests: server.requests };
}

function bodyOf({ requests }: Attempt): Record<string, unknown> {
  return JSON.parse(requests[1]?.body ?? '') as Record<string, unknown>;
}

function failureOf({ result }: Attempt): Failure {
  assert.ok(isFailure(result), JSON.stringify(result));
  return result;
}

test('two requests: the nonce, and a user with the HMAC-SHA1 over all that it is to be', async (t) => {
  const done = await register(t, { created: capture('register') });
  assert.deepEqual(
    done.requests.map(({ method, path }) => `${method} ${path}`),
    ['GET /_synapse/admin/v1/register', 'POST /_synapse/admin/v1/register'],
  );
  // The HMACs were made with another program, Python's hmac.
  assert.deepEqual(bodyOf(done), {
    nonce: SYNAPSE_NONCE,
    username: 'rss',
    password: 'pä',
    admin: false,
    user_type: 'bot',
    inhibit_login: true,
    device_id: REGISTRATION_DEVICE,
    mac: '1e493cb7e0ec39ac1f77bd79ae8718cd0f530b3c',
  });
  const admin = bodyOf(await register(t, { created: capture('register') }, { as: 'admin' }));
  assert.deepEqual([admin['admin'], admin['user_type']], [true, undefined]);
  assert.equal(admin['mac'], 'e4efaa3c6a8ae8c7ff752f92c3852f82614c25f1');
});

test('the HMAC of Dendrite knows no user type, and its nonces tell it', async (t) => {
  const nonce = json(200, { nonce: 'n0nce' });
  const created = capture('dendrite-register');
  const done = await register(t, { nonce, created }, { password: new Secret('pw') });
  assert.equal(bodyOf(done)['user_type'], undefined);
  assert.equal(bodyOf(done)['mac'], '93d4931d4c86d0c319ceb898a08612273568c2cb');
});

test('Synapse opens no session; that of Dendrite is given back, to be logged out', async (t) => {
  const synapse = await register(t, {
    nonce: capture('register-nonce'),
    created: capture('register'),
  });
  assert.deepEqual(synapse.result, {
    kind: 'created',
    userId: '@cap1:hs.test',
    session: undefined,
    as: 'bot',
  });
  const dendrite = await register(t, {
    nonce: capture('dendrite-register-nonce'),
    created: capture('dendrite-register'),
  });
  assert.ok(!isFailure(dendrite.result) && dendrite.result.kind === 'created');
  assert.match(dendrite.result.userId ?? '', /^@cap\d+:den\.test$/);
  assert.equal(dendrite.result.session?.deviceId, REGISTRATION_DEVICE);
  assert.match(dendrite.result.session.accessToken?.reveal() ?? '', /^\S{43}$/);
});

test('a name that is taken is no failure, and nobody is overwritten', async (t) => {
  for (const name of ['register-taken', 'dendrite-register-taken']) {
    const { result } = await register(t, { created: capture(name) });
    assert.deepEqual(result, { kind: 'taken' });
  }
});

test('a wrong secret and a missing API are the fault of the homeserver, not of the user', async (t) => {
  for (const name of ['register-wrong-mac', 'dendrite-register-wrong-mac']) {
    const failure = failureOf(await register(t, { created: capture(name) }));
    assert.deepEqual(
      [failure.scope, failure.code, failure.maybeExecuted],
      ['homeserver', 'REGISTER_SECRET', false],
    );
  }
  const missing = [capture('mas-unknown-endpoint'), html(404), html(403), json(401, {})];
  for (const nonce of missing) {
    const done = await register(t, { nonce, created: json(200, {}) });
    const failure = failureOf(done);
    assert.deepEqual([failure.scope, failure.code], ['homeserver', 'REGISTER_NOT_OFFERED']);
    assert.equal(failure.maybeExecuted, false);
    assert.equal(done.requests.length, 1);
  }
  const off = json(400, {
    errcode: 'M_UNKNOWN',
    error: 'Shared secret registration is not enabled',
  });
  const failure = failureOf(await register(t, { created: off }));
  assert.match(failure.message, /"Shared secret registration is not enabled"$/);
  assert.match(failure.hint ?? '', /registration_shared_secret/);
});

test('a weak password concerns one user; trouble may pass, and may have created somebody', async (t) => {
  const weak = failureOf(await register(t, { created: capture('dendrite-register-weak') }));
  assert.deepEqual([weak.scope, weak.code, weak.maybeExecuted], ['user', 'M_WEAK_PASSWORD', false]);
  for (const created of [html(502), json(500, { message: 'incorrect or expired nonce' })]) {
    const failure = failureOf(await register(t, { created }));
    assert.deepEqual([failure.scope, failure.maybeExecuted], ['retry', true]);
  }
  const asked = failureOf(await register(t, { nonce: html(502), created: json(200, {}) }));
  assert.deepEqual(
    [asked.scope, asked.maybeExecuted],
    ['retry', false],
    'only a nonce was asked for',
  );
  const limited = failureOf(
    await register(t, { nonce: capture('ratelimit-6th'), created: json(200, {}) }),
  );
  assert.equal(limited.retry?.kind, 'rate_limit');
});

test('nonce, HMAC and secrets stand in nothing that is printed', async (t) => {
  const echo = (request: SeenRequest): Answer =>
    json(418, { errcode: 'M_TEAPOT', error: request.body, nonce: 'x' });
  const server = await startReplayServer(t, (request) =>
    request.method === 'GET' ? json(200, { nonce: 'canary-nonce-1' }) : echo(request),
  );
  const api = { baseUrl: server.url, secret: new Secret('canary-of-the-registration') };
  const password = new Secret('canary-of-the-password');
  const failure = await registerUser(clientFor(t), api, { ...USER, password }, WITHOUT_MORE);
  const { mac } = JSON.parse(server.requests[1]?.body ?? '') as { mac: string };
  const shown = `${inspect(failure, { depth: 20, showHidden: true })} ${redact(`${mac} canary-nonce-1`)}`;
  for (const secret of ['canary', mac, Buffer.from(mac).toString('base64')]) {
    assert.ok(!shown.includes(secret), shown);
  }
});
