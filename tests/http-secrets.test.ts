// A homeserver, or something in its place, that hands back every secret it was sent, in every form
// and in every place where it can: none of them may stand in anything that comes out.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import { discoverHomeserver } from '../src/matrix/discovery.ts';
import type { Homeserver } from '../src/matrix/homeserver.ts';
import type { HttpClient } from '../src/matrix/http.ts';
import { loginWithPassword } from '../src/matrix/login/password.ts';
import { runQueue } from '../src/matrix/queue.ts';
import {
  deleteDevices,
  listDevices,
  logout,
  profileExists,
  whoami,
} from '../src/matrix/sessions.ts';
import { redact, Secret } from '../src/secret.ts';
import {
  clientFor,
  json,
  startReplayServer,
  type Answer,
  type RawAnswer,
} from './helpers/replay-server.ts';

const PASSWORD = 'päss "canary\\🗝 one';
const TOKEN = 'canary-token.two+three';
/** Sent by the server alone: nobody knows them beforehand. */
const NEW_TOKEN = 'fresh-canary.token-four';
const REFRESH_TOKEN = 'fresh-canary.refresh-five';

function formsOf(secret: string): string[] {
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('base64url'),
    Buffer.from(secret).toString('hex'),
  ];
}

const FORBIDDEN = [PASSWORD, TOKEN, NEW_TOKEN, REFRESH_TOKEN].flatMap(formsOf);
const ECHO = [PASSWORD, TOKEN].flatMap(formsOf).join(' ');
/** What fits into a header or a reason phrase. */
const HEADER_ECHO = [
  TOKEN,
  ...[PASSWORD, TOKEN].flatMap((secret) => [
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64'),
  ]),
].join(' ');

function raw(status: number, body: string): RawAnswer {
  const headers = [
    `location: https://example.org/${HEADER_ECHO.replaceAll(' ', '/')}?x=${TOKEN}`,
    `retry-after: ${HEADER_ECHO}`,
    `content-type: ${TOKEN}/${TOKEN}`,
    `x-echo: ${HEADER_ECHO}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  const head = `HTTP/1.1 ${status} ${HEADER_ECHO}\r\n${headers.join('\r\n')}\r\n\r\n`;
  return { raw: `${head}${Buffer.from(body).toString('latin1')}`, afterwards: 'wait' };
}

const REFUSAL = JSON.stringify({
  errcode: 'M_FORBIDDEN',
  error: ECHO,
  [TOKEN]: ECHO,
  more: { deep: { deeper: { deepest: [ECHO] } } },
});

const SESSION = { access_token: NEW_TOKEN, refresh_token: REFRESH_TOKEN, expires_in_ms: 1 };

const ANSWERS: Readonly<Record<string, Answer | RawAnswer>> = {
  'a refusal': raw(403, REFUSAL),
  'a refusal with an errcode that is a secret': json(403, { errcode: TOKEN, error: PASSWORD }),
  'a list of secrets': raw(401, JSON.stringify([ECHO])),
  'a page': raw(404, `<h1>${ECHO}</h1>`),
  'a redirect': raw(302, ECHO),
  'a rate limit': raw(429, REFUSAL),
  'a bug': raw(500, REFUSAL),
  'a gateway': raw(502, ECHO),
  'broken JSON': raw(200, `{"access_token":${TOKEN}`),
  'JSON that does not belong here': raw(200, REFUSAL),
  'a session of somebody else': json(200, { ...SESSION, user_id: '@x:y', device_id: 'D' }),
  'a session of another device': json(200, {
    ...SESSION,
    user_id: '@bot:hs.test',
    device_id: TOKEN,
  }),
  'a session with a name that is a secret': json(200, {
    ...SESSION,
    user_id: PASSWORD,
    device_id: 'D',
  }),
  'a session without its user': json(200, SESSION),
  'a good session': json(200, { ...SESSION, user_id: '@bot:hs.test', device_id: 'DEVICE' }),
  'devices with secrets': json(200, { devices: [{ id: ECHO }] }),
  'versions that are secrets': json(200, {
    versions: [ECHO],
    flows: [{ type: ECHO }, { type: TOKEN }],
  }),
  'nonsense instead of HTTP': { raw: `${ECHO}\r\n\r\n`, afterwards: 'wait' },
  'nonsense in chunks': {
    raw: `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz${TOKEN}\r\n`,
    afterwards: 'wait',
  },
  'a broken body': {
    raw: `HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n{"access_token":"${NEW_TOKEN}`,
    afterwards: 'reset',
  },
  'a broken header': { raw: `HTTP/1.1 200 OK\r\nx-echo: ${TOKEN}`, afterwards: 'reset' },
};

/** Everything that can be asked of a homeserver, each once. */
function everything(client: HttpClient, homeserver: Homeserver): Promise<unknown>[] {
  const [userId, password, token] = ['@bot:hs.test', new Secret(PASSWORD), new Secret(TOKEN)];
  const login = { userId, password, deviceId: 'DEVICE', displayName: null };
  const { serverName, baseUrl: configuredUrl } = homeserver;
  return [
    client.request('POST', `${configuredUrl}/x`, { body: { password: PASSWORD }, token }),
    discoverHomeserver({ serverName, configuredUrl, allowHttp: false }, client),
    loginWithPassword(client, homeserver, login),
    logout(client, homeserver, token),
    listDevices(client, homeserver, token),
    deleteDevices(client, homeserver, token, { userId, password, deviceIds: ['A'] }),
    whoami(client, homeserver, token),
    profileExists(client, homeserver, userId),
  ];
}

function assertClean(value: unknown, name: string): void {
  const texts = [
    inspect(value, { showHidden: true, depth: Infinity, maxStringLength: Infinity }),
    value instanceof Error ? (value.stack ?? '') : JSON.stringify(value),
  ];
  for (const text of texts) {
    for (const secret of FORBIDDEN) assert.ok(!text.includes(secret), `${name}: ${secret}`);
  }
}

function isData(result: unknown): boolean {
  return (
    typeof result === 'object' && result !== null && 'kind' in result && result.kind === 'alive'
  );
}

async function homeserverFor(t: TestContext, answer: Answer | RawAnswer): Promise<Homeserver> {
  const server = await startReplayServer(t, () => answer);
  const { url: baseUrl } = server;
  return { serverName: 'hs.test', baseUrl, api: 'v3', flows: ['m.login.password'] };
}

test('no answer, however it hands secrets back, brings them into a result or a log', async (t) => {
  for (const [name, answer] of Object.entries(ANSWERS)) {
    const homeserver = await homeserverFor(t, answer);
    const lines: string[] = [];
    const client = clientFor(t, { log: (line) => lines.push(line) });
    const results = await Promise.all(everything(client, homeserver));
    for (const result of results.slice(1)) {
      // User and device IDs are compared, so they stay as they are; they are printed redacted.
      if (isData(result)) assertClean(redact(inspect(result)), name);
      else assertClean(result, name);
    }
    assertClean(lines, name);
    assertClean(client, name);
  }
});

test('a raw result shows no secret either when it is printed', async (t) => {
  for (const [name, answer] of Object.entries(ANSWERS)) {
    const homeserver = await homeserverFor(t, answer);
    const token = new Secret(TOKEN);
    const body = { password: new Secret(PASSWORD).reveal() };
    const result = await clientFor(t).request('POST', homeserver.baseUrl, { body, token });
    const printed = inspect(result, { showHidden: true, depth: Infinity });
    for (const secret of FORBIDDEN) assert.ok(!printed.includes(secret), `${name}: ${secret}`);
  }
});

test('a token that is fresh from the server is hidden wherever it is printed', async (t) => {
  const homeserver = await homeserverFor(t, ANSWERS['a good session'] ?? json(500, {}));
  const client = clientFor(t);
  const login = {
    userId: '@bot:hs.test',
    password: new Secret(PASSWORD),
    deviceId: 'DEVICE',
    displayName: null,
  };
  const credential = await loginWithPassword(client, homeserver, login);
  assert.ok('accessToken' in credential);
  assert.equal(credential.accessToken.reveal(), NEW_TOKEN);
  assert.equal(String(credential.accessToken), '<redacted>');
  assertClean(credential, 'credential');
});

test('what the queue makes of failures shows no secret', async (t) => {
  const homeserver = await homeserverFor(t, ANSWERS['a rate limit'] ?? json(500, {}));
  const client = clientFor(t);
  const jobs = everything(client, homeserver)
    .slice(1)
    .map((result, index) => ({ name: `job${index}`, attempt: () => result }));
  const results = await runQueue(jobs, {
    maxWaitMs: 0,
    now: Date.now,
    sleep: () => Promise.resolve(),
    random: Math.random,
  });
  assertClean(results, 'queue');
});
