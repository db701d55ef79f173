// Parts of the schemas that several places have in common.
export const kind = {
  type: 'string',
  enum: ['bot', 'bridge'],
  description:
    'bot: wants an access token. bridge: without a password or a login of its own it is skipped, since it uses its as_token.',
} as const;

const variablePath = {
  description:
    'Name of the variable that receives the value, or a path into a map as a list of keys.',
  type: ['string', 'array'],
  pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
  maxLength: 255,
  items: { type: 'string', minLength: 1, maxLength: 255 },
  minItems: 1,
  maxItems: 8,
} as const;

export const variables = {
  type: 'object',
  description:
    'Where the values go. Without it: access_token into vault_<service>_access_token (or what the catalog says).',
  properties: {
    access_token: variablePath,
    device_id: variablePath,
  },
  required: ['access_token'],
  additionalProperties: false,
} as const;

/** A secret, or where it comes from. */
export const secretSource = (description: string) =>
  ({
    description: `${description}: a string, or one of {file: path}, {env: NAME}, {command: [program, argument, ...]} and {prompt: true}.`,
    writeOnly: true,
    type: ['string', 'object'],
    minLength: 1,
    properties: {
      file: {
        type: 'string',
        minLength: 1,
        description:
          'A file that holds nothing but the secret; relative to the folder of the inventory. A final newline is dropped. It may be encrypted with Ansible Vault.',
      },
      env: {
        type: 'string',
        pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
        description: 'Name of an environment variable that holds the secret.',
      },
      command: {
        type: 'array',
        items: { type: 'string' },
        minItems: 1,
        maxItems: 100,
        description:
          'A program with its arguments that prints the secret; its words are handed over as they stand, never in check mode. A program with a relative path is looked for from the folder of the inventory. Nothing here may come from a vault.',
      },
      prompt: {
        type: 'boolean',
        const: true,
        description:
          'true: asked for on the terminal, once a run (a password: once a user); never in check mode.',
      },
    },
    minProperties: 1,
    maxProperties: 1,
    additionalProperties: false,
  }) as const;
