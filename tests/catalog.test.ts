import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogData } from '../src/definitions/catalog-data.ts';
import { catalogEntry, catalogNames } from '../src/definitions/catalog.ts';
import { validateCatalogEntry } from '../src/definitions/validator.ts';
import { definitionsOf } from './helpers/inventory.ts';

for (const [name, entry] of Object.entries(catalogData)) {
  test(`the entry ${name} is as the schema has it, with variables formed like those of its role`, () => {
    assert(validateCatalogEntry(entry), JSON.stringify(validateCatalogEntry.errors));
    assert.match(name, /^[a-z][a-z0-9_]*$/);
    const service = catalogEntry(name) ?? assert.fail();
    const names = variablesOf(service);
    const prefix = /^(matrix(?:_bot|_bridge)?_)/.exec(service.enabled ?? '')?.[0] ?? 'none';
    const role = service.enabled?.slice(0, -'_enabled'.length) ?? '';
    assert.equal(service.enabled, `${prefix}${name}_enabled`);
    for (const variable of names)
      assert(variable.startsWith(role), `${variable} is not of ${role}`);
    assert.match(service.install_tag ?? '', /^install-[a-z0-9-]+$/);
  });
}

test('the catalog has the consumers of tokens, and bridges as those that want none', () => {
  const bots = catalogNames().filter((name) => catalogEntry(name)?.kind === 'bot');
  assert.deepEqual(bots, [
    'alertmanager_receiver',
    'baibot',
    'draupnir',
    'meowlnir',
    'mjolnir',
    'user_verification_service',
  ]);
  const bridges = catalogNames().filter((name) => !bots.includes(name));
  assert(bridges.includes('hookshot'));
  for (const name of bridges) assert.equal(catalogEntry(name)?.variables, undefined);
});

test('nothing that every object has is taken for a known service', () => {
  assert.equal(catalogEntry('constructor'), undefined);
  assert.equal(catalogEntry('__proto__'), undefined);
});

test('every bot of the catalog becomes a definition by its name and a password', async () => {
  for (const name of catalogNames()) {
    const entry = catalogEntry(name) ?? assert.fail();
    const service = entry.kind === 'bot' ? { password: 'x' } : {};
    const vars = { matrix_domain: 'example.com', matrix_tokens_services: { [name]: service } };
    const { services, unwanted } = await definitionsOf(vars);
    if (entry.kind === 'bridge') {
      assert.equal(unwanted[0]?.reason, 'uses its as_token');
      continue;
    }
    const localpart = entry.user?.default ?? name;
    assert.equal(services[0]?.userId, `@${localpart}:example.com`);
    const token = entry.variables?.access_token ?? `vault_${name}_access_token`;
    assert.deepEqual(services[0]?.variables.accessToken, [token]);
    assert.equal(services[0]?.installTag, entry.install_tag);
  }
});

test('where the playbook names the user or has the password, the definition needs neither', async () => {
  const { services } = await definitionsOf({
    matrix_domain: 'example.com',
    matrix_bot_draupnir_login: 'moderator',
    matrix_bot_draupnir_pantalaimon_password: 'x',
    matrix_tokens_services: { draupnir: null },
  });
  assert.equal(services[0]?.userId, '@moderator:example.com');
  assert.equal(services[0]?.secrets.get('password')?.kind, 'value');
});

function variablesOf(service: NonNullable<ReturnType<typeof catalogEntry>>): string[] {
  const paths = [service.variables?.access_token, service.variables?.device_id];
  const modes = service.unwanted_when?.map(({ variable }) => variable) ?? [];
  const renamed = Object.entries(service.renamed ?? {}).flatMap(([old, now]) => [old, now]);
  const user = service.user?.variable === undefined ? [] : [service.user.variable];
  const names = paths.flatMap((path) =>
    path === undefined ? [] : [path].flat().map(String).slice(0, 1),
  );
  return [...names, ...modes, ...renamed, ...user, ...(service.password ?? [])];
}
