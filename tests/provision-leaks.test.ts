// Canaries: passwords, tokens and the vault password turn up nowhere, whatever a homeserver does with
// what it knows.
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { findLeaks } from './helpers/provision-leaks.ts';
import { putProxyBefore } from './helpers/provision-proxy.ts';
import type { Passing, Rewrites } from './helpers/provision-proxy.ts';
import { HOST, servicesFor } from './helpers/provision-services.ts';
import type { Services } from './helpers/provision-services.ts';

const USER_PASSWORD = 'cänary "of/the" user+password & \\ 100%';
const VAULT_PASSWORD = "cänary 'of' the/vault+password=";

/** Tokens that no homeserver gives. */
const CANARY_TOKENS = ['syt_{{cänary}}_of_a_token', 'canary token "2"'];

const PLAIN_PASSWORD = 'canary-of-a-password';
const OPTIONS = { names: ['news'], password: USER_PASSWORD, vaultPassword: VAULT_PASSWORD };

/** What a hostile homeserver, or proxy, knows of a request: all that came, and what it answers. */
function secretsOf({ requestBody, body }: Passing): string[] {
  return [requestBody, body, tokenIn(body), USER_PASSWORD];
}

function tokenIn(body: string): string {
  return /"access_token": ?"([^"]+)"/.exec(body)?.[1] ?? '';
}

/** An answer that repeats everything, in the reason phrase, in headers and in the body. */
function echo(passing: Passing, status: number, errcode = 'M_FORBIDDEN'): Partial<Passing> {
  const [requestBody = '', body = '', token = ''] = secretsOf(passing);
  const plain = encodeURIComponent(`${requestBody} ${token}`);
  return {
    status,
    statusMessage: `${token} ${plain}`,
    headers: {
      'content-type': 'application/json',
      'x-echo': plain,
      'www-authenticate': `Bearer ${token}`,
      location: `/elsewhere?password=${plain}&token=${token}`,
      'retry-after': token,
    },
    body: JSON.stringify({
      errcode,
      error: `${USER_PASSWORD} ${token} ${requestBody} ${body}`,
      password: USER_PASSWORD,
      retry_after_ms: 1,
    }),
  };
}

const LOGIN = /^POST .*\/login$/;

function onLogin(answer: (passing: Passing) => Partial<Passing>): Rewrites {
  return { answer: (passing) => (LOGIN.test(passing.request) ? answer(passing) : {}) };
}

function changed(passing: Passing, change: object): Partial<Passing> {
  return { body: JSON.stringify({ ...(JSON.parse(passing.body) as object), ...change }) };
}

const ANSWERS: Readonly<Record<string, Rewrites>> = {
  'all well': {},
  'a refusal': onLogin((passing) => echo(passing, 403)),
  'a refusal with a secret as its errcode': onLogin((passing) =>
    echo(passing, 403, `M_${USER_PASSWORD}`),
  ),
  'an unknown 4xx': onLogin((passing) => echo(passing, 418)),
  'a locked user': onLogin((passing) => echo(passing, 401, 'M_USER_LOCKED')),
  'a redirect': onLogin((passing) => echo(passing, 302)),
  'a server error': onLogin((passing) => echo(passing, 500)),
  'a broken proxy in HTML': onLogin((passing) => ({
    ...echo(passing, 502),
    body: `<html><title>${secretsOf(passing).join('</title>')}</html>`,
  })),
  'JSON that is cut off': onLogin(({ body }) => ({ body: body.slice(0, -2) })),
  'a content type with a secret': onLogin(({ body }) => ({
    status: 400,
    headers: { 'content-type': `text/${tokenIn(body)}` },
    body: '',
  })),
  'the password as user ID': onLogin((one) => changed(one, { user_id: USER_PASSWORD })),
  'the password as device ID': onLogin((one) => changed(one, { device_id: USER_PASSWORD })),
  'an unusable token': onLogin((one) => changed(one, { access_token: CANARY_TOKENS[0] })),
  'a token of another form': onLogin((one) => changed(one, { access_token: CANARY_TOKENS[1] })),
};

/** Those that are told as JSON, too. */
const AS_JSON = ['a refusal', 'a redirect', 'the password as user ID'];

const RUNS = Object.entries(ANSWERS).flatMap(([name, rewrites]) => {
  const json = AS_JSON.includes(name) ? [{ name, rewrites, args: ['-v', '--json'] }] : [];
  return [{ name, rewrites, args: ['-v', '-D'] }, ...json];
});

for (const { name, rewrites, args } of RUNS) {
  test(`${name}, ${args.join(' ')}: no secret turns up`, async (t) => {
    const services = await servicesFor(t, OPTIONS);
    await putProxyBefore(t, services.project, services.homeserver, rewrites);
    await assertNoLeaks(t, services, args);
  });
}

test('a device ID that is a secret is not written to the journal', async (t) => {
  for (const secret of ['token', PLAIN_PASSWORD]) {
    const services = await servicesFor(t, { ...OPTIONS, password: PLAIN_PASSWORD });
    const answer = onLogin((one) => {
      const token = tokenIn(one.body);
      return changed(one, { device_id: secret === 'token' ? token : secret });
    });
    await putProxyBefore(t, services.project, services.homeserver, answer);
    services.homeserver.faults.push({ path: /\/logout$/, cut: 'before' });
    await assertNoLeaks(t, services, ['-v']);
    assert.ok([...services.project.tree().keys()].some((path) => path.includes('.session.json')));
  }
});

test('a child sees no password that the environment holds', async (t) => {
  const services = await servicesFor(t, OPTIONS);
  const vars = `host_vars/${HOST}/vars.yml`;
  const text = await services.project.read(vars);
  const named = text.replace('"{{ vault_news_password }}"', '{env: NEWS_PASSWORD}');
  assert.notEqual(named, text);
  await services.project.write(vars, named);
  await assertNoLeaks(t, services, [], { NEWS_PASSWORD: USER_PASSWORD });
});

test('the search finds a secret in each of its shapes', () => {
  const secret = 'cänary "1+2/3&4=5"';
  const bytes = Buffer.from(`?${secret}`);
  const shown = {
    plain: secret,
    json: JSON.stringify({ secret }),
    url: `https://a.example/?p=${encodeURIComponent(secret)}`,
    form: new URLSearchParams({ secret }).toString(),
    base64: bytes.toString('base64'),
    base64url: bytes.toString('base64url'),
    hex: bytes.toString('hex').toUpperCase(),
    nothing: 'canary',
  };
  const found = findLeaks({ secret }, shown).map((leak) => / in (\w+) as /.exec(leak)?.[1]);
  assert.deepEqual(new Set(found), new Set(Object.keys(shown).slice(0, -1)));
});

/** Runs with a program for the vault password, which notes down what a child of ours can see. */
async function assertNoLeaks(
  t: TestContext,
  { project, homeserver }: Services,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const outside = await mkdtemp(join(tmpdir(), 'matrix-tokens-outside-'));
  t.after(() => rm(outside, { recursive: true }));
  await writeFile(join(outside, 'password'), VAULT_PASSWORD);
  const script = join(project.folder, 'vault_pass');
  await writeFile(script, vaultScript(outside));
  await chmod(script, 0o755);
  const run = await project.run(args, {
    env: { ...env, TMPDIR: project.folder },
    preload: { speed: 20 },
  });
  assert.match(String(run.exitCode), /^[014]$/, run.stderr);
  const { sessions, ended } = homeserver.state;
  const tokens = [...sessions.keys(), ...ended.keys(), ...CANARY_TOKENS].entries();
  const secrets = {
    'the password': USER_PASSWORD,
    'the plain password': PLAIN_PASSWORD,
    'the vault password': VAULT_PASSWORD,
    ...Object.fromEntries([...tokens].map(([index, token]) => [`token ${index}`, token])),
  };
  const places = {
    stdout: run.stdout,
    stderr: run.stderr,
    'what a child sees': await readFile(join(outside, 'seen')),
    ...Object.fromEntries([...project.tree()].map(([path, text]) => [path, text ?? path])),
  };
  assert.deepEqual(findLeaks(secrets, places), []);
}

function vaultScript(outside: string): string {
  return `#!/bin/sh
cat /proc/$$/cmdline /proc/$$/environ /proc/$PPID/cmdline > '${join(outside, 'seen')}'
cat '${join(outside, 'password')}'
`;
}
