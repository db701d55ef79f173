// Canaries: no password, token or vault password turns up in what Ansible shows, logs, caches, hands
// to callbacks or leaves behind.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { proveUser } from '../src/matrix/login/shared-secret.ts';
import { Secret } from '../src/secret.ts';
import { findLeaks } from './helpers/provision-leaks.ts';
import { ansibleSkip } from './helpers/python.ts';
import { passwordOf, roleHosts, writePlay } from './helpers/role-hosts.ts';
import type { RoleHosts } from './helpers/role-hosts.ts';
import type { PlayRun } from './helpers/role.ts';

const skip = await ansibleSkip();

const HOST = 'matrix.example.com';
const VAULT_PASSWORD = 'canary-of-the-vault-password';
const NAMES = ['inline', 'whole', 'mine', 'refused', 'param'];

/** Everything that Ansible can be made to tell. */
function noisy({ playbooks: { home } }: RoleHosts): Readonly<Record<string, string>> {
  return {
    ANSIBLE_LOG_PATH: join(home, 'ansible.log'),
    ANSIBLE_DEBUG: '1',
    ANSIBLE_KEEP_REMOTE_FILES: '1',
    ANSIBLE_CACHE_PLUGIN: 'jsonfile',
    ANSIBLE_CACHE_PLUGIN_CONNECTION: join(home, 'facts'),
    ANSIBLE_DISPLAY_ARGS_TO_STDOUT: '1',
    ANSIBLE_SHOW_TASK_PATH_ON_FAILURE: '1',
    ANSIBLE_LOCAL_TEMP: join(home, 'local-tmp'),
    ANSIBLE_REMOTE_TEMP: join(home, 'remote-tmp'),
  };
}

test(
  'nothing is told with -vvvv, a log, a fact cache, files that are kept, and a callback',
  { skip },
  async (t) => {
    const setting = await roleHosts(t, { hosts: { [HOST]: NAMES }, vaultPassword: VAULT_PASSWORD });
    const { project, homeserver, playbooks } = setting;
    const vars = `host_vars/${HOST}/vars.yml`;
    const text = (await project.read(vars))
      .replace('whole: {', 'whole: {vault_format: file, ')
      .replace('mine: {', `mine: {vault_file: host_vars/${HOST}/by_hand.yml, `);
    await project.write(vars, text);
    await project.write(`host_vars/${HOST}/by_hand.yml`, 'canary: canary-in-a-file-by-hand\n');
    homeserver.faults.push({ path: /\/login$/, nth: 5, answer: { status: 403, body: REFUSAL } });
    await writePlay(setting, { roles: '[{role: matrix_tokens, matrix_tokens_max_wait: 5}]' });
    let last: PlayRun | undefined;
    for (const args of [['-vvvv', '--diff', '--check'], ['-vvvv', '--diff'], ['-vvvv']]) {
      const run = await playbooks.run({ args, env: noisy(setting) });
      assertNoLeaks(setting, run);
      last = run;
    }
    assert.ok(readFileSync(join(playbooks.home, 'ansible.log'), 'utf8').includes('matrix_tokens'));
    assert.equal(homeserver.state.sessions.size, NAMES.length, last?.stdout);
  },
);

test(
  'who has no password and does not exist gets a token by the secrets of the host, which stay hidden',
  { skip },
  async (t) => {
    const secrets = { module: 'canary-of-the-module', registration: 'canary-of-the-registration' };
    const setting = await roleHosts(t, {
      hosts: { [HOST]: ['inline'] },
      vaultPassword: VAULT_PASSWORD,
      sharedSecretAuth: { secret: secrets.module },
      registrationSecret: secrets.registration,
      vars: SECRET_SETTINGS,
    });
    const { project, homeserver } = setting;
    const vars = `host_vars/${HOST}/vars.yml`;
    const text = await project.read(vars);
    await project.write(vars, text.replace(', password: "{{ vault_inline_password }}"', ''));
    const lines = Object.entries(secrets).map(
      async ([name, secret]) => `vault_${name}: ${await project.sealed(secret)}\n`,
    );
    await project.write(`host_vars/${HOST}/vault.yml`, (await Promise.all(lines)).join(''));
    homeserver.state.users.clear();
    await writePlay(setting);
    const run = await setting.playbooks.run({ args: ['-vvvv'], env: noisy(setting) });
    assert.match(run.stderr.replaceAll(/\s+/g, ' '), /it was created, as a bot/);
    assert.equal(homeserver.state.sessions.size, 1, run.stdout);
    const proof = proveUser(
      new Secret(secrets.module),
      `@inline:${homeserver.serverName}`,
    ).reveal();
    assertNoLeaks(setting, run, { ...secrets, proof });
  },
);

const SECRET_SETTINGS = `matrix_tokens_shared_secret_auth: {shared_secret: "{{ vault_module }}"}
matrix_tokens_register: {shared_secret: "{{ vault_registration }}"}
`;

test(
  'services as parameters of the role are refused, since Ansible would render and show them',
  { skip },
  async (t) => {
    const setting = await roleHosts(t, { hosts: { [HOST]: [] }, vaultPassword: VAULT_PASSWORD });
    const services = `{param: {user: param, password: ${passwordOf('param')}}}`;
    const register = `{shared_secret: ${passwordOf('whole')}}`;
    const role = `{role: matrix_tokens, matrix_tokens_services: ${services}, matrix_tokens_register: ${register}}`;
    await writePlay(setting, { roles: `[${role}]` });
    // Whoever has Ansible show arguments sees these, too.
    const env = { ...noisy(setting), ANSIBLE_DISPLAY_ARGS_TO_STDOUT: '0' };
    const run = await setting.playbooks.run({ args: ['-vvvv'], env });
    assert.equal(run.exitCode, 2, run.stdout);
    assert.match(
      run.stdout,
      /matrix_tokens_register, matrix_tokens_services\. Supported parameters/,
    );
    await setting.project.write('play.yml', '');
    assertNoLeaks(setting, run);
  },
);

const REFUSAL = JSON.stringify({ errcode: 'M_FORBIDDEN', error: passwordOf('refused') });

/** Looks at the output, the results, and at all files but those that are to hold a secret. */
function assertNoLeaks(
  { project, homeserver, playbooks }: RoleHosts,
  run: PlayRun,
  more: Readonly<Record<string, string>> = {},
): void {
  const { sessions, ended } = homeserver.state;
  const tokens = [...sessions.keys(), ...ended.keys()].map((token, i) => [`token ${i}`, token]);
  const passwords = NAMES.map((name) => [`password of ${name}`, passwordOf(name)]);
  const secrets = {
    ...more,
    'vault password': VAULT_PASSWORD,
    'other value': 'canary-in-a-file-by-hand',
    ...Object.fromEntries([...tokens, ...passwords]),
  };
  const files = [...filesBelow(playbooks.home)];
  const tree = [...project.tree()].filter(([path]) => !/^vault_pass$|by_hand\.yml$/.test(path));
  const places = {
    stdout: run.stdout,
    stderr: run.stderr,
    results: JSON.stringify(run.results),
    ...Object.fromEntries(files.map((file) => [file, readFileSync(file)])),
    ...Object.fromEntries(tree.map(([path, content]) => [path, content ?? ''])),
  };
  assert.deepEqual(findLeaks(secrets, places), []);
}

function* filesBelow(folder: string): Generator<string> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (lstatSync(path).isDirectory()) yield* filesBelow(path);
    else yield path;
  }
}
