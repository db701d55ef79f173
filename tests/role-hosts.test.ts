// The role on several hosts: each does its own, whatever the play's strategy, and none disturbs
// another.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { BUNDLE } from './helpers/provision-project.ts';
import { ansibleSkip } from './helpers/python.ts';
import { loginsAt, resultOf, roleHosts, tokenOf, writePlay } from './helpers/role-hosts.ts';
import type { RoleHosts } from './helpers/role-hosts.ts';

const skip = await ansibleSkip();

const HOSTS = { 'a.example': ['one'], 'b.example': ['two'], 'c.example': ['three'] };
const SHOW = ['one', 'two', 'three'].map((name) => `vault_${name}_access_token`);

/** Fails unless later tasks of each host see its own token, and no other's. */
function assertOwnTokens(setting: RoleHosts, shown: Readonly<Record<string, object>>): void {
  for (const [host, names] of Object.entries(HOSTS)) {
    const own = names.map((name) => [
      `vault_${name}_access_token`,
      tokenOf(setting.homeserver, name),
    ]);
    const none = SHOW.map((name) => [name, '(undefined)']);
    assert.deepEqual(shown[host], { ...Object.fromEntries(none), ...Object.fromEntries(own) });
  }
}

test('--limit, then serial: the rest follows, host by host', { skip }, async (t) => {
  const setting = await roleHosts(t, { hosts: HOSTS });
  const { playbooks, homeserver, project } = setting;
  await writePlay(setting, { keywords: ['serial: 1'], show: SHOW });
  const limited = await playbooks.run({ args: ['--limit', 'b.example'] });
  assert.equal(limited.exitCode, 0, limited.stdout);
  assert.deepEqual(Object.keys(limited.recap), ['b.example']);
  assert.equal(loginsAt(homeserver), 1);
  assert.ok(!existsSync(join(project.folder, 'host_vars/a.example/vault_matrix_tokens')));

  const all = await playbooks.run();
  assert.equal(all.exitCode, 0, all.stdout);
  assert.equal(loginsAt(homeserver), 3);
  assert.equal(resultOf(all, 'b.example')['changed'], false);
  assertOwnTokens(setting, all.shown);
});

test('strategy free, all hosts at once', { skip }, async (t) => {
  const setting = await roleHosts(t, { hosts: HOSTS });
  // Delegated or not, the host is the one whose turn it is.
  const roles = '[{role: matrix_tokens, delegate_to: localhost}]';
  await writePlay(setting, { keywords: ['strategy: free'], roles, show: SHOW });
  const run = await setting.playbooks.run({ args: ['--forks', '3'] });
  assert.equal(run.exitCode, 0, run.stdout);
  assert.equal(loginsAt(setting.homeserver), 3);
  assertOwnTokens(setting, run.shown);
});

test('run_once and async are refused in a sentence; tags choose as ever', { skip }, async (t) => {
  const setting = await roleHosts(t, { hosts: HOSTS });
  const { playbooks, homeserver } = setting;
  await writePlay(setting, { roles: '[]', more: KEYWORDS });
  const run = await playbooks.run({ args: ['--tags', 'keywords'] });
  assert.equal(run.exitCode, 0, run.stdout + run.stderr);
  const messages = run.results.flatMap(({ status, result }) =>
    status === 'failed' ? [String(result['msg'])] : [],
  );
  const sentences = messages.map((message) => message.replace(/\n.*/s, ''));
  assert.deepEqual(new Set(sentences), new Set(REFUSALS));
  assert.equal(homeserver.requests.length, 0);

  for (const [tags, isRun] of [
    ['others', false],
    ['tokens', true],
  ] as const) {
    const tagged = await playbooks.run({ args: ['--check', '--tags', tags, '-l', 'a.example'] });
    assert.equal(tagged.exitCode, 0, tagged.stdout);
    assert.equal(tagged.stdout.includes('Get the access tokens'), isRun);
  }
});

const REFUSALS = [
  'run_once in a play of 3 hosts, which would give the tokens of one host to all of them [E_PLAY]',
  'async, which would leave a login to itself [E_PLAY]',
];

const KEYWORDS = `
  tasks:
    - ansible.builtin.import_role: {name: matrix_tokens}
      run_once: true
      ignore_errors: true
      tags: [keywords]
    - ansible.builtin.import_role: {name: matrix_tokens}
      tags: [tokens, never]
    # Ansible itself refuses async for a role.
    - matrix_tokens: {node: node, bin: "${BUNDLE}", fail_on_deferred: true}
      async: 10
      poll: 1
      ignore_errors: true
      tags: [keywords]
`;

test(
  'a host that fails leaves the others alone, and any_errors_fatal ends the play',
  { skip },
  async (t) => {
    const setting = await withFaults(t);
    const { playbooks, homeserver } = setting;
    await writePlay(setting, { keywords: ['any_errors_fatal: true'], show: SHOW });
    const fatal = await playbooks.run();
    assert.equal(fatal.exitCode, 2, fatal.stdout);
    assert.deepEqual(fatal.shown, {}, 'no later task');
    tokenOf(homeserver, 'one');

    await writePlay(setting, { show: SHOW });
    const run = await playbooks.run();
    assert.equal(run.exitCode, 2, run.stdout);
    assert.deepEqual(failures(run.recap), { 'a.example': 0, 'b.example': 1, 'c.example': 1 });
    assert.equal(resultOf(run, 'a.example')['changed'], false, 'stored by the run before');
    assert.deepEqual(Object.keys(run.shown), ['a.example']);
    assert.match(run.stdout, /failed: two => @two:example\.com: the password of @two/);
    assert.match(String(resultOf(run, 'c.example')['msg']), MISTAKE);
    const sessions = [...homeserver.state.sessions.values()].map(({ user }) => user.localpart);
    assert.deepEqual(sessions, ['one']);
  },
);

const MISTAKE =
  /^host_vars\/c\.example\/vars\.yml:\d+:\d+: the key 'passwort' in service 'three' \[E_UNKNOWN_KEY\]\n {2}wanted: .*\n {2}fix: did you mean 'password'\?\nnothing was tried for this host$/;

function failures(recap: Readonly<Record<string, Readonly<Record<string, number>>>>): object {
  return Object.fromEntries(
    Object.entries(recap).map(([host, counts]) => [host, counts['failures']]),
  );
}

/** One host has a wrong password, another one a mistake in its vars. */
async function withFaults(t: TestContext): Promise<RoleHosts> {
  const setting = await roleHosts(t, { hosts: HOSTS });
  const { project } = setting;
  await project.write('host_vars/b.example/vault.yml', 'vault_two_password: wrong-one\n');
  const vars = await project.read('host_vars/c.example/vars.yml');
  await project.write('host_vars/c.example/vars.yml', vars.replace('password:', 'passwort:'));
  return setting;
}
