// The role in a playbook, run by the real ansible-playbook.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Project } from './helpers/provision-project.ts';
import { ansibleSkip } from './helpers/python.ts';
import { loginsAt, resultOf, roleHosts, tokenOf, writePlay } from './helpers/role-hosts.ts';

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

test('every value that counts in the play counts, and none that is not used is rendered', async (t) => {
  const setting = await roleHosts(t, {
    hosts: { [HOST]: ['present', 'filtered', 'default', 'fact', 'extra'] },
    vars: PLAY_VARS,
  });
  const { project, homeserver, playbooks } = setting;
  const vars = await project.read(`host_vars/${HOST}/vars.yml`);
  const password = (name: string, value: string): [string, string] => [
    `"{{ vault_${name}_password }}"`,
    value,
  ];
  const changes = [
    password('present', '"{{ nobody_defines_this }}"'),
    password('filtered', '"{{ vault_filtered_password | trim | quote_not_needed(1) }}"'),
    password('default', '"{{ password_from_defaults }}"'),
    password('fact', '"{{ password_from_a_fact }}"'),
    password('extra', '"{{ password_from_extra_vars }}"'),
  ];
  let text = vars;
  for (const [from, to] of changes) text = text.replace(from, to);
  await project.write(`host_vars/${HOST}/vars.yml`, text);
  await project.write('filter_plugins/test.py', FILTER);
  await project.write('roles/base/defaults/main.yml', DEFAULTS);
  await project.write('roles/base/tasks/main.yml', '- ansible.builtin.fail:\n');
  await writePlay(setting, {
    roles: '[{role: base, when: false}, {role: matrix_tokens, become: true}]',
    keywords: [
      'become: true',
      'become_method: "{{ nothing_that_is_asked_for | default(\'sudo\') }}"',
      'vars: {user_from_the_play: filtered}',
      'pre_tasks: [ansible.builtin.set_fact: {password_from_a_fact: the-password-of-fact}]',
    ],
    show: ['vault_extra_access_token', 'vault_default_access_token'],
  });
  const run = await playbooks.run({
    args: ['-e', 'password_from_extra_vars=the-password-of-extra', '-e', 'ansible_become=false'],
    env: { ANSIBLE_ROLES_PATH: `roles:${process.cwd()}/roles` },
  });
  assert.equal(run.exitCode, 0, run.stdout);
  assert.equal(loginsAt(homeserver), 4);
  assert.equal(run.shown[HOST]?.['vault_extra_access_token'], tokenOf(homeserver, 'extra'));
  assert.equal(run.shown[HOST]?.['vault_default_access_token'], tokenOf(homeserver, 'default'));
});

const PLAY_VARS = `vault_present_access_token: syt_which_somebody_pasted
`;

const DEFAULTS = `password_from_defaults: the-password-of-default
vault_default_access_token: ''
`;

const FILTER = `class FilterModule:
    def filters(self):
        return {'quote_not_needed': lambda text, number: text}
`;
