import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { planServices } from '../src/plan.ts';
import type { Action } from '../src/plan/types.ts';
import { locateServices } from '../src/target.ts';
import { formatEnvelope } from '../src/vault/envelope.ts';
import { readDefinitions } from '../src/definitions.ts';
import { withFolder } from './helpers/folder.ts';
import { faultsFrom, loadHosts } from './helpers/inventory.ts';

/** Plans the service `rss` of a host with these variables. */
async function planFor(vars: object, service: object = {}): Promise<Action> {
  const all = {
    matrix_domain: 'example.com',
    matrix_tokens_services: { rss: { password: 'x', ...service } },
    ...vars,
  };
  const actions: Action[] = [];
  const files = { 'inv/hosts.yml': JSON.stringify({ all: { hosts: { example: all } } }) };
  await withFolder(files, async (cwd) => {
    const { services } = await readDefinitions(await loadHosts(cwd), null);
    actions.push(...planServices(await locateServices(services, { cwd, env: {}, decrypt: null })));
  });
  return actions[0] ?? assert.fail();
}

/** A well-formed envelope that nothing opens. */
function sealedEnvelope(): string {
  const [salt, mac, ciphertext] = [Buffer.alloc(32), Buffer.alloc(32), Buffer.alloc(48)];
  return formatEnvelope({ label: null, salt, mac, ciphertext });
}

const token = (value: unknown): Promise<Action> => planFor({ vault_rss_access_token: value });

test('what people and documentation leave in the place of a token is no token', async () => {
  const left = [
    '',
    '  ',
    'TODO',
    'todo',
    'ACCESS_TOKEN_HERE',
    'CLEAN_ACCESS_TOKEN_HERE',
    'GENERATE_TOKEN',
    'secret_here',
    'YOUR_MAS_COMPATIBILITY_TOKEN_HERE',
    'ACCESS_TOKEN_FROM_STEP_2_GOES_HERE',
    'TODO\n',
    ' TOKEN_HERE ',
    null,
  ];
  for (const value of left) assert.equal((await token(value)).kind, 'login', String(value));
});

test('anything else that is a string is a token, whatever it looks like', async () => {
  const kept = ['syt_x', 'todo_list', 'HERE', 'x', 'mct_TODO', 'GENERATE_TOKENS', 'a here b', '_'];
  for (const value of kept) assert.equal((await token(value)).kind, 'present', value);
  await fc.assert(
    fc.asyncProperty(fc.stringMatching(/^[a-z]{3}_[A-Za-z0-9]{4,20}$/), async (value) => {
      assert.equal((await token(value)).kind, 'present');
    }),
    { numRuns: 40 },
  );
});

test('what is no string in the place of a token is an error', async () => {
  for (const value of [5, true, [], {}, 1.5]) {
    const faults = await faultsFrom(() => token(value));
    assert.deepEqual(
      faults.map(({ code }) => code),
      ['E_TOKEN_VALUE'],
      JSON.stringify(value),
    );
  }
});

test('the variable at the end of a chain of references is the one to be written', async () => {
  const action = await planFor({
    vault_rss_access_token: '{{ one }}',
    one: '{{two}}',
    two: ' {{ three }} ',
  });
  assert(action.kind === 'login');
  assert.deepEqual(action.write.accessToken, ['three']);
  assert.equal(action.reason, 'vault_rss_access_token has no value');
});

test('a chain that ends in a placeholder writes the variable of the placeholder', async () => {
  const action = await planFor({ vault_rss_access_token: '{{ one }}', one: 'TODO' });
  assert(action.kind === 'login');
  assert.deepEqual(action.write.accessToken, ['one']);
  assert.match(
    action.reason,
    /^only a placeholder for vault_rss_access_token at inv\/hosts.yml:1:\d+$/,
  );
});

test('a path that leads nowhere yet is written, one that leads through a string is an error', async () => {
  const service = { variables: { access_token: ['bots', '@rss:example.com'] } };
  const action = await planFor({}, service);
  assert(action.kind === 'login');
  assert.deepEqual(action.write.accessToken, ['bots', '@rss:example.com']);
  const present = { bots: { '@rss:example.com': 'syt_x' } };
  assert.equal((await planFor(present, service)).kind, 'present');
  const faults = await faultsFrom(() => planFor({ bots: 'x' }, service));
  assert.deepEqual(
    faults.map(({ code }) => code),
    ['E_TOKEN_VALUE'],
  );
});

test('an inline vault value counts without being opened', async () => {
  const action = await token({ __ansible_vault: sealedEnvelope() });
  assert.equal(action.kind, 'present');
});

test('a damaged envelope in the place of a token is an error, not a token', async () => {
  for (const envelope of [
    '$ANSIBLE_VAULT;1.1;AES256\n3338\n',
    'syt_x',
    sealedEnvelope().slice(0, -3),
  ]) {
    const [fault] = await faultsFrom(() => token({ __ansible_vault: envelope }));
    assert.equal(fault?.code, 'E_VAULT_FORMAT');
    assert.match(`${fault?.at?.file}:${fault?.at?.line}`, /^inv\/hosts.yml:1$/);
  }
});

test('a device ID that is there is kept for the login that is missing', async () => {
  const service = { variables: { access_token: 'a', device_id: 'b' } };
  const action = await planFor({ b: 'RSSBOT' }, service);
  assert(action.kind === 'login');
  assert(action.pinned?.kind === 'scalar');
  assert.equal(action.pinned.value, 'RSSBOT');
  assert.deepEqual(action.write, { accessToken: ['a'], deviceId: ['b'] });
});

test('a token without its device ID is an error that names both', async () => {
  const service = { variables: { access_token: 'a', device_id: 'b' } };
  for (const vars of [{ a: 'syt_x' }, { a: 'syt_x', b: 'TODO' }]) {
    const [fault] = await faultsFrom(() => planFor(vars, service));
    assert.equal(fault?.code, 'E_DEVICE_MISSING');
    assert.equal(fault?.found, 'a has a value, but b has none');
  }
  assert.equal((await planFor({ a: 'syt_x', b: 'D' }, service)).kind, 'present');
});

test('where a map is wanted on the way to a token, no value is an empty map', async () => {
  const variables = { access_token: ['bots', 'rss', 'token'] };
  assert.equal((await planFor({ bots: null }, { variables })).kind, 'login');
  for (const bots of [{}, { rss: null }, { rss: { token: null } }]) {
    // The value is missing, so that only the place of it is wrong.
    const faults = await faultsFrom(() => planFor({ bots }, { variables }));
    assert.deepEqual(
      faults.map(({ code }) => code),
      ['E_HIDES_MAP'],
    );
  }
  const faults = await faultsFrom(() => planFor({ bots: { rss: 'x' } }, { variables }));
  assert.deepEqual(
    faults.map(({ code }) => code),
    ['E_TOKEN_VALUE'],
  );
});
