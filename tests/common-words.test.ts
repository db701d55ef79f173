// Passwords that are words of the protocol, or of this program: bad ones, but they work.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { startHomeserver } from '../scripts/homeserver/homeserver.ts';
import type { HomeserverOptions } from '../scripts/homeserver/homeserver.ts';
import { cleanErrcode, cleanLoginType, cleanProductName } from '../src/matrix/server-text.ts';
import { Secret } from '../src/secret.ts';
import { makeProject, outcomesOf, reportOf } from './helpers/provision-project.ts';
import type { Project } from './helpers/provision-project.ts';

const WORDS = [
  'password',
  'login',
  'secret',
  'M_FORBIDDEN',
  '4200',
  'matrix',
  'm.login.password',
  'Synapse',
  'changed',
  'redacted',
];

interface Stage extends HomeserverOptions {
  /** In place of the password of the bot. */
  readonly tried?: string;
  readonly settings?: object;
}

/** One bot whose password is the word, in a vault whose password is the word, too. */
async function stage(t: TestContext, word: string, options: Stage = {}) {
  const { tried = word, settings = {}, ...rest } = options;
  const users = [{ localpart: 'news', password: word }];
  const homeserver = await startHomeserver({ users, ...rest });
  t.after(() => homeserver.stop());
  const project = await makeProject(t, word);
  const vars = {
    matrix_tokens_server_name: homeserver.serverName,
    matrix_tokens_homeserver_url: homeserver.baseUrl,
    matrix_tokens_services: { news: { user: 'news', password: tried } },
    ...settings,
  };
  await project.write('inventory.yml', JSON.stringify({ all: { hosts: { example: vars } } }));
  return { homeserver, project };
}

async function outcomeOf(project: Project) {
  const run = await project.run(['--json']);
  const [service] = reportOf(run).services;
  return { exitCode: run.exitCode, outcome: service?.outcome, code: service?.code };
}

for (const word of WORDS) {
  test(`a bot and a vault with the password ${word} get their token, once`, async (t) => {
    const { homeserver, project } = await stage(t, word);
    const first = await project.run(['-v']);
    assert.equal(first.exitCode, 0, first.stdout + first.stderr);
    assert.deepEqual(outcomesOf(await project.run(['--json'])), { news: 'ok' });
    assert.equal(homeserver.state.sessions.size, 1);
  });

  test(`a refusal is told as one where a password is ${word}`, async (t) => {
    const { project } = await stage(t, word, { users: [{ localpart: 'news', password: 'other' }] });
    const found = await outcomeOf(project);
    assert.deepEqual(found, { exitCode: 1, outcome: 'failed', code: 'M_FORBIDDEN' });
  });
}

test('a shared secret is used as before, whatever the password of the vault is', async (t) => {
  for (const word of ['secret', 'shared', 'password', 'com.devture.shared_secret_auth']) {
    const { project } = await stage(t, word, {
      sharedSecretAuth: { secret: 'a shared key of some length' },
      settings: {
        matrix_tokens_shared_secret_auth: { shared_secret: 'a shared key of some length' },
        matrix_tokens_services: { news: { user: 'news' } },
      },
    });
    const found = await outcomeOf(project);
    assert.deepEqual(found, { exitCode: 0, outcome: 'changed', code: null }, word);
  }
});

test('a rate limit is waited for, or deferred, as its header says, even if a password is that number', async (t) => {
  const answer = {
    status: 429,
    headers: { 'retry-after': '4200' },
    body: JSON.stringify({ errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many Requests' }),
  };
  const faults = [{ method: 'POST', path: /\/login$/, answer }];
  const waits: string[] = [];
  for (const word of ['4200', 'M_LIMIT_EXCEEDED', 'a password like no other']) {
    const { project } = await stage(t, word, { faults });
    const run = await project.run(['--json', '--max-wait', '60']);
    const [service] = reportOf(run).services;
    assert.deepEqual([run.exitCode, service?.outcome], [3, 'deferred'], word);
    assert.equal(service?.code, 'M_LIMIT_EXCEEDED');
    waits.push(service?.hint ?? '');
  }
  assert.equal(new Set(waits.map((hint) => hint.replaceAll('<redacted>', '4200'))).size, 1);
});

test('words that decide something are read, and others are not shown if a secret stands in them', () => {
  for (const word of ['password', 'M_FORBIDDEN', 'Dendrite', 'custom']) new Secret(word).reveal();
  assert.equal(cleanLoginType('m.login.password'), 'm.login.password');
  assert.equal(cleanLoginType('org.example.custom'), null);
  assert.equal(cleanErrcode('M_FORBIDDEN'), 'M_FORBIDDEN');
  assert.equal(cleanErrcode('M_FORBIDDEN_BY_X'), null);
  assert.equal(cleanProductName('Dendrite/0.13'), 'Dendrite');
  assert.equal(cleanProductName('Dendrite_of_mine/0.13'), null);
});
