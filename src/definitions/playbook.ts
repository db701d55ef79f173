// What the variables of matrix-docker-ansible-deploy say that concerns us. They belong to others: what
// is not plain text there is none of our business, and nothing of it is an error.
import { InputError } from '../errors.ts';
import type { YamlNode } from '../yaml/node.ts';
import { hideOpenSecret } from './secret-shape.ts';
import type { PlaybookFacts, SecretSource } from './types.ts';
import { isTrue } from './unwanted.ts';
import { ClosedVaultError, readValue, type ValueReader } from './values.ts';

/** Every inventory of the playbook sets one of these. */
const MARKS = ['matrix_homeserver_implementation', 'matrix_homeserver_generic_secret_key'];

/** Secrets that log users in, by our variable for them. */
const SECRETS: Readonly<Record<string, { readonly secret: string; readonly enabled: string }>> = {
  matrix_tokens_shared_secret_auth: {
    secret: 'matrix_synapse_ext_password_provider_shared_secret_auth_shared_secret',
    enabled: 'matrix_synapse_ext_password_provider_shared_secret_auth_enabled',
  },
};

/** Gives the plain value of a variable of the playbook, or null. */
export async function readPlain(name: string, reader: ValueReader): Promise<YamlNode | null> {
  const entry = reader.host.lookup(name).found?.entry;
  if (entry === undefined) return null;
  try {
    return await readValue(entry.value, reader);
  } catch (error) {
    if (error instanceof InputError || error instanceof ClosedVaultError) return null;
    throw error;
  }
}

/** Gives what the playbook is told about the homeserver. */
export async function readPlaybook(reader: ValueReader): Promise<PlaybookFacts> {
  const isUsed = MARKS.some((name) => reader.host.lookup(name).found !== null);
  const implementation = await readPlain('matrix_homeserver_implementation', reader);
  const mas = await readPlain('matrix_authentication_service_enabled', reader);
  const text = implementation?.kind === 'scalar' ? implementation.value : null;
  return {
    isUsed,
    implementation: typeof text === 'string' ? text : null,
    hasMas: mas !== null && isTrue(mas),
  };
}

/** Gives the secret that the playbook has for what one of our variables is for, unread, or null. */
export async function playbookSecret(
  variable: string,
  reader: ValueReader,
): Promise<SecretSource | null> {
  const names = SECRETS[variable];
  const entry = names === undefined ? undefined : reader.host.lookup(names.secret).found?.entry;
  if (names === undefined || entry === undefined) return null;
  const enabled = await readPlain(names.enabled, reader);
  if (enabled === null || !isTrue(enabled)) return null;
  hideOpenSecret(entry.value, reader);
  return { kind: 'value', node: entry.value, at: entry.value.at };
}
