import assert from 'node:assert/strict';
import { request as httpsRequest } from 'node:https';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { htmlAnswer } from '../scripts/homeserver/faults.ts';
import type { Homeserver } from '../scripts/homeserver/homeserver.ts';
import { checksum } from '../scripts/homeserver/tokens.ts';
import { makeCertificate } from './helpers/certificates.ts';
import { deviceIds, homeserverFor, requestLines } from './helpers/homeserver.ts';
import { ansibleSkip } from './helpers/python.ts';

const LOGIN = '/_matrix/client/v3/login';
const WHOAMI = '/_matrix/client/v3/account/whoami';
const users = [{ localpart: 'bot', password: 'canary-password' }];

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Record<string, unknown>;
}

async function send(
  server: Homeserver,
  method: string,
  path: string,
  options: { token?: unknown; body?: object; signal?: AbortSignal } = {},
): Promise<Answered> {
  const headers: Record<string, string> = {};
  if (typeof options.token === 'string') headers['authorization'] = `Bearer ${options.token}`;
  const body = options.body === undefined ? null : JSON.stringify(options.body);
  const init = { method, headers, body, signal: options.signal ?? null };
  const response = await fetch(`${server.baseUrl}${path}`, init);
  const text = await response.text();
  const isJson = response.headers.get('content-type') === 'application/json';
  const json = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
  return { status: response.status, headers: response.headers, json };
}

const loginBody = (deviceId: string): object => ({
  type: 'm.login.password',
  identifier: { type: 'm.id.user', user: 'bot' },
  password: 'canary-password',
  device_id: deviceId,
});

async function login(server: Homeserver, deviceId: string): Promise<Answered> {
  return await send(server, 'POST', LOGIN, { body: loginBody(deviceId) });
}

async function tokenOf(server: Homeserver, deviceId: string): Promise<unknown> {
  return (await login(server, deviceId)).json['access_token'];
}

test('the checksum of a token is the one that Synapse computes', () => {
  assert.equal(checksum('syt_Ym90MQ_UzMFNXbxDbdbQJmEuTIq'), '0KjHS5');
});

test('Dendrite and MAS end the first token of a device that logs in again', async (t) => {
  for (const software of ['dendrite', 'mas'] as const) {
    const server = await homeserverFor(t, { software, users });
    const first = await tokenOf(server, 'SAME');
    const second = await tokenOf(server, 'SAME');
    assert.equal((await send(server, 'GET', WHOAMI, { token: first })).status, 401);
    assert.equal((await send(server, 'GET', WHOAMI, { token: second })).status, 200);
    assert.deepEqual(deviceIds(server, 'bot'), ['SAME']);
  }
});

test('MAS deletes no devices and gives tokens of its own form', async (t) => {
  const server = await homeserverFor(t, { software: 'mas', users });
  const token = await tokenOf(server, 'ONE');
  assert.match(String(token), /^mct_[0-9A-Za-z]{30}_[0-9A-Za-z]{6}$/);
  const body = { devices: ['ONE'], auth: loginBody('') };
  const refused = await send(server, 'POST', '/_matrix/client/v3/delete_devices', { token, body });
  assert.deepEqual(
    [refused.status, refused.json],
    [404, { errcode: 'M_UNRECOGNIZED', error: 'Unrecognized request' }],
  );
  const register = await send(server, 'GET', '/_synapse/admin/v1/register');
  assert.equal(register.status, 404);
});

test('behind MAS a token that was looked at answers whoami for two minutes more', async (t) => {
  let now = 1_000_000;
  const server = await homeserverFor(t, { software: 'mas', users, now: () => now });
  const [seen, unseen] = [await tokenOf(server, 'SEEN'), await tokenOf(server, 'UNSEEN')];
  const whoami = async (token: unknown): Promise<number> =>
    (await send(server, 'GET', WHOAMI, { token })).status;
  assert.equal(await whoami(seen), 200);
  for (const token of [seen, unseen]) {
    const logout = await send(server, 'POST', '/_matrix/client/v3/logout', { token });
    assert.equal(logout.status, 200);
  }
  assert.deepEqual([await whoami(seen), await whoami(unseen)], [200, 401]);
  now += 120_000;
  assert.equal(await whoami(seen), 401);
});

test('Dendrite answers in its own words', async (t) => {
  const server = await homeserverFor(t, { software: 'dendrite', users });
  const wrong = async (change: object): Promise<unknown[]> => {
    const { status, json } = await send(server, 'POST', LOGIN, {
      body: { ...loginBody('X'), ...change },
    });
    return [status, json['errcode']];
  };
  const identifier = { type: 'm.id.user', user: '@bot:other.test' };
  assert.deepEqual(await wrong({ identifier }), [401, 'M_INVALID_USERNAME']);
  assert.deepEqual(await wrong({ password: undefined }), [401, 'M_BAD_JSON']);
  assert.deepEqual(await wrong({ password: 'wrong' }), [403, 'M_FORBIDDEN']);
  assert.deepEqual(await wrong({ type: 'm.login.nope' }), [400, 'M_INVALID_PARAM']);
  const right = await login(server, 'RIGHT');
  assert.deepEqual(Object.keys(right.json), ['user_id', 'access_token', 'device_id']);
});

test('a server of old versions has the endpoints under r0 only', async (t) => {
  const server = await homeserverFor(t, { versions: ['r0.6.1'], users });
  assert.equal((await send(server, 'GET', LOGIN)).status, 404);
  assert.equal((await send(server, 'GET', LOGIN.replace('v3', 'r0'))).status, 200);
});

test('a scaled clock drains the rate limit; only Synapse names the time in a header', async (t) => {
  const rcLogin = { address: { per_second: 0.003, burst_count: 1 } };
  for (const [software, header, body] of [
    ['synapse', '334', 333_333],
    ['dendrite', null, 333_333],
    ['mas', null, undefined],
  ] as const) {
    let now = 0;
    const server = await homeserverFor(t, { software, users, rcLogin, now: () => now });
    assert.equal((await login(server, 'A')).status, 200);
    const refused = await login(server, 'B');
    assert.equal(refused.status, 429);
    assert.equal(refused.headers.get('retry-after'), header);
    assert.equal(refused.json['retry_after_ms'], body);
    now += 333_334;
    assert.equal((await login(server, 'C')).status, 200);
  }
});

test('a connection cut before the login leaves no session, cut after it leaves one', async (t) => {
  const server = await homeserverFor(t, {
    users,
    faults: [
      { path: LOGIN, nth: 1, cut: 'before' },
      { path: LOGIN, nth: 2, cut: 'after' },
      { path: LOGIN, nth: 3, cut: 'answering' },
    ],
  });
  await assert.rejects(login(server, 'BEFORE'));
  assert.deepEqual(deviceIds(server, 'bot'), []);
  await assert.rejects(login(server, 'AFTER'));
  await assert.rejects(login(server, 'ANSWERING'));
  assert.deepEqual(deviceIds(server, 'bot'), ['AFTER', 'ANSWERING']);
  assert.equal((await login(server, 'FOURTH')).status, 200);
});

test('a login whose connection was cut while it was executed lands late', async (t) => {
  const late = { path: LOGIN, nth: 1, cut: 'while', delayBeforeMs: 1000 } as const;
  const server = await homeserverFor(t, { users, faults: [late] });
  await assert.rejects(login(server, 'LATE'));
  assert.equal((await login(server, 'SECOND')).status, 200);
  assert.deepEqual(deviceIds(server, 'bot'), ['SECOND']);
  while (deviceIds(server, 'bot').length < 2) await sleep(10);
});

test('a client that gives up does not stop what it asked for', async (t) => {
  const server = await homeserverFor(t, { users, faults: [{ path: LOGIN, delayAfterMs: 300 }] });
  const signal = AbortSignal.timeout(100);
  const body = loginBody('GIVEN-UP');
  await assert.rejects(send(server, 'POST', LOGIN, { body, signal }));
  while (deviceIds(server, 'bot').length < 1) await sleep(10);
});

test('another answer can be given, with or without executing the request', async (t) => {
  const server = await homeserverFor(t, { users });
  server.faults.push({ method: 'POST', path: LOGIN, nth: 1, answer: htmlAnswer(502) });
  server.faults.push({ path: LOGIN, nth: 2, answer: { ...htmlAnswer(504), execute: true } });
  assert.equal((await login(server, 'NOT-EXECUTED')).status, 502);
  assert.equal((await login(server, 'EXECUTED')).status, 504);
  assert.deepEqual(deviceIds(server, 'bot'), ['EXECUTED']);
});

test('a dripping answer arrives whole in the end', async (t) => {
  const server = await homeserverFor(t, { users, faults: [{ path: WHOAMI, dripMs: 1 }] });
  const token = await tokenOf(server, 'D');
  const { json } = await send(server, 'GET', WHOAMI, { token });
  assert.equal(json['device_id'], 'D');
});

test('the log names method, path and status, and no secret', async (t) => {
  const server = await homeserverFor(t, { users });
  const token = await tokenOf(server, 'D');
  await send(server, 'GET', `${WHOAMI}?access_token=${String(token)}`);
  assert.deepEqual(requestLines(server), [`POST ${LOGIN}`, `GET ${WHOAMI}`]);
  assert.deepEqual(
    server.requests.map((request) => request.status),
    [200, 200],
  );
  const text = JSON.stringify(server.requests);
  assert.ok(!text.includes('canary-password') && !text.includes(String(token)));
});

test('requests can be seen with their bodies before they are executed', async (t) => {
  const seen: string[] = [];
  const server = await homeserverFor(t, { users, onRequest: ({ body }) => seen.push(body) });
  await login(server, 'D');
  assert.deepEqual(seen, [JSON.stringify(loginBody('D'))]);
});

test(
  'the homeserver listens with TLS when it is given a certificate',
  {
    skip: await ansibleSkip(),
  },
  async (t) => {
    const tls = await makeCertificate();
    const server = await homeserverFor(t, { tls });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const url = `${server.baseUrl}/_matrix/client/versions`;
      httpsRequest(url, { ca: tls.cert, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    assert.equal(status, 200);
  },
);

test('a stopped homeserver answers no more', async (t) => {
  const server = await homeserverFor(t, { users });
  await server.stop();
  await assert.rejects(login(server, 'D'));
});
