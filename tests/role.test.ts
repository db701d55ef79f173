// The role in a playbook, run by the real ansible-playbook.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { chmod, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Project } from './helpers/provision-project.ts';
import { ansibleSkip } from './helpers/python.ts';
import { loginsAt, resultOf, roleHosts, tokenOf, writePlay } from './helpers/role-hosts.ts';
import { ROLES } from './helpers/role.ts';

const skip = await ansibleSkip();

const HOST = 'matrix.example.com';
const FILES = `host_vars/${HOST}/vault_matrix_tokens`;

test('look, do it, and then nothing more', { skip }, async (t) => {
  const setting = await roleHosts(t, { hosts: { [HOST]: ['news', 'rss'] } });
  const { project, homeserver, playbooks } = setting;
  const show = ['vault_news_access_token', 'vault_rss_access_token'];
  const seen = [...show, 'restarted', 'matrix_tokens_changed_services'];
  await writePlay(setting, { show: seen, more: HANDLERS });
  const before = snapshot(project);

  const look = await playbooks.run({ args: ['--check', '--diff'] });
  assert.equal(look.exitCode, 0, look.stdout);
  assert.equal(resultOf(look, HOST)['changed'], true);
  assert.deepEqual(snapshot(project), before, 'nothing is written');
  assert.equal(homeserver.requests.length, 0, 'nobody is contacted');
  assert.match(look.stdout, /^\+vault_rss_access_token: <redacted>$/m);
  // Later tasks can be checked, too.
  assert.equal(look.shown[HOST]?.['vault_news_access_token'], 'MATRIX_TOKENS_WRITES_IT_HERE');

  const run = await playbooks.run({ args: ['--diff'] });
  assert.equal(run.exitCode, 0, run.stdout);
  assert.equal(loginsAt(homeserver), 2);
  assert.deepEqual(resultOf(run, HOST)['changed_services'], ['news', 'rss']);
  assert.deepEqual(run.shown[HOST], {
    vault_news_access_token: tokenOf(homeserver, 'news'),
    vault_rss_access_token: tokenOf(homeserver, 'rss'),
    restarted: '(undefined)',
    matrix_tokens_changed_services: ['news', 'rss'],
  });
  assert.match(run.stdout, /"restarted": "news rss"/, 'handlers know which services changed');
  const mode = statSync(join(project.folder, FILES, 'rss.yml')).mode;
  assert.equal(mode & 0o777, 0o600);

  const [written, requests] = [snapshot(project), homeserver.requests.length];
  const again = await playbooks.run({ args: ['--diff'] });
  assert.equal(again.recap[HOST]?.['changed'], 1, 'only the task of the test');
  assert.equal(resultOf(again, HOST)['changed'], false);
  assert.doesNotMatch(again.stdout, /restarted|redacted/);
  assert.deepEqual(snapshot(project), written);
  assert.equal(homeserver.requests.length, requests);
  assert.deepEqual(again.shown[HOST]?.['matrix_tokens_changed_services'], []);
});

const HANDLERS = `  handlers:
    - name: Restart services with a new token
      listen: matrix_tokens changed
      ansible.builtin.set_fact: {restarted: "{{ matrix_tokens_changed_services | join(' ') }}"}
    - name: Say so
      listen: matrix_tokens changed
      ansible.builtin.debug: {var: restarted}`;

/** Every byte and every time of change, but for the playbook. */
function snapshot({ folder, tree }: Project): Map<string, unknown> {
  const entries = [...tree()].map(([path, content]) => {
    return [path, { content, mtimeMs: statSync(join(folder, path)).mtimeMs }] as const;
  });
  return new Map(entries);
}

test(
  'a service that a rate limit puts off fails the host or not, as it is told',
  { skip },
  async (t) => {
    const setting = await roleHosts(t, { hosts: { [HOST]: ['news', 'rss'] } });
    const { homeserver, playbooks } = setting;
    await writePlay(setting, { show: ['matrix_tokens_changed_services'] });
    const body = JSON.stringify({ errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 3_600_000 });
    homeserver.faults.push({ method: 'POST', path: /\/login$/, answer: { status: 429, body } });
    const failed = await playbooks.run();
    assert.equal(failed.exitCode, 2, failed.stdout);
    assert.match(failed.stdout, /deferred: rss => @rss:example\.com: /);
    assert.deepEqual(failed.shown, {});
    const told = await playbooks.run({ args: ['-e', 'matrix_tokens_fail_on_deferred=false'] });
    assert.equal(told.exitCode, 0, told.stdout);
    assert.match(told.stdout + told.stderr, /WARNING.*deferred: news => @news:example\.com: /);
    assert.deepEqual(told.shown[HOST], { matrix_tokens_changed_services: [] });
  },
);

test(
  'one service fails: the other one is loaded, and its handlers run if they are forced to',
  { skip },
  async (t) => {
    const setting = await roleHosts(t, { hosts: { [HOST]: ['news', 'rss'] } });
    const { project, homeserver, playbooks } = setting;
    const vars = await project.read(`host_vars/${HOST}/vars.yml`);
    await project.write(`host_vars/${HOST}/vars.yml`, vars.replace('vault_rss', 'wrong_rss'));
    await project.write(`host_vars/${HOST}/wrong.yml`, 'wrong_rss_password: wrong-one\n');
    await writePlay(setting, { more: HANDLERS });
    const run = await playbooks.run({ args: ['--force-handlers'] });
    assert.equal(run.exitCode, 2, run.stdout);
    assert.equal(run.recap[HOST]?.['failures'], 1);
    assert.match(
      run.stdout,
      /failed: rss => .*the password is that of host_vars\/.*wrong\.yml:1:21/,
    );
    assert.match(run.stdout, /"restarted": "news"/);
    tokenOf(homeserver, 'news');
  },
);

test(
  'an inventory that only a program knows, and hosts that the play adds',
  { skip },
  async (t) => {
    const vars = 'vault_news_access_token: TODO\n';
    const setting = await roleHosts(t, { hosts: { [HOST]: ['news'] }, vars });
    const { project, homeserver, playbooks } = setting;
    const listed = JSON.stringify({ all: { hosts: ['first.example'] }, _meta: { hostvars: {} } });
    await project.write('inventory/cloud', `#!/bin/sh\necho '${listed}'\n`);
    await chmod(join(project.folder, 'inventory/cloud'), 0o755);
    await rename(join(project.folder, 'host_vars'), join(project.folder, 'inventory/host_vars'));
    // As with matrix-docker-ansible-deploy, whose users keep it in a repository of their own.
    await rename(join(project.folder, 'inventory'), join(project.folder, 'elsewhere'));
    await symlink('elsewhere', join(project.folder, 'inventory'));
    const add = `- hosts: all
  gather_facts: false
  tasks: [ansible.builtin.add_host: {name: ${HOST}}]
`;
    await writePlay(setting, { show: ['vault_news_access_token'] });
    await project.write('play.yml', add + (await project.read('play.yml')));
    const run = await playbooks.run({ inventory: 'inventory' });
    assert.equal(run.exitCode, 0, run.stdout);
    assert.equal(run.shown[HOST]?.['vault_news_access_token'], tokenOf(homeserver, 'news'));
    const again = await playbooks.run({ inventory: 'inventory' });
    assert.equal(resultOf(again, HOST)['changed'], false);
    assert.equal(loginsAt(homeserver), 1);
  },
);

test(
  'every value that counts in the play counts, and none that is not used is rendered',
  { skip },
  async (t) => {
    const setting = await roleHosts(t, {
      hosts: { [HOST]: ['present', 'filtered', 'default', 'fact', 'extra'] },
      vars: 'vault_present_access_token: syt_which_somebody_pasted\n',
    });
    const { project, homeserver, playbooks } = setting;
    await replacePasswords(project, {
      present: 'nobody_defines_this',
      filtered: 'vault_filtered_password | trim | same(1)',
      default: 'password_from_defaults',
      fact: 'password_from_a_fact',
      extra: 'password_from_extra_vars',
    });
    await project.write('filter_plugins/test.py', FILTER);
    await project.write('roles/base/defaults/main.yml', DEFAULTS);
    await project.write('roles/base/tasks/main.yml', '- ansible.builtin.fail:\n');
    await writePlay(setting, {
      roles: '[{role: base, when: false}, matrix_tokens]',
      keywords: [
        // The role itself needs nobody's rights.
        'become: true',
        'become_user: nobody-of-this-name',
        'pre_tasks: [ansible.builtin.set_fact: {password_from_a_fact: the-password-of-fact}]',
      ],
    });
    const args = ['-e', 'password_from_extra_vars=the-password-of-extra'];
    const run = await playbooks.run({ args, env: { ANSIBLE_ROLES_PATH: `roles:${ROLES}` } });
    assert.equal(run.exitCode, 0, run.stdout);
    assert.equal(loginsAt(homeserver), 4);
    for (const name of ['filtered', 'default', 'fact', 'extra']) tokenOf(homeserver, name);
    const file = await project.read(`${FILES}/default.yml`);
    assert.match(file, /^vault_default_access_token: !vault/m, 'wins over the default of a role');
  },
);

async function replacePasswords(
  project: Project,
  passwords: Readonly<Record<string, string>>,
): Promise<void> {
  let text = await project.read(`host_vars/${HOST}/vars.yml`);
  for (const [name, jinja] of Object.entries(passwords)) {
    text = text.replace(`{{ vault_${name}_password }}`, `{{ ${jinja} }}`);
  }
  await project.write(`host_vars/${HOST}/vars.yml`, text);
}

const DEFAULTS = `password_from_defaults: the-password-of-default
vault_default_access_token: ''
`;

const FILTER = `class FilterModule:
    def filters(self):
        return {'same': lambda text, number: text}
`;
