// Projects whose homeserver is a real Synapse.
import assert from 'node:assert/strict';
import { makeProject } from './provision-project.ts';
import type { Cleanup, Project } from './provision-project.ts';
import { HOST, readStored } from './provision-services.ts';
import type { Synapse, TestUser } from './synapse.ts';

export type SynapseServices = Readonly<
  Record<string, Pick<TestUser, 'userId'> & { readonly password?: string }>
>;

/** Makes a project with a service for each user. `settings`: further vars of the host, as YAML. */
export async function projectOn(
  t: Cleanup,
  synapse: Synapse,
  services: SynapseServices,
  { baseUrl = synapse.baseUrl, settings = '' } = {},
): Promise<Project> {
  const project = await makeProject(t);
  await project.write('inventory.yml', `all:\n  hosts:\n    ${HOST}:\n`);
  const definitions = Object.entries(services).map(([name, { userId, password }]) => {
    const variables = `{access_token: vault_${name}_token, device_id: vault_${name}_device}`;
    const secret = password === undefined ? '' : `password: ${JSON.stringify(password)}, `;
    return `  ${name}: {user: "${userId}", ${secret}variables: ${variables}}\n`;
  });
  const lines = [
    `matrix_tokens_server_name: ${synapse.serverName}\n`,
    `matrix_tokens_homeserver_url: ${baseUrl}\n`,
    settings,
    'matrix_tokens_services:\n',
    ...definitions,
  ];
  await project.write(`host_vars/${HOST}/vars.yml`, lines.join(''));
  return project;
}

/** Fails unless the stored token works, and is of the only device that the user has. */
export async function assertStored(
  synapse: Synapse,
  project: Project,
  service: string,
): Promise<void> {
  const { userId, deviceId, accessToken } = await readStored(project, service);
  const response = await fetch(`${synapse.baseUrl}/_matrix/client/v3/account/whoami`, {
    headers: { authorization: `Bearer ${accessToken}` },
  });
  const who = (await response.json()) as Record<string, unknown>;
  assert.deepEqual([who['user_id'], who['device_id']], [userId, deviceId]);
  const devices = await synapse.devicesOf(userId);
  assert.deepEqual(
    devices.map((device) => device.device_id),
    [deviceId],
  );
}
