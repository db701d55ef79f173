import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDefinitions } from '../src/definitions.ts';
import { planServices } from '../src/plan.ts';
import type { Action } from '../src/plan/types.ts';
import { locateServices } from '../src/target.ts';
import { withFolder } from './helpers/folder.ts';
import { faultsFrom, loadHosts } from './helpers/inventory.ts';

/** Plans the services of one host, with further files beside the inventory. */
async function planFor(
  vars: object,
  files: Readonly<Record<string, string>> = {},
): Promise<readonly Action[]> {
  const plans: (readonly Action[])[] = [];
  const inventory = JSON.stringify({ all: { hosts: { h: { matrix_domain: 'd', ...vars } } } });
  await withFolder({ ...files, 'inv/hosts.yml': inventory }, async (cwd) => {
    const { services } = await readDefinitions(await loadHosts(cwd), null);
    plans.push(planServices(await locateServices(services, { cwd, env: {}, decrypt: null })));
  });
  return plans[0] ?? assert.fail();
}

test('every service gets an action, in the order of the definitions', async () => {
  const actions = await planFor({
    vault_b_access_token: 'syt_x',
    matrix_tokens_services: { c: { password: 'x' }, b: { password: 'x' }, a: { password: 'x' } },
  });
  const told = actions.map(({ kind, definition }) => [definition.name, kind]);
  assert.deepEqual(told, [
    ['c', 'login'],
    ['b', 'present'],
    ['a', 'login'],
  ]);
});

test('the faults of all services are told at once', async () => {
  const faults = await faultsFrom(() =>
    planFor(
      {
        vault_a_access_token: 5,
        vault_b_access_token: 'syt_x',
        matrix_tokens_services: {
          a: { password: 'x' },
          b: { password: 'x', variables: { access_token: 'vault_b_access_token', device_id: 'd' } },
          c: {},
          e: { password: 'x' },
          f: { password: 'x', device_id: 'SAME', user: 'f' },
          g: { password: 'x', device_id: 'SAME', user: 'f' },
        },
      },
      { 'inv/host_vars/h/zz.yml': 'vault_e_access_token: TODO\n' },
    ),
  );
  assert.deepEqual(faults.map(({ code }) => code).toSorted(), [
    'E_DEVICE_MISSING',
    'E_NO_PASSWORD',
    'E_OVERRIDDEN',
    'E_SHARED_DEVICE',
    'E_TOKEN_VALUE',
  ]);
});

test('a token that is there needs neither a password nor a place to be written', async () => {
  const vars = { vault_a_access_token: 'syt_x', matrix_tokens_services: { a: {} } };
  const [action] = await planFor(vars, { 'inv/host_vars/h.yml': 'x: 1\n' });
  assert.equal(action?.kind, 'present');
});

test('what only a closed vault could tell is unknown, and what stands above it is known', async () => {
  const closed = '$ANSIBLE_VAULT;1.1;AES256\n3338\n';
  const services = { matrix_tokens_services: { a: { password: 'x' }, b: { password: 'x' } } };
  const files = {
    'inv/host_vars/h/m.yml': closed,
    'inv/host_vars/h/z.yml': 'vault_b_access_token: syt_x\n',
  };
  const actions = await planFor(services, files);
  assert.deepEqual(
    actions.map(({ kind }) => kind),
    ['unknown', 'present'],
  );
  assert(actions[0]?.kind === 'unknown');
  assert.equal(actions[0].reason, 'it may stand in inv/host_vars/h/m.yml');
});

test('a token in a readable file counts in a dry run, also below a closed vault', async () => {
  const files = { 'inv/host_vars/h/z.yml': '$ANSIBLE_VAULT;1.1;AES256\n3338\n' };
  const vars = { vault_a_access_token: 'syt_x', matrix_tokens_services: { a: { password: 'x' } } };
  assert.deepEqual(
    (await planFor(vars, files)).map(({ kind }) => kind),
    ['present'],
  );
});

test('references that lead two values to one variable are told', async () => {
  const services = { a: { password: 'x' }, b: { password: 'x' } };
  const shared = '{{ vault_shared }}';
  const faults = await faultsFrom(() =>
    planFor({
      vault_a_access_token: shared,
      vault_b_access_token: shared,
      matrix_tokens_services: services,
    }),
  );
  assert.deepEqual(
    faults.map(({ code }) => code),
    ['E_SHARED_VARIABLE'],
  );
  const variables = { access_token: 'x', device_id: 'y' };
  const own = await faultsFrom(() =>
    planFor({ x: shared, y: shared, matrix_tokens_services: { a: { password: 'x', variables } } }),
  );
  assert.deepEqual(
    own.map(({ code }) => code),
    ['E_SHARED_VARIABLE'],
  );
});

test('a device ID that is there is written to a file of ours, not to one that is kept by hand', async () => {
  const variables = { access_token: 'x', device_id: 'y' };
  for (const [file, path] of [
    [undefined, ['y']],
    ['host_vars/h/mine.yml', null],
  ] as const) {
    const service = {
      password: 'x',
      variables,
      ...(file === undefined ? {} : { vault_file: file }),
    };
    const [action] = await planFor({ y: 'DEVICE', matrix_tokens_services: { a: service } });
    assert(action?.kind === 'login');
    assert.deepEqual(action.write.deviceId, path);
    assert(action.pinned?.kind === 'scalar' && action.pinned.value === 'DEVICE');
  }
});
