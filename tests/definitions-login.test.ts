// What a service logs in with: which secrets come into question, and which are not even looked at.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redact } from '../src/secret.ts';
import { definitionsOf, faultsFrom } from './helpers/inventory.ts';

const HOST = { matrix_domain: 'example.com' };
const SHARED = { matrix_tokens_shared_secret_auth: { shared_secret: 'ours' } };
const PLAYBOOK_SECRET = 'matrix_synapse_ext_password_provider_shared_secret_auth_shared_secret';
const PLAYBOOK_ENABLED = 'matrix_synapse_ext_password_provider_shared_secret_auth_enabled';
const PLAYBOOK = { [PLAYBOOK_SECRET]: "the playbook's", [PLAYBOOK_ENABLED]: true };

async function serviceOf(vars: object, service: object | null, name = 'rss') {
  const all = { ...HOST, ...vars, matrix_tokens_services: { [name]: service } };
  const { services, unwanted } = await definitionsOf(all);
  const [definition] = services;
  if (definition === undefined) return { logins: unwanted.map((one) => one.reason), secrets: {} };
  const secrets = [...definition.secrets].map(([login, source]) => {
    const isValue = source.kind === 'value' && source.node.kind === 'scalar';
    return [login, isValue ? source.node.value : source.kind];
  });
  return { logins: definition.logins, secrets: Object.fromEntries(secrets) as object };
}

test('a password alone logs in by password, the shared secret alone by that, both by either', async () => {
  assert.deepEqual(await serviceOf({}, { password: 'x' }), {
    logins: ['password'],
    secrets: { password: 'x' },
  });
  assert.deepEqual(await serviceOf(SHARED, {}), {
    logins: ['shared_secret'],
    secrets: { shared_secret: 'ours' },
  });
  assert.deepEqual(await serviceOf(SHARED, { password: { env: 'X' } }), {
    logins: ['password', 'shared_secret'],
    secrets: { password: 'env', shared_secret: 'ours' },
  });
});

test('login names one way and takes no other secret, in the definition or for all of a host', async () => {
  const vars = { ...SHARED, ...PLAYBOOK };
  const both = { password: 'x' };
  const logins = async (more: object, settings: object = {}) =>
    (await serviceOf({ ...vars, ...settings }, { ...both, ...more })).logins;
  assert.deepEqual(await logins({ login: 'password' }), ['password']);
  assert.deepEqual(await logins({ login: 'shared_secret' }), ['shared_secret']);
  const all = { matrix_tokens_defaults: { login: 'shared_secret' } };
  assert.deepEqual(await logins({}, all), ['shared_secret']);
  assert.deepEqual(await logins({ login: 'auto' }, all), ['password', 'shared_secret']);
});

test("the playbook's secret counts where its module is on, and only for who has nothing else", async () => {
  const found = { logins: ['shared_secret'], secrets: { shared_secret: "the playbook's" } };
  assert.deepEqual(await serviceOf(PLAYBOOK, {}), found);
  assert.deepEqual(await serviceOf({ ...PLAYBOOK, [PLAYBOOK_ENABLED]: 'yes' }, {}), found);
  assert.deepEqual(await serviceOf(PLAYBOOK, { password: 'x', login: 'shared_secret' }), found);
  assert.deepEqual((await serviceOf(PLAYBOOK, { password: 'x' })).logins, ['password']);
  for (const off of [false, 'no', '{{ nowhere }}']) {
    assert.deepEqual((await serviceOf({ ...PLAYBOOK, [PLAYBOOK_ENABLED]: off }, {})).logins, []);
  }
  const ours = await serviceOf({ ...PLAYBOOK, ...SHARED }, {});
  assert.deepEqual(ours.secrets, { shared_secret: 'ours' });
});

test('secrets of a host are for users of its own homeserver alone', async () => {
  const foreign = { user: '@rss:example.org', password: 'x' };
  const vars = { ...SHARED, matrix_tokens_register: { shared_secret: 'reg' } };
  assert.deepEqual((await serviceOf(vars, foreign)).logins, ['password']);
  const own = { ...HOST, ...vars, matrix_tokens_services: { a: foreign, b: { password: 'x' } } };
  const { services } = await definitionsOf(own);
  assert.deepEqual(
    services.map(({ homeserver }) => homeserver.register !== null),
    [false, true],
  );
});

test('a bridge logs in where its own definition says how, not where the defaults of the host do', async () => {
  const bridge = { kind: 'bridge' };
  const all = { ...SHARED, matrix_tokens_defaults: { login: 'shared_secret' } };
  assert.deepEqual((await serviceOf(SHARED, bridge)).logins, ['uses its as_token']);
  assert.deepEqual((await serviceOf(all, bridge)).logins, ['uses its as_token']);
  const own = await serviceOf(SHARED, { ...bridge, login: 'shared_secret' });
  assert.deepEqual(own.logins, ['shared_secret']);
});

test('who is created is a bot; a server administrator only where that is written down', async () => {
  const registerAs = async (service: object | null, name = 'rss') => {
    const vars = { ...HOST, ...SHARED, matrix_tokens_services: { [name]: service } };
    const [only] = (await definitionsOf(vars)).services;
    return [only?.registerAs, only?.needsAdmin];
  };
  assert.deepEqual(await registerAs({}), ['bot', false]);
  assert.deepEqual(await registerAs({ register_as: 'admin' }), ['admin', true]);
  // The catalog knows who has to be one, which makes nobody one.
  const uvs = 'user_verification_service';
  assert.deepEqual(await registerAs(null, uvs), [null, true]);
  assert.deepEqual(await registerAs({ register_as: 'admin' }, uvs), ['admin', true]);
  assert.deepEqual(await registerAs({ register_as: 'bot' }, uvs), ['bot', false]);
});

test('the url of the registration is one that secrets may be sent to', async () => {
  const faultsOf = (url: string) => {
    const register = { shared_secret: 'x', url };
    const service = { rss: { password: 'x' } };
    const vars = { ...HOST, matrix_tokens_register: register, matrix_tokens_services: service };
    return faultsFrom(() => definitionsOf(vars));
  };
  assert.deepEqual(await faultsOf('http://127.0.0.1:8008/'), []);
  assert.deepEqual(await faultsOf('https://matrix.example.com'), []);
  for (const url of ['http://matrix.example.com', 'https://a:b@c.example', 'x', 'https://c?d']) {
    assert.equal((await faultsOf(url))[0]?.code, 'E_USER_ID', url);
  }
});

test('secrets that stand in the open are hidden before anything is said', async () => {
  const vars = {
    ...HOST,
    matrix_tokens_shared_secret_auth: { shared_secret: 'canary-in-the-open-1' },
    matrix_tokens_register: { shared_secret: 'canary-in-the-open-2' },
    [PLAYBOOK_SECRET]: 'canary-in-the-open-3',
    [PLAYBOOK_ENABLED]: true,
    matrix_tokens_services: { rss: {} },
  };
  await definitionsOf(vars);
  await faultsFrom(() =>
    definitionsOf({ ...vars, matrix_tokens_register: 'canary-in-the-open-4' }),
  );
  // The playbook's own is not even looked at beside ours.
  for (const number of [1, 2, 4]) {
    assert.equal(redact(`canary-in-the-open-${number}`), '<redacted>');
  }
});
