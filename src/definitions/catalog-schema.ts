// What may stand in an entry of the catalog, as JSON Schema: the source of its type, of its checks and of
// vars/services.schema.json.
import { kind, variables } from './schema-parts.ts';

const catalogValue = {
  anyOf: [{ type: 'string' }, { type: 'boolean' }, { type: 'number' }],
} as const;
const variableName = { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]*$' } as const;

/** An entry of the catalog: vars/services/<service>.yml. */
export const catalogSchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Catalog entry of matrix-tokens',
  type: 'object',
  properties: {
    kind,
    user: {
      type: 'object',
      description: 'Where the user is found: a variable, or else a default localpart.',
      properties: { variable: variableName, default: { type: 'string', minLength: 1 } },
      additionalProperties: false,
    },
    password: {
      type: 'array',
      description: 'Variables that may hold the password, the first that is set counts.',
      items: variableName,
    },
    variables,
    enabled: { ...variableName, description: 'Variable that switches the service on and off.' },
    unwanted_when: {
      type: 'array',
      description:
        'No token is wanted when one of these variables has this value; without `equals`, when it is set at all.',
      items: {
        type: 'object',
        properties: { variable: variableName, equals: catalogValue },
        required: ['variable'],
        additionalProperties: false,
      },
    },
    renamed: {
      type: 'object',
      description: 'Old names of variables that no longer work, with the new ones.',
      additionalProperties: variableName,
    },
    needs_admin: {
      type: 'boolean',
      description: 'true: its user has to be a server administrator.',
    },
    install_tag: {
      type: 'string',
      description: 'Tag of the playbook run that installs the service with its new token.',
    },
  },
  required: ['kind'],
  additionalProperties: false,
} as const;
