import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isFailure } from '../src/matrix/failure.ts';
import type { HttpClient } from '../src/matrix/http.ts';
import {
  deleteDevices,
  listDevices,
  logout,
  profileExists,
  whoami,
} from '../src/matrix/sessions.ts';
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

const TOKEN = new Secret('session-token');

type Api = { baseUrl: string; api: 'v3' };

/** Answers one request of `ask`, and gives what came of it: a kind, or the code of a failure. */
async function ask<T>(
  t: TestContext,
  answer: Answer | null,
  send: (client: HttpClient, homeserver: Api) => Promise<T>,
): Promise<{ result: T; requests: readonly SeenRequest[] }> {
  const server = await startReplayServer(t, () => answer);
  const client = clientFor(t, { timeoutMs: answer === null ? 100 : 5000 });
  const result = await send(client, { baseUrl: server.url, api: 'v3' });
  assert.equal(server.requests.length, 1);
  return { result, requests: server.requests };
}

function codeOf(result: unknown): string {
  if (isFailure(result)) return result.code;
  assert.ok(typeof result === 'object' && result !== null && 'kind' in result);
  return String(result.kind);
}

test('a logout sends the token and an empty object', async (t) => {
  const { result, requests } = await ask(t, capture('logout'), (client, homeserver) =>
    logout(client, homeserver, TOKEN),
  );
  assert.deepEqual(result, { kind: 'gone' });
  const [seen] = requests;
  assert.deepEqual(
    [seen?.method, seen?.path, seen?.body, seen?.headers['authorization']],
    ['POST', '/_matrix/client/v3/logout', '{}', 'Bearer session-token'],
  );
});

test('a logout is believed, and a token that is not known is gone, too', async (t) => {
  const cases: [Answer | null, string][] = [
    [capture('dendrite-logout'), 'gone'],
    [capture('mas-logout'), 'gone'],
    [capture('logout-twice'), 'gone'],
    [html(200), 'NOT_MATRIX'],
    [html(401), 'NOT_MATRIX'],
    [json(401, { errcode: 'M_MISSING_TOKEN' }), 'M_MISSING_TOKEN'],
    [json(403, { errcode: 'M_UNKNOWN_TOKEN' }), 'M_UNKNOWN_TOKEN'],
    [capture('ratelimit-6th'), 'M_LIMIT_EXCEEDED'],
    [html(502), 'SERVER_ERROR'],
    [null, 'TIMEOUT'],
  ];
  for (const [answer, wanted] of cases) {
    const { result } = await ask(t, answer, (client, homeserver) =>
      logout(client, homeserver, TOKEN),
    );
    assert.equal(codeOf(result), wanted);
  }
});

test('the devices of a user are listed by their IDs', async (t) => {
  const { result, requests } = await ask(t, capture('device-new-devices'), (client, homeserver) =>
    listDevices(client, homeserver, TOKEN),
  );
  assert.deepEqual(result, ['NHSNRWDKYG', 'SAMEDEV']);
  assert.equal(requests[0]?.path, '/_matrix/client/v3/devices');
  assert.equal(requests[0]?.headers['authorization'], 'Bearer session-token');
});

test('a list of devices that is understood only in part is none', async (t) => {
  const lists = [
    {},
    { devices: {} },
    { devices: [{ device_id: 'A' }, { id: 'B' }] },
    { devices: [null] },
  ];
  for (const list of lists) {
    const { result } = await ask(t, json(200, list), (client, homeserver) =>
      listDevices(client, homeserver, TOKEN),
    );
    assert.equal(codeOf(result), 'NOT_MATRIX');
  }
});

const DELETION = {
  userId: '@bot1:hs.test',
  password: new Secret('delete-password'),
  deviceIds: ['A', 'B'],
};

test('devices are deleted by one request with the token and the password', async (t) => {
  const { result, requests } = await ask(t, json(200, {}), (client, homeserver) =>
    deleteDevices(client, homeserver, TOKEN, DELETION),
  );
  assert.deepEqual(result, { kind: 'gone' });
  assert.equal(requests[0]?.path, '/_matrix/client/v3/delete_devices');
  assert.deepEqual(JSON.parse(requests[0]?.body ?? ''), {
    devices: ['A', 'B'],
    auth: {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: '@bot1:hs.test' },
      password: 'delete-password',
    },
  });
});

test('where devices cannot be deleted with a password, that is said; a refusal is a failure', async (t) => {
  const furtherStep = { flows: [{ stages: ['m.login.sso'] }], params: {}, session: 'x' };
  const cases: [Answer, string][] = [
    [capture('mas-unknown-endpoint'), 'not_offered'],
    [html(404), 'not_offered'],
    [json(405, { errcode: 'M_UNRECOGNIZED' }), 'not_offered'],
    [json(401, furtherStep), 'not_offered'],
    [
      json(401, { ...furtherStep, errcode: 'M_FORBIDDEN', error: 'Invalid password' }),
      'M_FORBIDDEN',
    ],
    [json(403, { errcode: 'M_FORBIDDEN' }), 'M_FORBIDDEN'],
    [capture('whoami-bad-token'), 'M_UNKNOWN_TOKEN'],
    [html(200), 'NOT_MATRIX'],
  ];
  for (const [answer, wanted] of cases) {
    const { result } = await ask(t, answer, (client, homeserver) =>
      deleteDevices(client, homeserver, TOKEN, DELETION),
    );
    assert.equal(codeOf(result), wanted);
  }
});

test('whoami tells the user, and the device where there is one', async (t) => {
  const { result, requests } = await ask(t, capture('whoami-ok'), (client, homeserver) =>
    whoami(client, homeserver, TOKEN),
  );
  assert.deepEqual(result, {
    kind: 'alive',
    userId: '@bot2:hs.test',
    deviceId: 'SAMEDEV',
    isGuest: false,
  });
  assert.equal(requests[0]?.path, '/_matrix/client/v3/account/whoami');
  const appservice = await ask(t, capture('as-whoami'), (client, homeserver) =>
    whoami(client, homeserver, TOKEN),
  );
  assert.deepEqual(appservice.result, {
    kind: 'alive',
    userId: '@as_one:hs.test',
    deviceId: null,
    isGuest: false,
  });
});

test('only 401 M_UNKNOWN_TOKEN means that a token is dead', async (t) => {
  const cases: [Answer | null, string][] = [
    [capture('whoami-bad-token'), 'dead'],
    [capture('dendrite-whoami-after-logout'), 'dead'],
    [capture('mas-whoami-bad-token'), 'dead'],
    [capture('whoami-locked'), 'M_USER_LOCKED'],
    [capture('whoami-mas-down'), 'SERVER_ERROR'],
    [capture('whoami-no-token'), 'M_MISSING_TOKEN'],
    [json(403, { errcode: 'M_UNKNOWN_TOKEN' }), 'M_UNKNOWN_TOKEN'],
    [capture('ratelimit-6th'), 'M_LIMIT_EXCEEDED'],
    [html(401), 'NOT_MATRIX'],
    [html(404), 'NOT_MATRIX'],
    [json(200, { user: '@bot1:hs.test' }), 'NOT_MATRIX'],
    [null, 'TIMEOUT'],
  ];
  for (const [answer, wanted] of cases) {
    const { result } = await ask(t, answer, (client, homeserver) =>
      whoami(client, homeserver, TOKEN),
    );
    assert.equal(codeOf(result), wanted);
  }
  const soft = json(401, { errcode: 'M_UNKNOWN_TOKEN', soft_logout: true });
  const { result } = await ask(t, soft, (client, homeserver) => whoami(client, homeserver, TOKEN));
  assert.deepEqual(result, { kind: 'dead', isSoftLogout: true });
});

test('a token that cannot be sent is said to be unusable, and no request is sent', async (t) => {
  const client = clientFor(t);
  const homeserver = { baseUrl: 'http://127.0.0.1:1', api: 'v3' } as const;
  const result = await whoami(client, homeserver, new Secret('with newline\n'));
  assert.ok(isFailure(result));
  assert.deepEqual([result.scope, result.code], ['user', 'TOKEN_UNUSABLE']);
});

test('a profile tells whether a user exists, without a token; anything unclear is unknown', async (t) => {
  const cases: [Answer | null, string][] = [
    [json(200, {}), 'exists'],
    [json(200, { displayname: 'Bot' }), 'exists'],
    [json(404, { errcode: 'M_NOT_FOUND' }), 'missing'],
    [json(404, { errcode: 'M_UNKNOWN', error: 'No row found (profiles)' }), 'missing'],
    [json(500, { errcode: 'M_UNKNOWN' }), 'unknown'],
    [json(404, { errcode: 'M_UNRECOGNIZED' }), 'unknown'],
    [html(404), 'unknown'],
    [html(200), 'unknown'],
    [json(401, { errcode: 'M_MISSING_TOKEN' }), 'unknown'],
    [json(403, { errcode: 'M_FORBIDDEN' }), 'unknown'],
    [capture('ratelimit-6th'), 'unknown'],
    [null, 'unknown'],
  ];
  for (const [answer, wanted] of cases) {
    const { result, requests } = await ask(t, answer, (client, homeserver) =>
      profileExists(client, homeserver, '@a/b+c=d:hs.test'),
    );
    assert.equal(result, wanted);
    assert.equal(requests[0]?.path, '/_matrix/client/v3/profile/%40a%2Fb%2Bc%3Dd%3Ahs.test');
    assert.equal(requests[0]?.headers['authorization'], undefined);
  }
});
