// The role and its action as a collection has them: other places, other names, the same program.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { FULL_NAME, writeCollectionSource } from '../scripts/release/collection-source.ts';
import { PLAY_OPTIONS } from '../src/play/request.ts';
import { reportSchema } from '../src/report.ts';
import { ansibleBin, ansibleSkip } from './helpers/python.ts';
import { loginsAt, roleHosts, tokenOf, writePlay } from './helpers/role-hosts.ts';
import type { RoleHosts, RoleHostsOptions } from './helpers/role-hosts.ts';

const skip = await ansibleSkip();
const run = promisify(execFile);

const ROOT = resolve(import.meta.dirname, '../..');
const HOST = 'matrix.example.com';

interface InCollection extends RoleHosts {
  /** So that Ansible finds the collection, and no role beside it. */
  readonly env: Readonly<Record<string, string>>;
}

async function inCollection(
  t: Parameters<typeof roleHosts>[0],
  options: RoleHostsOptions,
): Promise<InCollection> {
  const setting = await roleHosts(t, options);
  const folder = join(setting.playbooks.home, 'collections');
  const collection = join(folder, 'ansible_collections/matrix_tokens/matrix_tokens');
  mkdirSync(collection, { recursive: true });
  writeCollectionSource(ROOT, collection);
  const env = { ANSIBLE_COLLECTIONS_PATH: folder, ANSIBLE_ROLES_PATH: '/nonexistent' };
  return { ...setting, env };
}

test('the role of the collection: look, do it, and then nothing more', { skip }, async (t) => {
  const setting = await inCollection(t, { hosts: { [HOST]: ['news', 'rss'] } });
  const { playbooks, homeserver, env } = setting;
  await writePlay(setting, {
    roles: `[${FULL_NAME}]`,
    show: ['vault_rss_access_token'],
  });
  const look = await playbooks.run({ env, args: ['--check'] });
  assert.equal(look.exitCode, 0, look.stdout + look.stderr);
  assert.equal(homeserver.requests.length, 0);
  assert.equal(look.shown[HOST]?.['vault_rss_access_token'], 'MATRIX_TOKENS_WRITES_IT_HERE');

  const first = await playbooks.run({ env });
  assert.equal(first.exitCode, 0, first.stdout + first.stderr);
  assert.equal(first.shown[HOST]?.['vault_rss_access_token'], tokenOf(homeserver, 'rss'));

  const again = await playbooks.run({ env });
  assert.equal(again.exitCode, 0, again.stdout);
  assert.equal(again.recap[HOST]?.['changed'], 1, 'only the task of the test');
  assert.equal(loginsAt(homeserver), 2);
});

test(
  'the action alone finds its program, and fails where a service has no token',
  { skip },
  async (t) => {
    const hosts = { [HOST]: ['news'], 'other.example.com': ['rss'] };
    const setting = await inCollection(t, { hosts });
    const { project, playbooks, homeserver, env } = setting;
    const wrong = 'vault_rss_password: a wrong one\n';
    await project.write('host_vars/other.example.com/zz.yml', wrong);
    await writePlay(setting, {
      roles: '[]',
      more: `  tasks:
    - ${FULL_NAME}:
      register: tokens
    - ansible.builtin.assert:
        that: tokens.changed_services == ['news']
`,
    });
    const done = await playbooks.run({ env });
    assert.equal(done.exitCode, 2, done.stdout + done.stderr);
    assert.equal(done.recap[HOST]?.['failures'], 0, done.stdout);
    const failed = done.results.find(({ status }) => status === 'failed');
    assert.equal(failed?.host, 'other.example.com');
    const message = String(failed.result['msg']);
    assert.match(
      message,
      /^no service got a new token, though 1 wants one\nfailed: rss => @rss:example\.com: /,
    );
    tokenOf(homeserver, 'news');
  },
);

test(
  'an option that the action does not have is refused, without its value',
  { skip },
  async (t) => {
    const setting = await inCollection(t, { hosts: { [HOST]: ['news'] } });
    const { playbooks, homeserver, env } = setting;
    const task = `${FULL_NAME}: {services: canary-1, fail: canary-2}`;
    await writePlay(setting, { roles: '[]', more: `  tasks:\n    - ${task}\n` });
    const refused = await playbooks.run({ env });
    assert.equal(refused.exitCode, 2, refused.stdout);
    assert.match(refused.stdout, /'services' is no option of this task \[E_PLAY\]/);
    assert.equal(homeserver.requests.length, 0);
    assert.doesNotMatch(JSON.stringify(refused.results), /canary-\d/);
  },
);

test('ansible-doc shows the action and the role, and all that they take', { skip }, async (t) => {
  const { playbooks, env } = await inCollection(t, { hosts: { [HOST]: ['news'] } });
  const read = async (type: string): Promise<Record<string, unknown>> => {
    const argv = ['--json', '--type', type, FULL_NAME];
    const settings = { ...env, PATH: process.env['PATH'] ?? '', HOME: playbooks.home };
    const { stdout } = await run(await ansibleBin('ansible-doc'), argv, { env: settings });
    return (JSON.parse(stdout) as Record<string, Record<string, unknown>>)[FULL_NAME] ?? {};
  };
  const page = (await read('module')) as unknown as ModulePage;
  assert.deepEqual(Object.keys(page.doc.options).toSorted(), PLAY_OPTIONS.toSorted());
  assert.match(page.examples, new RegExp(`^ {2}${FULL_NAME}:$`, 'm'));
  assert.deepEqual(
    Object.keys(page.return['services']?.contains ?? {}).toSorted(),
    Object.keys(reportSchema.properties.services.items.properties).toSorted(),
  );
  const text = JSON.stringify(await read('role'));
  assert.match(text, /"matrix_tokens_fail_on_deferred":\{"default":true/);
  assert.match(text, /Get the Matrix access tokens that are missing/);
});

interface ModulePage {
  readonly doc: { readonly options: Readonly<Record<string, object>> };
  readonly examples: string;
  readonly return: Readonly<Record<string, { readonly contains?: object }>>;
}

test('the README of the collection shows the play that its users write', () => {
  const text = readFileSync(join(ROOT, 'galaxy/README.md'), 'utf8');
  assert.match(text, new RegExp(`^ {4}- role: ${FULL_NAME}$`, 'm'));
});
