import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { classifyFailure } from '../src/matrix/answers.ts';
import { FAILURE_CODES, withoutRetry, type Failure } from '../src/matrix/failure.ts';
import { FAILURE_HINTS } from '../src/matrix/hints.ts';
import type { HttpTransport, TransportReason } from '../src/matrix/http-result.ts';
import { Secret } from '../src/secret.ts';
import {
  capture,
  clientFor,
  html,
  json,
  startReplayServer,
  type Answer,
} from './helpers/replay-server.ts';

/** Lets a real server give each answer in turn, and classifies what the client makes of it. */
async function classifyAll(t: TestContext, answers: readonly Answer[]): Promise<Failure[]> {
  const left = [...answers];
  const server = await startReplayServer(t, () => left.shift() ?? html(500));
  const client = clientFor(t);
  const failures: Failure[] = [];
  for (const _answer of answers) {
    const result = await client.request('POST', `${server.url}/login`, { body: {} });
    failures.push(classifyFailure(result));
  }
  return failures;
}

async function classify(t: TestContext, answer: Answer): Promise<Failure> {
  const [failure] = await classifyAll(t, [answer]);
  assert.ok(failure !== undefined);
  return failure;
}

/** `user`, `homeserver`, or how often and who then: `limit>user`, `3>homeserver`. */
function verdictOf(failure: Failure): string {
  const { retry } = failure;
  assert.equal(failure.scope === 'retry', retry !== undefined);
  if (retry === undefined) return failure.scope;
  return `${retry.kind === 'rate_limit' ? 'limit' : retry.requests}>${retry.otherwise}`;
}

const CAPTURED: [string, string, string, string][] = [
  ['login-wrong-password', 'user', 'failed', 'M_FORBIDDEN'],
  ['login-unknown-user', 'user', 'failed', 'M_FORBIDDEN'],
  ['login-deactivated', 'user', 'failed', 'M_FORBIDDEN'],
  ['login-locked', 'user', 'failed', 'M_USER_LOCKED'],
  ['login-other-server', 'user', 'failed', 'M_FORBIDDEN'],
  ['login-device-long', 'user', 'failed', 'M_INVALID_PARAM'],
  ['login-device-number', '3>user', 'failed', 'M_UNKNOWN'],
  ['login-type-unknown', 'user', 'failed', 'M_UNKNOWN'],
  ['login-no-password-server', 'user', 'failed', 'M_UNKNOWN'],
  ['login-mas', 'homeserver', 'failed', 'M_UNRECOGNIZED'],
  ['ratelimit-6th', 'limit>user', 'deferred', 'M_LIMIT_EXCEEDED'],
  ['ratelimit-failed-attempts', 'limit>user', 'deferred', 'M_LIMIT_EXCEEDED'],
  ['dendrite-login-wrong-password', 'user', 'failed', 'M_FORBIDDEN'],
  ['dendrite-login-other-server', 'user', 'failed', 'M_INVALID_USERNAME'],
  ['dendrite-login-password-missing', 'user', 'failed', 'M_BAD_JSON'],
  ['dendrite-login-type-unknown', 'user', 'failed', 'M_INVALID_PARAM'],
  ['mas-login-wrong-password', 'user', 'failed', 'M_FORBIDDEN'],
  ['mas-login-password-missing', 'user', 'failed', 'M_BAD_JSON'],
  ['mas-login-type-unknown', 'user', 'failed', 'M_UNKNOWN'],
  ['mas-unknown-endpoint', 'homeserver', 'failed', 'M_UNRECOGNIZED'],
  ['whoami-mas-down', '3>homeserver', 'unreachable', 'SERVER_ERROR'],
  ['unknown-path', 'homeserver', 'unreachable', 'NOT_MATRIX'],
  ['root', 'homeserver', 'unreachable', 'REDIRECT'],
];

test('every captured refusal of Synapse, Dendrite and MAS has its class', async (t) => {
  const failures = await classifyAll(
    t,
    CAPTURED.map(([name]) => capture(name)),
  );
  const found = failures.map((failure, index) => [
    CAPTURED[index]?.[0],
    verdictOf(failure),
    failure.outcome,
    failure.code,
  ]);
  assert.deepEqual(found, CAPTURED);
});

function refusal(status: number, errcode: unknown, more: object = {}): Answer {
  return json(status, { errcode, error: 'No', ...more });
}

const TABLE: [string, Answer, string, string, string][] = [
  ['429 of a proxy', html(429), 'limit>user', 'deferred', 'M_LIMIT_EXCEEDED'],
  [
    'a rate limit with 400',
    refusal(400, 'M_LIMIT_EXCEEDED'),
    'limit>user',
    'deferred',
    'M_LIMIT_EXCEEDED',
  ],
  [
    'a rate limit with 503',
    refusal(503, 'M_LIMIT_EXCEEDED'),
    'limit>user',
    'deferred',
    'M_LIMIT_EXCEEDED',
  ],
  [
    '429 with another errcode',
    refusal(429, 'M_UNKNOWN'),
    'limit>user',
    'deferred',
    'M_LIMIT_EXCEEDED',
  ],
  [
    '403 with a rate limit',
    refusal(403, 'M_LIMIT_EXCEEDED'),
    '2>user',
    'failed',
    'M_LIMIT_EXCEEDED',
  ],
  ['deactivated', refusal(403, 'M_USER_DEACTIVATED'), 'user', 'failed', 'M_USER_DEACTIVATED'],
  [
    'locked, unstable',
    refusal(401, 'ORG_MATRIX_MSC3939_USER_LOCKED'),
    'user',
    'failed',
    'M_USER_LOCKED',
  ],
  ['suspended', refusal(403, 'M_USER_SUSPENDED'), 'user', 'failed', 'M_USER_SUSPENDED'],
  [
    'suspended, unstable',
    refusal(403, 'ORG.MATRIX.MSC3823.USER_SUSPENDED'),
    'user',
    'failed',
    'M_USER_SUSPENDED',
  ],
  [
    'too many devices',
    refusal(403, 'M_USER_LIMIT_EXCEEDED'),
    'user',
    'failed',
    'M_USER_LIMIT_EXCEEDED',
  ],
  [
    'expired',
    refusal(403, 'ORG_MATRIX_EXPIRED_ACCOUNT'),
    'user',
    'failed',
    'ORG_MATRIX_EXPIRED_ACCOUNT',
  ],
  [
    'server off',
    refusal(403, 'M_RESOURCE_LIMIT_EXCEEDED', { limit_type: 'hs_disabled' }),
    'homeserver',
    'failed',
    'M_RESOURCE_LIMIT_EXCEEDED',
  ],
  [
    'active users',
    refusal(403, 'M_RESOURCE_LIMIT_EXCEEDED', { limit_type: 'monthly_active_user' }),
    'user',
    'failed',
    'M_RESOURCE_LIMIT_EXCEEDED',
  ],
  ['exclusive', refusal(400, 'M_EXCLUSIVE'), 'user', 'failed', 'M_EXCLUSIVE'],
  ['no such user', refusal(404, 'M_NOT_FOUND'), 'user', 'failed', 'M_NOT_FOUND'],
  ['no such user, Synapse', refusal(404, 'M_UNKNOWN'), 'user', 'failed', 'M_UNKNOWN'],
  ['not this API', refusal(405, 'M_UNRECOGNIZED'), 'homeserver', 'failed', 'M_UNRECOGNIZED'],
  [
    'not this API, old Synapse',
    refusal(400, 'M_UNRECOGNIZED'),
    'homeserver',
    'failed',
    'M_UNRECOGNIZED',
  ],
  ['408', html(408), '3>homeserver', 'unreachable', 'SERVER_ERROR'],
  ['425', html(425), '3>homeserver', 'unreachable', 'SERVER_ERROR'],
  ['413 of a proxy', html(413), 'user', 'failed', 'M_TOO_LARGE'],
  ['401 of a proxy', html(401), 'homeserver', 'unreachable', 'NOT_MATRIX'],
  ['403 of a firewall', html(403), 'homeserver', 'unreachable', 'NOT_MATRIX'],
  ['404 of a proxy', html(404), 'homeserver', 'unreachable', 'NOT_MATRIX'],
  ['407 of a proxy', html(407), 'homeserver', 'unreachable', 'NOT_MATRIX'],
  ['500 of a proxy', html(500), '3>homeserver', 'unreachable', 'SERVER_ERROR'],
  ['502 of a proxy', html(502), '3>homeserver', 'unreachable', 'SERVER_ERROR'],
  ['503 with JSON', refusal(503, 'M_FORBIDDEN'), '3>homeserver', 'unreachable', 'SERVER_ERROR'],
  ['524 of a proxy', html(524), '3>homeserver', 'unreachable', 'SERVER_ERROR'],
  ['500 with JSON', refusal(500, 'M_UNKNOWN'), '3>user', 'failed', 'M_UNKNOWN'],
  ['500 that refuses a user', refusal(500, 'M_FORBIDDEN'), 'user', 'failed', 'M_FORBIDDEN'],
  ['an errcode of its own', refusal(403, 'COM.EXAMPLE_FOO'), 'user', 'failed', 'COM.EXAMPLE_FOO'],
  [
    'an errcode of its own, 5xx',
    refusal(501, 'COM.EXAMPLE_FOO'),
    '3>user',
    'failed',
    'COM.EXAMPLE_FOO',
  ],
  ['an errcode that is none', refusal(403, 'you shall not pass'), 'user', 'failed', 'BAD_ERRCODE'],
  ['an errcode that is no string', refusal(403, 17), 'homeserver', 'unreachable', 'NOT_MATRIX'],
  [
    'JSON that is a list',
    json(403, [{ errcode: 'M_FORBIDDEN' }]),
    'homeserver',
    'unreachable',
    'NOT_MATRIX',
  ],
  [
    'JSON without errcode',
    json(404, { detail: 'not found' }),
    'homeserver',
    'unreachable',
    'NOT_MATRIX',
  ],
  ['200 with HTML', html(200), 'homeserver', 'unreachable', 'NOT_MATRIX'],
  ['a status that does not exist', html(799), 'homeserver', 'unreachable', 'NOT_MATRIX'],
  ['303', { status: 303 }, 'homeserver', 'unreachable', 'REDIRECT'],
];

test('every row of the table of answers has its class', async (t) => {
  const failures = await classifyAll(
    t,
    TABLE.map(([, answer]) => answer),
  );
  for (const [index, [name, , verdict, outcome, code]] of TABLE.entries()) {
    const failure = failures[index];
    assert.ok(failure !== undefined);
    assert.deepEqual(
      [verdictOf(failure), failure.outcome, failure.code],
      [verdict, outcome, code],
      name,
    );
  }
});

test('only a refusal by 4xx proves that nothing was done', async (t) => {
  const statuses = [400, 401, 403, 404, 413, 429, 499, 200, 204, 302, 408, 425, 500, 502, 504, 524];
  const failures = await classifyAll(
    t,
    statuses.map((status) => html(status)),
  );
  const proved = statuses.filter((_status, index) => failures[index]?.maybeExecuted === false);
  assert.deepEqual(proved, [400, 401, 403, 404, 413, 429, 499]);
});

test('what two users in a row are refused for may be the fault of the homeserver', async (t) => {
  const onRepeat = async (status: number, errcode: string): Promise<unknown> =>
    (await classify(t, refusal(status, errcode))).onRepeat;
  for (const errcode of ['M_UNKNOWN', 'M_MISSING_PARAM', 'M_BAD_JSON', 'M_NOT_JSON']) {
    assert.equal(await onRepeat(400, errcode), 'homeserver', errcode);
  }
  assert.equal(await onRepeat(401, 'M_BAD_JSON'), undefined, 'an empty password on Dendrite');
  assert.equal(await onRepeat(404, 'M_UNKNOWN'), undefined);
  assert.equal(await onRepeat(403, 'M_FORBIDDEN'), undefined);
});

test('how long a rate limit wants to be waited for comes along', async (t) => {
  const failures = await classifyAll(t, [
    capture('ratelimit-6th'),
    capture('ratelimit-failed-attempts'),
    refusal(429, 'M_LIMIT_EXCEEDED', { retry_after_ms: 1500 }),
    refusal(429, 'M_LIMIT_EXCEEDED'),
  ]);
  assert.deepEqual(
    failures.map((failure) => failure.retryAfterMs),
    [333_000, 6000, 1500, null],
  );
});

const TRANSPORT: [TransportReason, string, string, string][] = [
  ['bad_token', 'user', 'failed', 'TOKEN_UNUSABLE'],
  ['bad_url', 'homeserver', 'failed', 'BAD_URL'],
  ['cancelled', 'user', 'failed', 'INTERRUPTED'],
  ['dns', 'homeserver', 'unreachable', 'DNS'],
  ['dns_for_now', '3>homeserver', 'unreachable', 'DNS'],
  ['network', '3>homeserver', 'unreachable', 'NETWORK'],
  ['protocol', 'homeserver', 'unreachable', 'PROTOCOL'],
  ['proxy', 'homeserver', 'unreachable', 'PROXY'],
  ['refused', '3>homeserver', 'unreachable', 'REFUSED'],
  ['reset', '3>homeserver', 'unreachable', 'RESET'],
  ['timeout', '3>homeserver', 'unreachable', 'TIMEOUT'],
  ['tls', 'homeserver', 'unreachable', 'TLS'],
  ['too_large', 'homeserver', 'unreachable', 'TOO_LARGE'],
];

test('every way that a connection fails has its class, and keeps what is proved', () => {
  for (const [reason, verdict, outcome, code] of TRANSPORT) {
    for (const maybeExecuted of [true, false]) {
      const request = 'POST https://example.org/login';
      const result: HttpTransport = {
        kind: 'transport',
        request,
        reason,
        maybeExecuted,
        detail: 'ECODE',
      };
      const failure = classifyFailure(result);
      assert.deepEqual(
        [verdictOf(failure), failure.outcome, failure.code],
        [verdict, outcome, code],
      );
      assert.equal(failure.maybeExecuted, maybeExecuted);
      assert.match(failure.message, /POST https:\/\/example\.org\/login \(ECODE\)$/);
    }
  }
});

test('a failure without a further retry has failed whom its rule names', async (t) => {
  const [gateway, bug, limit] = await classifyAll(t, [
    html(502),
    refusal(500, 'M_UNKNOWN'),
    capture('ratelimit-6th'),
  ]);
  assert.ok(gateway !== undefined && bug !== undefined && limit !== undefined);
  const scopes = [gateway, bug, limit].map((failure) => withoutRetry(failure).scope);
  assert.deepEqual(scopes, ['homeserver', 'user', 'user']);
});

test('a message names the meaning, the request, the status, the errcode and the text', async (t) => {
  const { message, hint } = await classify(t, capture('login-wrong-password'));
  const wanted =
    /^the homeserver refused the user ID or the password: POST http:\S+\/login answered 403 M_FORBIDDEN "Invalid username or password"$/;
  assert.match(message, wanted);
  assert.match(hint ?? '', /check the user ID and the password/);
});

test('a message names the media type of what is no Matrix answer, and where a redirect leads', async (t) => {
  const [page, redirect] = await classifyAll(t, [
    html(404),
    { status: 301, headers: [['location', 'https://other.test/login?token=canary-in-query']] },
  ]);
  assert.match(page?.message ?? '', /answered 404 text\/html$/);
  assert.match(redirect?.message ?? '', /answered 301 to https:\/\/other\.test\/login$/);
});

test("a server's text is cut, put on one line and cleared of control characters and secrets", async (t) => {
  const secret = new Secret('s3cret-canary');
  const error = `\u001b[2J\u202eline\none\t ${secret.reveal()} s3cret\u0000-canary syt_Ym90_abcdefgh ${'x'.repeat(500)}`;
  const { message } = await classify(t, refusal(403, 'M_FORBIDDEN', { error }));
  const text = /"(.*)"$/.exec(message)?.[1] ?? '';
  assert.equal(text.length, 200);
  assert.match(text, /^\[2Jline one <redacted> <redacted> <redacted> x+…$/);
});

test('a secret with spaces in it is hidden, too', async (t) => {
  const secret = new Secret('two  spaces\tand a tab');
  const { message } = await classify(t, refusal(403, 'M_FORBIDDEN', { error: secret.reveal() }));
  assert.match(message, /"<redacted>"$/);
});

test('an errcode that is a secret is not shown', async (t) => {
  const secret = new Secret('M_SECRET_PASSWORD');
  const { code, message } = await classify(t, refusal(403, secret.reveal()));
  assert.equal(code, 'BAD_ERRCODE');
  assert.doesNotMatch(message, /SECRET_PASSWORD/);
});

test('every code that the tables give has a meaning in one line, and every hint is for a code', async (t) => {
  const answered = await classifyAll(t, [
    ...TABLE.map(([, answer]) => answer),
    ...CAPTURED.map(([name]) => capture(name)),
  ]);
  const codes = [
    ...answered.map((failure) => failure.code),
    ...TRANSPORT.map(([, , , code]) => code),
  ];
  for (const code of codes.filter((code) => code !== 'COM.EXAMPLE_FOO')) {
    assert.ok(code in FAILURE_CODES, code);
  }
  for (const code of Object.keys(FAILURE_HINTS)) assert.ok(code in FAILURE_CODES, code);
  for (const meaning of Object.values(FAILURE_CODES))
    assert.match(meaning, /^[^\n]{10,100}[^.\n]$/);
});
