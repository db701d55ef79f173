// The playbook of the role's README, and the real Synapse.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeProject } from './helpers/provision-project.ts';
import { ansibleSkip, synapseSkip } from './helpers/python.ts';
import { playbooksIn, ROLES } from './helpers/role.ts';
import { sharedSynapse } from './helpers/synapse.ts';

const skip = (await ansibleSkip()) || (await synapseSkip());

const README = readFileSync(join(ROLES, 'matrix_tokens/README.md'), 'utf8');
const HOST = 'matrix.example.com';

/** Gives the n-th block of YAML. */
function block(index: number): string {
  const blocks = [...README.matchAll(/^```yaml\n(.*?)^```$/gms)];
  return blocks[index]?.[1] ?? assert.fail('there is no such block');
}

test('the example of the README on the real Synapse, twice', { skip }, async (t) => {
  const synapse = await sharedSynapse();
  t.after(() => synapse.stop());
  const user = await synapse.newUser('rss');
  const project = await makeProject(t);
  const playbooks = await playbooksIn(t, project);
  const file = join(playbooks.home, 'rss-bot.yml');
  await project.write('play.yml', block(0).replace('/etc/rss-bot.yml', file));
  await project.write(
    'inventory.yml',
    `matrix_servers: {hosts: {${HOST}: {ansible_connection: local}}}\n`,
  );
  const vars = block(1)
    .replaceAll('example.com', synapse.serverName)
    .replace('bot.rss', user.localpart);
  await project.write(
    `host_vars/${HOST}/vars.yml`,
    `${vars}matrix_tokens_homeserver_url: ${synapse.baseUrl}\n`,
  );
  const sealed = await project.sealed(user.password);
  await project.write(`host_vars/${HOST}/vault.yml`, `vault_rss_password: ${sealed}\n`);

  const first = await playbooks.run();
  assert.equal(first.exitCode, 0, first.stdout + first.stderr);
  assert.match(first.stdout, /"msg": "restarting rss"/);
  const token = /^access_token: (\S+)$/.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  const response = await fetch(`${synapse.baseUrl}/_matrix/client/v3/account/whoami`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const who = (await response.json()) as Readonly<Record<string, unknown>>;
  assert.equal(who['user_id'], user.userId);

  const again = await playbooks.run({ args: ['--tags', 'matrix-tokens'] });
  assert.equal(again.recap[HOST]?.['changed'], 0, again.stdout);
  const devices = await synapse.devicesOf(user.userId);
  assert.deepEqual(
    devices.map((one) => one.device_id),
    [who['device_id']],
  );
});
