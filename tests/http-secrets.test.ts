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
import { findLeaks } from './helpers/provision-leaks.ts';
import {
  clientFor,
  json,
  startReplayServer,
  type Answer,
  type RawAnswer,
} from './helpers/replay-server.ts';
import { FORM_NAMES, forHeader, inForm } from './helpers/secret-forms.ts';
import type { FormName } from './helpers/secret-forms.ts';

const PASSWORD = 'päss "canary\\🗝 one';
const TOKEN = 'canary-token.two+three';
/** Sent by the server alone: nobody knows them beforehand. */
const NEW_TOKEN = 'fresh-canary.token-four';
const REFRESH_TOKEN = 'fresh-canary.refresh-five';

const SECRETS = { PASSWORD, TOKEN, NEW_TOKEN, REFRESH_TOKEN };

/** What is handed back: both secrets in every form, or in one. */
interface Echo {
  readonly text: string;
  /** What fits into a header or a reason phrase. */
  readonly header: string;
}

function echoIn(forms: readonly FormName[]): Echo {
  const text = [PASSWORD, TOKEN].flatMap((one) => forms.map((form) => inForm(form, one))).join(' ');
  return { text, header: forHeader(text).slice(0, 3000) };
}

function raw({ header }: Echo, status: number, body: string): RawAnswer {
  const headers = [
    `location: https://example.org/${header.replaceAll(' ', '/')}?x=${TOKEN}`,
    `retry-after: ${header}`,
    `content-type: text/${header.replaceAll(/[^\w+.-]/g, '')}`,
    `x-echo: ${header}`,
    `set-cookie: session=${encodeURIComponent(header)}`,
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  const head = `HTTP/1.1 ${status} ${header}\r\n${headers.join('\r\n')}\r\n\r\n`;
  return { raw: `${head}${Buffer.from(body).toString('latin1')}`, afterwards: 'wait' };
}

function refusal({ text }: Echo): string {
  return JSON.stringify({
    errcode: 'M_FORBIDDEN',
    error: text,
    [TOKEN]: text,
    more: { deep: { deeper: { deepest: [text] } } },
  });
}

const SESSION = { access_token: NEW_TOKEN, refresh_token: REFRESH_TOKEN, expires_in_ms: 1 };

function answersWith(echo: Echo): Readonly<Record<string, Answer | RawAnswer>> {
  return {
    'a refusal': raw(echo, 403, refusal(echo)),
    'a refusal with an errcode that is a secret': json(403, { errcode: TOKEN, error: PASSWORD }),
    'a list of secrets': raw(echo, 401, JSON.stringify([echo.text])),
    'a page': raw(echo, 404, `<h1>${echo.text}</h1>`),
    'a redirect': raw(echo, 302, echo.text),
    'a rate limit': raw(echo, 429, refusal(echo)),
    'a bug': raw(echo, 500, refusal(echo)),
    'a gateway': raw(echo, 502, echo.text),
    'broken JSON': raw(echo, 200, `{"access_token":${TOKEN}`),
    'JSON that does not belong here': raw(echo, 200, refusal(echo)),
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
    'devices with secrets': json(200, { devices: [{ id: echo.text }] }),
    'versions that are secrets': json(200, {
      versions: [echo.text],
      flows: [{ type: echo.text }, { type: TOKEN }],
    }),
    'nonsense instead of HTTP': { raw: `${echo.text}\r\n\r\n`, afterwards: 'wait' },
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
}

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
    inspect(value, { showHidden: true, getters: true, depth: Infinity, maxStringLength: Infinity }),
    value instanceof Error ? (value.stack ?? '') : JSON.stringify(value),
  ];
  for (const text of texts) {
    assert.deepEqual(findLeaks(SECRETS, { text }), [], name);
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
  for (const [name, answer] of Object.entries(answersWith(echoIn(FORM_NAMES)))) {
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

test('no form in which a secret is handed back, alone in its answer, is told', async (t) => {
  for (const form of FORM_NAMES) {
    for (const [name, answer] of Object.entries(answersWith(echoIn([form])))) {
      const homeserver = await homeserverFor(t, answer);
      const [userId, password, token] = ['@bot:hs.test', new Secret(PASSWORD), new Secret(TOKEN)];
      const login = { userId, password, deviceId: 'DEVICE', displayName: null };
      const client = clientFor(t);
      const results = [
        await loginWithPassword(client, homeserver, login),
        await logout(client, homeserver, token),
      ];
      for (const result of results) assertClean(result, `${name}, ${form}`);
      await client.close();
    }
  }
});

test('a raw result shows no secret either when it is printed', async (t) => {
  for (const [name, answer] of Object.entries(answersWith(echoIn(FORM_NAMES)))) {
    const homeserver = await homeserverFor(t, answer);
    const token = new Secret(TOKEN);
    const body = { password: new Secret(PASSWORD).reveal() };
    const result = await clientFor(t).request('POST', homeserver.baseUrl, { body, token });
    const options = { showHidden: true, getters: true, depth: Infinity };
    const printed = `${inspect(result, options)} ${JSON.stringify(result)}`;
    assert.deepEqual(findLeaks(SECRETS, { printed }), [], name);
  }
});

test('a token that is fresh from the server is hidden wherever it is printed', async (t) => {
  const homeserver = await homeserverFor(
    t,
    answersWith(echoIn(['plain']))['a good session'] ?? json(500, {}),
  );
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
  const homeserver = await homeserverFor(
    t,
    answersWith(echoIn(FORM_NAMES))['a rate limit'] ?? json(500, {}),
  );
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
