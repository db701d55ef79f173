// What may stand in vars, as JSON Schema: the source of the types, of the checks, of
// vars/*.schema.json for editors and of docs/definitions.md. `writeOnly` marks what may hold a
// secret: what was found there is never shown.
import { LOGIN_METHODS } from '../matrix/login/registry.ts';
import { kind, secretSource, variables } from './schema-parts.ts';

/** Keys that a service and matrix_tokens_defaults have in common. */
const sharedProperties = {
  kind,
  login: {
    type: 'string',
    enum: ['auto', ...LOGIN_METHODS.map(({ name }) => name)],
    description:
      'How it logs in. auto (default): with its password, or else with the shared secret of the host, as the homeserver offers it. Any other: in this way only.',
  },
  enabled: {
    type: 'boolean',
    description: 'false: the service is skipped. Default: true, or what the catalog refers to.',
  },
  homeserver: {
    type: 'string',
    minLength: 1,
    maxLength: 500,
    description:
      'For a user of another server than the host: its server name (discovered), or the URL of its client-server API.',
  },
  device_display_name: {
    type: 'string',
    maxLength: 100,
    description:
      'Name of the new device in lists of sessions. Default: "<service> (matrix-tokens)".',
  },
  vault_format: {
    type: 'string',
    enum: ['inline', 'file'],
    description:
      'inline (default): readable names, each value an inline !vault. file: the whole file is encrypted. An existing file keeps its format.',
  },
  vault_id: {
    type: 'string',
    pattern: '^[!-:<-?A-~](?:[ -:<-?A-~]*[!-:<-?A-~])?$',
    maxLength: 100,
    description:
      'Vault ID (label) to encrypt with, where several vault passwords are given. What a file holds keeps its own.',
  },
} as const;

export const serviceSchema = {
  type: 'object',
  description: 'One bot or bridge that wants an access token.',
  properties: {
    service: {
      type: 'string',
      pattern: '^[a-z0-9_]+$',
      description:
        'Entry of the catalog that fills in user, variables and passwords. Default: the name of the service.',
    },
    user: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      description:
        'Localpart or full user ID. Default: from the catalog, else the name of the service.',
    },
    password: secretSource('The password of the user'),
    variables,
    device_id: {
      type: 'string',
      pattern: '^[A-Za-z0-9._~-]+$',
      maxLength: 255,
      description:
        'A fixed device ID. Default: a new one at each login. An existing session of that device is logged out.',
    },
    vault_file: {
      type: 'string',
      minLength: 1,
      maxLength: 1000,
      description:
        'File that receives the values, relative to the folder of the inventory; in one that you keep by hand every other byte stays. Default: host_vars/<host>/vault_matrix_tokens/<service>.yml.',
    },
    register_as: {
      type: 'string',
      enum: ['bot', 'admin'],
      description:
        'What its user is created as, if it is missing and matrix_tokens_register is set: bot (default) or admin, a server administrator. Users that exist stay as they are.',
    },
    ...sharedProperties,
  },
  additionalProperties: false,
} as const;

const servicesSchema = {
  type: 'object',
  description:
    'The services of a host, by name. Variables matrix_tokens_services_* are merged with it; a service may stand in one of them only.',
  propertyNames: { pattern: '^[a-z0-9_]+$', maxLength: 100 },
  additionalProperties: { $ref: '#/definitions/service' },
} as const;

/** The variables that a host or group may set; other variables are not ours. */
export const varsSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Variables of matrix-tokens',
  definitions: { service: serviceSchema },
  type: 'object',
  properties: {
    matrix_tokens_server_name: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      description:
        'Server name of the homeserver, the part after the colon of a user ID. Default: matrix_domain.',
    },
    matrix_tokens_homeserver_url: {
      type: 'string',
      minLength: 1,
      maxLength: 500,
      description:
        'Base URL of the client-server API. Default: https://<matrix_server_fqn_matrix> where that is set, else discovered from the server name.',
    },
    matrix_tokens_services: servicesSchema,
    matrix_tokens_defaults: {
      type: 'object',
      description: 'Defaults for the services of this host.',
      properties: sharedProperties,
      additionalProperties: false,
    },
    matrix_tokens_ca_file: {
      type: 'string',
      minLength: 1,
      description:
        'PEM file with further certificate authorities to trust; relative to the folder of the inventory.',
    },
    matrix_tokens_allow_http: {
      type: 'boolean',
      description:
        'true: a configured http:// URL is accepted beyond loopback. Passwords then travel in clear.',
    },
    matrix_tokens_vault_dir: {
      type: 'string',
      minLength: 1,
      maxLength: 1000,
      description:
        'Folder that receives the files, as <folder>/<host>/<service>.yml, where the inventory does not last, as in AWX; relative to the folder of the inventory. Default: host_vars beside the inventory.',
    },
    matrix_tokens_shared_secret_auth: {
      type: 'object',
      description:
        'The module shared_secret_auth of the homeserver: its users log in without passwords (login: shared_secret). Default: matrix_synapse_ext_password_provider_shared_secret_auth_shared_secret, where that module is enabled and a service has no password.',
      properties: { shared_secret: secretSource('The shared_secret of the module') },
      required: ['shared_secret'],
      additionalProperties: false,
    },
    matrix_tokens_register: {
      type: 'object',
      description:
        'Users that are missing are created, by the registration API of Synapse and Dendrite. Without it nobody is created.',
      properties: {
        shared_secret: secretSource('The registration_shared_secret of the homeserver'),
        url: {
          type: 'string',
          minLength: 1,
          maxLength: 500,
          description:
            'Base URL where /_synapse/admin/v1/register is reachable, such as that of an SSH tunnel: http://127.0.0.1:8008. Default: that of the client-server API.',
        },
      },
      required: ['shared_secret'],
      additionalProperties: false,
    },
    matrix_tokens_max_wait: {
      type: 'number',
      minimum: 0,
      maximum: 86400,
      description:
        'Seconds to wait for rate limits, a homeserver and run; services beyond it are deferred. Default: 600.',
    },
  },
  patternProperties: { '^matrix_tokens_services_[A-Za-z0-9_]+$': servicesSchema },
  additionalProperties: false,
} as const;

/** Settings of the role alone: known wherever they stand, and read by nobody else. */
export const roleProperties = {
  matrix_tokens_node: {
    type: 'string',
    default: 'node',
    description: 'Path or name of Node 20.19 or newer on the control machine.',
  },
  matrix_tokens_bin: {
    type: 'string',
    description:
      'Path of the program, one file, on the control machine. Default: the one that comes with the role.',
  },
  matrix_tokens_fail_on_deferred: {
    type: 'boolean',
    default: true,
    description:
      'Whether a service that a rate limit has put off fails the host. The next run does it.',
  },
} as const;

/** Variables of the role, with the one that it sets. */
export const ROLE_VARIABLES: readonly string[] = [
  ...Object.keys(roleProperties),
  'matrix_tokens_changed_services',
];
