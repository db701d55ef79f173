// Canaries: passwords, tokens and the vault password turn up nowhere. What a homeserver can do with
// what it knows is a table: conformance-secrecy.test.ts.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { findLeaks } from './helpers/provision-leaks.ts';
import { putProxyBefore } from './helpers/provision-proxy.ts';
import type { Passing, Rewrites } from './helpers/provision-proxy.ts';
import { useVaultScript } from './helpers/provision-vault-script.ts';
import { HOST, servicesFor } from './helpers/provision-services.ts';
import type { Services } from './helpers/provision-services.ts';

const USER_PASSWORD = 'cänary "of/the" user+password & \\ 100%';
const VAULT_PASSWORD = "cänary 'of' the/vault+password=";

/** Tokens that no homeserver gives. */
const CANARY_TOKENS = ['syt_{{cänary}}_of_a_token', 'canary token "2"'];

const PLAIN_PASSWORD = 'canary-of-a-password';
const OPTIONS = { names: ['news'], password: USER_PASSWORD, vaultPassword: VAULT_PASSWORD };

function tokenIn(body: string): string {
  return /"access_token": ?"([^"]+)"/.exec(body)?.[1] ?? '';
}

const LOGIN = /^POST .*\/login$/;

function onLogin(answer: (passing: Passing) => Partial<Passing>): Rewrites {
  return { answer: (passing) => (LOGIN.test(passing.request) ? answer(passing) : {}) };
}

function changed(passing: Passing, change: object): Partial<Passing> {
  return { body: JSON.stringify({ ...(JSON.parse(passing.body) as object), ...change }) };
}

test('all is well, told with a diff and as JSON: no secret turns up', async (t) => {
  for (const args of [
    ['-v', '-D'],
    ['-v', '--json'],
  ]) {
    await assertNoLeaks(t, await servicesFor(t, OPTIONS), args);
  }
});

test('a token of another form than any server gives is not told of', async (t) => {
  for (const token of CANARY_TOKENS) {
    const services = await servicesFor(t, OPTIONS);
    const answer = onLogin((one) => changed(one, { access_token: token }));
    await putProxyBefore(t, services.project, services.homeserver, answer);
    await assertNoLeaks(t, services, ['-v', '-D']);
  }
});

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

/** Runs with a program for the vault password, which notes down what a child of ours can see. */
async function assertNoLeaks(
  t: TestContext,
  { project, homeserver }: Services,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const outside = await mkdtemp(join(tmpdir(), 'matrix-tokens-outside-'));
  t.after(() => rm(outside, { recursive: true }));
  await useVaultScript(project, outside, VAULT_PASSWORD);
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
