// A real Synapse, real vars, the real ansible-core: what Ansible encrypted is read, what is written
// Ansible reads, and every token is one that Synapse takes.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { ansibleIn } from './helpers/provision-ansible.ts';
import type { Ansible } from './helpers/provision-ansible.ts';
import { countConnections } from './helpers/provision-counter.ts';
import type { Counter } from './helpers/provision-counter.ts';
import { makeProject, outcomesOf, reportOf } from './helpers/provision-project.ts';
import type { Project } from './helpers/provision-project.ts';
import { ansibleSkip, synapseSkip } from './helpers/python.ts';
import { sharedSynapse } from './helpers/synapse.ts';
import type { Synapse, TestUser } from './helpers/synapse.ts';

const skip = (await synapseSkip()) || (await ansibleSkip());
const HOST = 'matrix.example.com';

const VARIABLES = {
  draupnir: ['matrix_bot_draupnir_config_accessToken'],
  rss: ['vault_rss_access_token', 'vault_rss_device_id'],
  alerts: ['vault_alerts_access_token', 'vault_alerts_device_id'],
  mail: ['vault_mail_access_token', 'vault_mail_device_id'],
} as const;
type Service = keyof typeof VARIABLES;

function varsFile(synapse: Synapse, baseUrl: string, users: Record<Service, TestUser>): string {
  return `---
# Kept by hand.
matrix_tokens_server_name: ${synapse.serverName}
matrix_tokens_homeserver_url: ${baseUrl}
file_mode: 0644

matrix_bot_draupnir_login: ${users.draupnir.localpart}
matrix_bot_draupnir_password: "{{ vault_draupnir_password }}"

matrix_tokens_services:
  draupnir:
  rss:
    user: ${users.rss.localpart}
    password: "{{ vault_rss_password }}"
    variables: {access_token: vault_rss_access_token, device_id: vault_rss_device_id}
  alerts:
    user: "${users.alerts.userId}"
    password: {file: secrets/alerts}
    vault_format: file
    variables: {access_token: vault_alerts_access_token, device_id: vault_alerts_device_id}
  mail:
    user: ${users.mail.localpart}
    password: "{{ vault_mail_password }}"
    vault_file: host_vars/${HOST}/mine.yml
    variables: {access_token: vault_mail_access_token, device_id: vault_mail_device_id}
`;
}

const MINE = '# mine\nfile_mode: 0644\nyes_no: yes # kept\n';

interface Setting {
  readonly synapse: Synapse;
  /** Stands between the run and Synapse. */
  readonly counter: Counter;
  readonly project: Project;
  readonly ansible: Ansible;
  readonly users: Readonly<Record<Service, TestUser>>;
}

/** Makes what an operator has: users, vars, and passwords that Ansible itself has encrypted. */
async function setUp(t: TestContext): Promise<Setting> {
  const synapse = await sharedSynapse();
  t.after(() => synapse.stop());
  const counter = await countConnections(t, synapse.baseUrl);
  const project = await makeProject(t);
  const ansible = await ansibleIn(t, project);
  const users = {
    draupnir: await synapse.newUser('draupnir'),
    rss: await synapse.newUser('rss'),
    alerts: await synapse.newUser('alerts'),
    mail: await synapse.newUser('mail'),
  };
  await project.write('inventory.yml', `matrix_servers:\n  hosts:\n    ${HOST}:\n`);
  await project.write(`host_vars/${HOST}/vars.yml`, varsFile(synapse, counter.baseUrl, users));
  await project.write(`host_vars/${HOST}/mine.yml`, MINE);
  await project.write('secrets/alerts', `${users.alerts.password}\n`);
  const inline = await ansible.encryptString('vault_rss_password', users.rss.password);
  await project.write(`host_vars/${HOST}/vault_inline.yml`, inline);
  const lines = (['draupnir', 'mail'] as const).map((name) => {
    return `vault_${name}_password: ${JSON.stringify(users[name].password)}\n`;
  });
  await project.write(`host_vars/${HOST}/vault.yml`, lines.join(''));
  await ansible.run('ansible-vault', ['encrypt', `host_vars/${HOST}/vault.yml`]);
  return { synapse, counter, project, ansible, users };
}

test('from vars to tokens that Ansible reads, and then nothing more', { skip }, async (t) => {
  const setting = await setUp(t);
  const { project, counter } = setting;
  const first = await project.run(['--json']);
  assert.equal(first.exitCode, 0, first.stderr);
  const all = { draupnir: 'changed', rss: 'changed', alerts: 'changed', mail: 'changed' };
  assert.deepEqual(outcomesOf(first), all);
  await assertFilled(setting);
  assert.ok((await project.read(`host_vars/${HOST}/mine.yml`)).startsWith(MINE));

  const [before, connections] = [snapshot(project), counter.connections()];
  const second = await project.run(['--json']);
  assert.equal(second.exitCode, 0, second.stderr);
  assert.ok(reportOf(second).services.every((one) => one.outcome === 'ok'));
  assert.deepEqual(snapshot(project), before);
  assert.equal(counter.connections(), connections);
});

/** Every command of Ansible gives the same values, and they are those of living sessions. */
async function assertFilled({ synapse, project, ansible, users }: Setting): Promise<void> {
  const values = await ansible.values(HOST, [...Object.values(VARIABLES).flat(), 'file_mode']);
  assert.equal(values['file_mode'], 0o644);
  for (const [name, [token, device]] of Object.entries(VARIABLES)) {
    const { userId } = users[name as Service];
    const who = await whoami(synapse, String(values[token]));
    assert.equal(who['user_id'], userId);
    if (device !== undefined) assert.equal(who['device_id'], values[device]);
    const devices = await synapse.devicesOf(userId);
    assert.deepEqual(
      devices.map((one) => one.device_id),
      [who['device_id']],
    );
  }
  const alerts = `host_vars/${HOST}/vault_matrix_tokens/alerts.yml`;
  const viewed = await ansible.run('ansible-vault', ['view', alerts]);
  assert.ok(viewed.includes(`!unsafe "${String(values['vault_alerts_access_token'])}"`));
  const listed = await ansible.run('ansible-inventory', ['-i', 'inventory.yml', '--host', HOST]);
  await assertListed(project, JSON.parse(listed) as Record<string, unknown>, values);
}

/** `ansible-inventory` shows inline vault values as they stand in the file. */
async function assertListed(
  project: Project,
  listed: Readonly<Record<string, unknown>>,
  values: Readonly<Record<string, unknown>>,
): Promise<void> {
  for (const name of Object.values(VARIABLES).flat()) {
    const shown = listed[name] as string | { readonly __ansible_vault: string };
    const value = typeof shown === 'string' ? shown : await project.open(shown.__ansible_vault);
    assert.equal(value, values[name]);
  }
}

/** Every byte and every time of change. */
function snapshot({ folder, tree }: Project): Map<string, unknown> {
  const entries = [...tree()].map(([path, content]) => {
    return [path, { content, mtimeMs: statSync(join(folder, path)).mtimeMs }] as const;
  });
  return new Map(entries);
}

async function whoami(synapse: Synapse, token: string): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(`${synapse.baseUrl}/_matrix/client/v3/account/whoami`, {
    headers: { authorization: `Bearer ${token}` },
  });
  assert.equal(response.status, 200);
  return (await response.json()) as Record<string, unknown>;
}
