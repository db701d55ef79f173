// The vault passwords of the play are those of the role, wherever Ansible has them from.
import assert from 'node:assert/strict';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ansibleSkip } from './helpers/python.ts';
import {
  loginsAt,
  passwordOf,
  resultOf,
  roleHosts,
  tokenOf,
  writePlay,
} from './helpers/role-hosts.ts';
import { encryptText } from '../src/vault/keyring.ts';
import { Secret } from '../src/secret.ts';

const skip = await ansibleSkip();

const HOST = 'matrix.example.com';
const TOKEN = 'vault_news_access_token';

test('a password that is typed, and one that a program prints', { skip }, async (t) => {
  const setting = await roleHosts(t, { hosts: { [HOST]: ['news'] } });
  const { project, homeserver, playbooks } = setting;
  await writePlay(setting, { show: [TOKEN] });
  const typed = await playbooks.run({
    vaultArguments: ['--ask-vault-pass'],
    onStart: (child) => child.stdin?.end(`${project.vaultPassword}\n`),
  });
  assert.equal(typed.exitCode, 0, typed.stdout + typed.stderr);
  assert.equal(typed.shown[HOST]?.[TOKEN], tokenOf(homeserver, 'news'));

  // Hidden results work as well.
  await writePlay(setting, { roles: '[{role: matrix_tokens, no_log: true}]', show: [TOKEN] });
  await project.write('vault_script', '#!/bin/sh\nprintf \'%s\\n\' "$(cat vault_pass)"\n');
  await chmod(join(project.folder, 'vault_script'), 0o755);
  const script = await playbooks.run({ vaultArguments: ['--vault-password-file', 'vault_script'] });
  assert.equal(resultOf(script, HOST)['msg'], undefined);
  assert.equal(script.shown[HOST]?.[TOKEN], tokenOf(homeserver, 'news'));
  assert.equal(loginsAt(homeserver), 1);
});

test('of several vault IDs, the service names the one to encrypt with', { skip }, async (t) => {
  const setting = await roleHosts(t, { hosts: { [HOST]: ['news'] } });
  const { project, homeserver, playbooks } = setting;
  await writePlay(setting, { show: [TOKEN] });
  await project.write('prod_pass', 'the other password\n');
  const envelope = await encryptText(passwordOf('news'), {
    label: 'prod',
    password: new Secret('the other password'),
  });
  const sealed = `vault_news_password: !vault |\n${envelope.trimEnd().replaceAll(/^/gm, '  ')}\n`;
  await project.write(`host_vars/${HOST}/vault.yml`, sealed);
  const vaultArguments = ['--vault-id', 'dev@vault_pass', '--vault-id', 'prod@prod_pass'];

  const unsure = await playbooks.run({ vaultArguments });
  assert.match(
    String(resultOf(unsure, HOST)['msg']),
    /^several vault passwords .*\[E_VAULT_PASSWORD\]/,
  );
  assert.equal(homeserver.requests.length, 0);

  const vars = await project.read(`host_vars/${HOST}/vars.yml`);
  const named = vars.replace('news: {', 'news: {vault_id: prod, ');
  await project.write(`host_vars/${HOST}/vars.yml`, named);
  const run = await playbooks.run({ vaultArguments });
  assert.equal(run.exitCode, 0, run.stdout);
  const text = await project.read(`host_vars/${HOST}/vault_matrix_tokens/news.yml`);
  assert.match(text, /\$ANSIBLE_VAULT;1\.2;AES256;prod\n/);
  assert.equal(run.shown[HOST]?.[TOKEN], tokenOf(homeserver, 'news'));
});

test(
  "of several vault IDs, Ansible's own setting names one where the service does not",
  { skip },
  async (t) => {
    const setting = await roleHosts(t, { hosts: { [HOST]: ['news'] } });
    const { project, homeserver, playbooks } = setting;
    await writePlay(setting, { show: [TOKEN] });
    await project.write('prod_pass', 'the other password\n');
    const run = await playbooks.run({
      vaultArguments: ['--vault-id', 'dev@vault_pass', '--vault-id', 'prod@prod_pass'],
      env: { ANSIBLE_VAULT_ENCRYPT_IDENTITY: 'prod' },
    });
    assert.equal(run.exitCode, 0, run.stdout);
    const text = await project.read(`host_vars/${HOST}/vault_matrix_tokens/news.yml`);
    assert.match(text, /\$ANSIBLE_VAULT;1\.2;AES256;prod\n/);
    assert.equal(run.shown[HOST]?.[TOKEN], tokenOf(homeserver, 'news'));
  },
);

test(
  'no vault password, and a wrong one: told before anybody is contacted',
  { skip },
  async (t) => {
    const setting = await roleHosts(t, {
      hosts: { [HOST]: ['news', 'rss'] },
      // The password of the vault is proved even where no vaulted value is used.
      vars: 'vault_rss_access_token: syt_which_somebody_pasted\n',
    });
    const { project, homeserver, playbooks } = setting;
    const vars = `host_vars/${HOST}/vars.yml`;
    const text = await project.read(vars);
    await project.write(vars, text.replace('"{{ vault_news_password }}"', passwordOf('news')));
    await writePlay(setting);
    const look = await playbooks.run({ args: ['--check'], vaultArguments: [] });
    assert.equal(look.exitCode, 0, 'a look needs none');
    assert.equal(resultOf(look, HOST)['changed'], true);

    const none = await playbooks.run({ vaultArguments: [] });
    assert.match(
      String(resultOf(none, HOST)['msg']),
      /^no vault password was given \[E_VAULT_PASSWORD\]/,
    );
    await project.write('wrong_pass', 'not this one\n');
    const wrong = await playbooks.run({ vaultArguments: ['--vault-password-file', 'wrong_pass'] });
    assert.match(
      String(resultOf(wrong, HOST)['msg']),
      /^host_vars\/.*vault\.yml:\d+:\d+: a vaulted value that the password of vault ID default does not open/,
    );
    assert.equal(homeserver.requests.length, 0);
  },
);
