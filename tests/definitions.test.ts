import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { serviceSchema, varsSchema } from '../src/definitions/schema.ts';
import { didYouMean, suggest } from '../src/definitions/suggest.ts';
import { toPlain } from '../src/definitions/values.ts';
import { parseYaml } from '../src/yaml/parse.ts';
import { definitionsOf, faultsFrom } from './helpers/inventory.ts';

const KEYS = Object.keys(serviceSchema.properties);

/** The one service of a host, with these keys. */
async function serviceOf(service: object, settings: object = { matrix_domain: 'example.com' }) {
  const vars = { ...settings, matrix_tokens_services: { rss: { password: 'x', ...service } } };
  const [only] = (await definitionsOf(vars)).services;
  assert(only !== undefined);
  return only;
}

test('a misspelt word is told with the one that was probably meant', () => {
  assert.equal(didYouMean('pasword', KEYS), "did you mean 'password'?");
  assert.equal(didYouMean('vault-file', KEYS), "did you mean 'vault_file'?");
  assert.equal(didYouMean('drapnir', ['mjolnir', 'draupnir']), "did you mean 'draupnir'?");
  assert.equal(didYouMean('uzer', KEYS), "did you mean 'user'?");
  assert.equal(didYouMean('rss', ['uvs']), undefined);
  assert.equal(didYouMean('something', KEYS), undefined);
  assert.equal(didYouMean('', KEYS), undefined);
});

test('a letter that is missing or doubled is always seen, and a known word is its own best', () => {
  const known = [...KEYS, ...Object.keys(varsSchema.properties)];
  fc.assert(
    fc.property(fc.constantFrom(...known), fc.nat(), (word, at) => {
      const place = at % word.length;
      const missing = word.slice(0, place) + word.slice(place + 1);
      const doubled = word.slice(0, place) + word.charAt(place) + word.slice(place);
      assert.equal(suggest(word, known), word);
      assert.equal(suggest(missing, known), word);
      assert.equal(suggest(doubled, known), word);
    }),
  );
});

test('what Ansible would take for a date or a big number fits no type of the schema by accident', () => {
  const plain = (text: string): unknown => toPlain(parseYaml(text, 'x') ?? assert.fail());
  assert.deepEqual(plain('a: [1, 0o17, 2.5, yes, ~, x]'), { a: [1, '0o17', 2.5, true, null, 'x'] });
  assert.deepEqual(plain('a: 100000000000000000000000000000'), { a: 1e29 });
  assert.equal(typeof (plain('a: 2020-01-01') as { a: unknown }).a, 'object');
  assert.deepEqual(plain('2: a\nyes: b\n~: c'), { 2: 'a', true: 'b', null: 'c' });
  assert.deepEqual(Object.keys(plain('__proto__: 1') as object), ['__proto__']);
});

test('what is no text names no homeserver', async () => {
  for (const matrix_domain of [['example.com'], { a: 1 }, true, 12, null, '']) {
    const faults = await faultsFrom(() => serviceOf({}, { matrix_domain }));
    assert.deepEqual(
      faults.map(({ code }) => code),
      ['E_REQUIRED'],
    );
  }
});

test('the user is a localpart of the homeserver of the host, or a full user ID', async () => {
  assert.equal((await serviceOf({})).userId, '@rss:example.com');
  assert.equal((await serviceOf({ user: 'bot.rss' })).userId, '@bot.rss:example.com');
  const foreign = await serviceOf({ user: '@rss:example.org:8448' });
  assert.equal(foreign.userId, '@rss:example.org:8448');
  assert.equal(foreign.homeserver.serverName, 'example.org:8448');
});

test('a homeserver of a service is a URL or a server name; that of the host counts for its own users', async () => {
  const settings = {
    matrix_domain: 'example.com',
    matrix_tokens_homeserver_url: 'https://matrix.example.com',
  };
  const homeserverOf = async (service: object) => {
    const { serverName, url } = (await serviceOf(service, settings)).homeserver;
    return [serverName, url];
  };
  const url = 'https://matrix.example.com';
  assert.deepEqual(await homeserverOf({}), ['example.com', url]);
  assert.deepEqual(await homeserverOf({ user: '@a:example.com' }), ['example.com', url]);
  assert.deepEqual(await homeserverOf({ user: '@a:example.org' }), ['example.org', null]);
  assert.deepEqual(await homeserverOf({ homeserver: 'example.org' }), ['example.org', null]);
  const other = 'https://matrix.example.org';
  assert.deepEqual(await homeserverOf({ homeserver: other }), ['example.com', other]);
  const both = { user: '@a:example.org', homeserver: other };
  assert.deepEqual(await homeserverOf(both), ['example.org', other]);
});

test('the address comes from the variables of the playbook where nothing else names it', async () => {
  const urlOf = async (settings: object) =>
    (await serviceOf({}, { matrix_domain: 'example.com', ...settings })).homeserver.url;
  assert.equal(await urlOf({}), null);
  const name = { matrix_server_fqn_matrix: 'm.example.com' };
  assert.equal(await urlOf(name), 'https://m.example.com');
  const own = { ...name, matrix_tokens_homeserver_url: 'https://x.example.com' };
  assert.equal(await urlOf(own), 'https://x.example.com');
  const clear = { ...name, matrix_playbook_ssl_enabled: false };
  const faults = await faultsFrom(async () => urlOf(clear));
  assert.deepEqual(
    faults.map(({ code }) => code),
    ['E_USER_ID'],
  );
  assert.equal(await urlOf({ ...clear, matrix_tokens_allow_http: true }), 'http://m.example.com');
});

test('values of a service win over the defaults of the host', async () => {
  const settings = {
    matrix_domain: 'example.com',
    matrix_tokens_defaults: {
      vault_format: 'file',
      vault_id: 'prod',
      device_display_name: 'A bot',
    },
  };
  const plain = await serviceOf({}, settings);
  assert.deepEqual(
    [plain.vaultFormat, plain.vaultId, plain.displayName],
    ['file', 'prod', 'A bot'],
  );
  const own = await serviceOf({ vault_format: 'inline', vault_id: 'dev' }, settings);
  assert.deepEqual([own.vaultFormat, own.vaultId, own.displayName], ['inline', 'dev', 'A bot']);
  assert.equal((await serviceOf({})).displayName, 'rss (matrix-tokens)');
});

test('a service writes a variable of its own name unless it says another one', async () => {
  const written = async (service: object) => (await serviceOf(service)).variables;
  assert.deepEqual(await written({}), { accessToken: ['vault_rss_access_token'], deviceId: null });
  const named = { variables: { access_token: 'a', device_id: ['b', '@c:d', 'e'] } };
  assert.deepEqual(await written(named), { accessToken: ['a'], deviceId: ['b', '@c:d', 'e'] });
});

test('no fault of a definition repeats a value that may be a secret, whatever stands there', async () => {
  const CANARY = 'canary-4711';
  const leaf = fc.oneof(
    fc.constant(CANARY),
    fc.constant(`{{ ${CANARY} }}`),
    fc.constant(`@${CANARY}`),
    fc.integer(),
    fc.constant(null),
    fc.boolean(),
  );
  const value = fc.oneof(
    leaf,
    fc.array(leaf, { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('file', 'env', 'access_token', 'device_id', 'x'), leaf, {
      maxKeys: 3,
    }),
  );
  // Choices, names of services and server names are told, since they are no place for a secret.
  const told = ['kind', 'vault_format', 'service', 'homeserver', 'vault_file'];
  const key = fc.constantFrom(...KEYS.filter((name) => !told.includes(name)));
  await fc.assert(
    fc.asyncProperty(fc.dictionary(key, value, { maxKeys: 5 }), async (service) => {
      const vars = { matrix_domain: 'example.com', matrix_tokens_services: { rss: service } };
      const faults = await faultsFrom(() => definitionsOf(vars));
      for (const { found, wanted = '', fix = '' } of faults) {
        assert.doesNotMatch(`${found} ${wanted} ${fix}`, /4711/);
      }
    }),
    { numRuns: 150 },
  );
});
