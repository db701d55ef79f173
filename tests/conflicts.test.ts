import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDefinitions } from '../src/definitions.ts';
import { findConflicts } from '../src/plan/conflicts.ts';
import { locateServices } from '../src/target.ts';
import { withFolder } from './helpers/folder.ts';
import { loadHosts } from './helpers/inventory.ts';

/** The codes of all conflicts between services, given by host. */
async function conflictsOf(
  hosts: Readonly<Record<string, Readonly<Record<string, object>>>>,
): Promise<string[]> {
  const vars = Object.entries(hosts).map(([name, services]) => {
    const complete = Object.entries(services).map(([key, value]) => [
      key,
      { password: 'x', ...value },
    ]);
    return [
      name,
      { matrix_domain: 'example.com', matrix_tokens_services: Object.fromEntries(complete) },
    ];
  });
  const codes: string[] = [];
  const files = { 'inv/hosts.yml': JSON.stringify({ all: { hosts: Object.fromEntries(vars) } }) };
  await withFolder(files, async (cwd) => {
    const { services } = await readDefinitions(await loadHosts(cwd), null);
    const located = await locateServices(services, { cwd, env: {}, decrypt: null });
    codes.push(...findConflicts(located).map(({ code }) => code));
  });
  return codes;
}

test('services with devices, variables and files of their own do not disturb each other', async () => {
  const both = { a: { device_id: 'A' }, b: { user: 'a', device_id: 'B' }, c: {} };
  assert.deepEqual(await conflictsOf({ one: both }), []);
  assert.deepEqual(await conflictsOf({ one: { a: {} }, two: { b: { user: 'a' } } }), []);
  const other = { user: '@a:example.org' };
  assert.deepEqual(await conflictsOf({ one: { a: {} }, two: { a: other } }), []);
});

test('one device for two services of a user is a conflict, also across hosts; of two users it is none', async () => {
  const same = { user: 'x', device_id: 'SAME' };
  assert.deepEqual(await conflictsOf({ one: { a: same, b: same } }), ['E_SHARED_DEVICE']);
  assert.deepEqual(await conflictsOf({ one: { a: same }, two: { b: same } }), ['E_SHARED_DEVICE']);
  const users = { a: { device_id: 'SAME' }, b: { device_id: 'SAME' } };
  assert.deepEqual(await conflictsOf({ one: users }), []);
});

test('one variable for two services of a host is a conflict, one of two hosts is none', async () => {
  const write = (...names: string[]) => ({
    variables: {
      access_token: names[0],
      ...(names[1] === undefined ? {} : { device_id: names[1] }),
    },
  });
  assert.deepEqual(await conflictsOf({ one: { a: write('x'), b: write('x') } }), [
    'E_SHARED_VARIABLE',
  ]);
  assert.deepEqual(await conflictsOf({ one: { a: write('x', 'y'), b: write('y') } }), [
    'E_SHARED_VARIABLE',
  ]);
  assert.deepEqual(await conflictsOf({ one: { a: write('x') }, two: { b: write('x') } }), []);
  assert.deepEqual(await conflictsOf({ one: { a: write('x', 'x') } }), ['E_SHARED_VARIABLE']);
  assert.deepEqual(await conflictsOf({ one: { a: write('x', 'y') } }), []);
});

test('in a file that is kept by hand, services share a map, but no place in it', async () => {
  const into = (file: string | undefined, ...paths: (string | string[])[]) => ({
    ...(file === undefined ? {} : { vault_file: `files/${file}.yml` }),
    variables: {
      access_token: paths[0],
      ...(paths[1] === undefined ? {} : { device_id: paths[1] }),
    },
  });
  const of = (a: object, b: object): Promise<string[]> => conflictsOf({ one: { a, b } });
  const both = into('x', ['m', 'b', 't'], ['m', 'b', 'd']);
  assert.deepEqual(await of(into('x', ['m', 'a', 't'], ['m', 'a', 'd']), both), []);
  assert.deepEqual(await of(into('x', ['m', 'a']), both), []);
  for (const other of [
    into('x', ['m', 'b', 't']),
    into('x', ['m', 'b']),
    into('x', ['m', 'b', 't', 'x']),
    into('x', 'm'),
    into('y', ['m', 'a', 't']),
    into(undefined, ['m', 'a', 't']),
  ]) {
    assert.deepEqual(await of(other, both), ['E_SHARED_VARIABLE'], JSON.stringify(other));
    assert.deepEqual(await of(both, other), ['E_SHARED_VARIABLE'], JSON.stringify(other));
  }
});

test('a token in the place of the map that holds its device ID is a conflict', async () => {
  const variables = { access_token: ['m', 'a'], device_id: ['m', 'a', 'd'] };
  assert.deepEqual(await conflictsOf({ one: { a: { variables } } }), ['E_SHARED_VARIABLE']);
});

test('one bot on two hosts of one server is a conflict, and one told for each further host', async () => {
  const hosts = { one: { a: {} }, two: { a: {} }, three: { a: {} } };
  assert.deepEqual(await conflictsOf(hosts), ['E_SHARED_SERVICE', 'E_SHARED_SERVICE']);
});

test('one file for two hosts is a conflict, one for two services of a host is none', async () => {
  const shared = { vault_file: 'files/x.yml' };
  assert.deepEqual(await conflictsOf({ one: { a: shared }, two: { b: shared } }), ['E_TARGET']);
  assert.deepEqual(await conflictsOf({ one: { a: shared, b: shared } }), []);
});
