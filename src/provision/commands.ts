// What to type on the homeserver where this program can do nothing, with the values of the case and
// no secret. Names were checked by the schema and the grammar of user IDs; they are quoted all the same.
import type { ServiceDefinition, VariablePath } from '../definitions/types.ts';
import type { Software } from '../matrix/software.ts';

/** Where matrix-docker-ansible-deploy puts MAS's own program. */
const PLAYBOOK_MAS_CLI = '/matrix/matrix-authentication-service/bin/mas-cli';

type Who = Pick<ServiceDefinition, 'localpart' | 'needsAdmin' | 'playbook' | 'homeserver'>;

/** Gives a sentence and the command that creates a user; null where the software is not known. */
export function userCommand(software: Software | null, who: Who): string | null {
  const { localpart, needsAdmin, playbook, homeserver } = who;
  const name = quote(localpart);
  const inAdminRoom = 'create the user in the admin room of the homeserver:';
  switch (software) {
    case 'synapse':
    case 'dendrite':
    case 'mas':
      return playbook.isUsed
        ? `create the user, with its password in place of PASSWORD (others on this machine can see it while the command runs):\njust register-user ${name} PASSWORD ${needsAdmin ? 'yes' : 'no'}`
        : `create the user on the homeserver:\n${SHELL_COMMANDS[software](name, needsAdmin)}`;
    case 'continuwuity':
    case 'tuwunel':
      return `${inAdminRoom}\n!admin users create-user ${localpart} PASSWORD`;
    case 'conduit':
      return `${inAdminRoom}\n@conduit:${homeserver.serverName}: create-user ${localpart} PASSWORD`;
    case null:
      return null;
  }
}

/** Each asks for the password. */
const SHELL_COMMANDS = {
  synapse: (name: string, isAdmin: boolean) =>
    `register_new_matrix_user -u ${name} ${isAdmin ? '--admin' : '--no-admin -t bot'} -c homeserver.yaml`,
  dendrite: (name: string, isAdmin: boolean) =>
    `create-account -config dendrite.yaml -username ${name}${isAdmin ? ' -admin' : ''}`,
  mas: (name: string, isAdmin: boolean) =>
    `mas-cli manage register-user ${name} ${isAdmin ? '--admin' : '--no-admin'}`,
};

export interface TokenRequest extends Who {
  readonly deviceId: string;
  readonly variables: {
    readonly accessToken: VariablePath;
    readonly deviceId: VariablePath | null;
  };
}

/** Gives the commands that make a token by hand on Matrix Authentication Service. */
export function masTokenCommands(request: TokenRequest): string {
  const { localpart, deviceId, needsAdmin, playbook, variables } = request;
  const cli = playbook.isUsed ? PLAYBOOK_MAS_CLI : 'mas-cli';
  const admin = needsAdmin ? ' --yes-i-want-to-grant-synapse-admin-privileges' : '';
  const [variable] = variables.accessToken.slice(-1);
  const device =
    variables.deviceId === null ? [] : [`${variables.deviceId.join(' → ')}: ${deviceId}`];
  return [
    `${cli} manage issue-compatibility-token ${quote(localpart)} ${quote(deviceId)}${admin}`,
    `ansible-vault encrypt_string --stdin-name ${quote(variable ?? '')}`,
    ...device,
  ].join('\n');
}

/** Gives the setting that makes a homeserver accept logins faster; null where it is not known. */
export function rateLimitSetting(
  software: Software | null,
  { isUsed }: ServiceDefinition['playbook'],
): string | null {
  switch (software) {
    case 'synapse':
      return isUsed ? PLAYBOOK_SYNAPSE_LIMIT : SYNAPSE_LIMIT;
    case 'mas':
      return isUsed ? PLAYBOOK_MAS_LIMIT : MAS_LIMIT;
    case 'dendrite':
      return DENDRITE_LIMIT;
    case 'conduit':
    case 'continuwuity':
    case 'tuwunel':
    case null:
      return null;
  }
}

const SYNAPSE_LIMIT = `in homeserver.yaml of Synapse:
rc_login:
  address: {per_second: 1, burst_count: 50}
  account: {per_second: 1, burst_count: 50}`;

const PLAYBOOK_SYNAPSE_LIMIT = `in the vars of the host:
matrix_synapse_rc_login:
  address: {per_second: 1, burst_count: 50}
  account: {per_second: 1, burst_count: 50}
  failed_attempts: {per_second: 0.17, burst_count: 3}`;

const MAS_LIMIT = `in config.yaml of Matrix Authentication Service:
rate_limiting:
  login:
    per_ip: {burst: 50, per_second: 1}`;

const PLAYBOOK_MAS_LIMIT = `in the vars of the host:
matrix_authentication_service_configuration_extension_yaml: |
  rate_limiting:
    login:
      per_ip: {burst: 50, per_second: 1}`;

const DENDRITE_LIMIT = `in dendrite.yaml:
client_api:
  rate_limiting: {enabled: true, threshold: 50, cooloff_ms: 500}`;

/** For a shell; a name may hold anything visible in ASCII. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
