// Services of a project on the real Synapse, with a relay between that sees what is sent.
import { HOST } from './provision-services.ts';
import { makeProject } from './provision-project.ts';
import type { Cleanup, Project } from './provision-project.ts';
import { startRelay } from './cutting-relay.ts';
import type { Cut, Relay } from './cutting-relay.ts';
import { sharedSynapse } from './synapse.ts';
import type { Synapse, TestUser } from './synapse.ts';

export interface SynapseServices {
  readonly synapse: Synapse;
  readonly project: Project;
  readonly relay: Relay;
  readonly users: readonly TestUser[];
}

export interface SynapseServicesOptions {
  /** One service a user; default: one user. */
  readonly users?: (synapse: Synapse) => Promise<readonly TestUser[]>;
  /** The definition of a service, as YAML in flow style; default: user and password. */
  readonly define?: (user: TestUser, index: number) => Readonly<Record<string, string>>;
  readonly cutFor?: (request: string) => Cut | null;
}

/** Makes users on the shared Synapse, and a project whose services s0, s1 … are theirs. */
export async function synapseServices(
  t: Cleanup,
  options: SynapseServicesOptions = {},
): Promise<SynapseServices> {
  const { users: makeUsers, define, cutFor = () => null } = options;
  const synapse = await sharedSynapse();
  t.after(() => synapse.stop());
  const users = await (makeUsers?.(synapse) ?? synapse.newUser('conformance').then((one) => [one]));
  const relay = await startRelay(t, synapse.baseUrl, cutFor);
  const project = await makeProject(t);
  await project.write('inventory.yml', `all:\n  hosts:\n    ${HOST}:\n`);
  const definitions = users.map((user, index) => {
    const variables = `{access_token: vault_s${index}_token, device_id: vault_s${index}_device}`;
    const keys = {
      user: JSON.stringify(user.userId),
      password: JSON.stringify(user.password),
      variables,
      ...define?.(user, index),
    };
    const words = Object.entries(keys).map(([key, value]) => `${key}: ${value}`);
    return `  s${index}: {${words.join(', ')}}\n`;
  });
  const lines = [
    `matrix_tokens_server_name: ${synapse.serverName}\n`,
    `matrix_tokens_homeserver_url: ${relay.baseUrl}\n`,
    'matrix_tokens_services:\n',
    ...definitions,
  ];
  await project.write(`host_vars/${HOST}/vars.yml`, lines.join(''));
  return { synapse, project, relay, users };
}

/** Gives the bodies of all logins that were sent. */
export function loginBodies({ relay }: SynapseServices): Record<string, unknown>[] {
  return relay.requests
    .filter((request) => /^POST \S+\/login /.test(request))
    .map((request) => {
      // The relay keeps bytes; the body is UTF-8.
      const bytes = Buffer.from(request, 'latin1').toString('utf8');
      return JSON.parse(bytes.slice(bytes.indexOf('\r\n\r\n'))) as Record<string, unknown>;
    });
}
