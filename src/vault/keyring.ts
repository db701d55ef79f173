// Which of several vault passwords opens an envelope, and which one seals a new one: Ansible's rules.
import type { Position } from '../errors.ts';
import { InputError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { open, PaddingError, seal } from './cipher.ts';
import type { Envelope } from './envelope.ts';
import { DEFAULT_LABEL, formatEnvelope, parseEnvelope } from './envelope.ts';

/** A vault password under its vault ID; `default` where none was named. */
export interface VaultSecret {
  readonly label: string;
  readonly password: Secret;
  /** True where a person typed it, so that it may be asked for a second time. */
  readonly prompted?: true;
}

/** What an envelope held, and what is needed to seal it again in the same way. */
export interface Opened {
  readonly plaintext: Buffer;
  /** The vault ID of the header, null in format 1.1. */
  readonly label: string | null;
  /** The password that opened it. */
  readonly secret: VaultSecret;
}

const NO_PASSWORD_FIX = [
  'make one, and keep a copy of it:',
  '(umask 077; openssl rand -base64 32 > ~/.vault_pass)',
  'export ANSIBLE_VAULT_PASSWORD_FILE=~/.vault_pass',
].join('\n');

/**
 * Opens an envelope that stands at `at`: the passwords of its vault ID are tried first, then all
 * others, as Ansible does unless `vault_id_match` is set. Throws `InputError`: E_VAULT_FORMAT for a
 * damaged envelope, E_VAULT_PASSWORD where no password opens it.
 */
export async function openEnvelope(
  text: string,
  secrets: readonly VaultSecret[],
  at: Position,
): Promise<Opened> {
  const envelope = parseEnvelope(text, at);
  for (const secret of orderSecrets(secrets, envelope.label)) {
    const plaintext = await openWith(envelope, secret, at);
    if (plaintext !== null) return { plaintext, label: envelope.label, secret };
  }
  throw new InputError({
    code: 'E_VAULT_PASSWORD',
    at,
    found:
      secrets.length === 0
        ? 'a vaulted value, and no vault password was given'
        : `none of the vault passwords given (${listLabels(secrets)}) opens this vault`,
    wanted: `the password of vault ID ${envelope.label ?? DEFAULT_LABEL}`,
    fix: 'give it with `--vault-password-file FILE` or `--vault-id LABEL@FILE`',
  });
}

/** Like `openEnvelope`, for text. Throws E_VAULT_FORMAT where the content is not UTF-8. */
export async function decryptText(
  envelopeText: string,
  secrets: readonly VaultSecret[],
  at: Position,
): Promise<string> {
  const { plaintext } = await openEnvelope(envelopeText, secrets, at);
  const text = plaintext.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(plaintext)) {
    throw new InputError({
      code: 'E_VAULT_FORMAT',
      at,
      found: 'a vault whose content is not UTF-8 text',
      wanted: 'text',
    });
  }
  return text;
}

/**
 * Chooses the password for a new envelope as `ansible-vault encrypt` does: the first one of the vault
 * ID that is asked for, or the only one there is. Throws `InputError` with E_VAULT_PASSWORD where
 * there is none, or several and none is named.
 */
export function encryptionSecret(
  secrets: readonly VaultSecret[],
  vaultId: string | undefined,
): VaultSecret {
  const matches =
    vaultId === undefined ? secrets : secrets.filter((secret) => secret.label === vaultId);
  const [first] = matches;
  if (first !== undefined && (vaultId !== undefined || matches.length === 1)) return first;
  throw new InputError(choiceFault(secrets, vaultId));
}

/** Gives a new envelope that holds `text`, format 1.2 unless the vault ID is `default`. */
export async function encryptText(text: string, secret: VaultSecret): Promise<string> {
  const plaintext = Buffer.from(text, 'utf8');
  return formatEnvelope(await seal(plaintext, secret.password, { label: secret.label }));
}

async function openWith(
  envelope: Envelope,
  secret: VaultSecret,
  at: Position,
): Promise<Buffer | null> {
  try {
    return await open(envelope, secret.password);
  } catch (error) {
    if (!(error instanceof PaddingError)) throw error;
    throw new InputError({
      code: 'E_VAULT_FORMAT',
      at,
      found: `a vault that Ansible cannot read either: ${error.message}`,
      fix: 'encrypt the value again with ansible-vault',
    });
  }
}

function orderSecrets(secrets: readonly VaultSecret[], label: string | null): VaultSecret[] {
  const fits = (secret: VaultSecret): boolean => secret.label === (label ?? DEFAULT_LABEL);
  return [...secrets.filter(fits), ...secrets.filter((secret) => !fits(secret))];
}

function choiceFault(secrets: readonly VaultSecret[], vaultId: string | undefined) {
  const code = 'E_VAULT_PASSWORD' as const;
  if (secrets.length === 0) {
    return { code, found: 'no vault password was given', fix: NO_PASSWORD_FIX };
  }
  if (vaultId === undefined) {
    const found = `several vault passwords were given (${listLabels(secrets)})`;
    const fix = `add "vault_id: ${secrets[0]?.label}" to the service, or to matrix_tokens_defaults`;
    return { code, found, wanted: 'one, or a vault ID named in `vault_id`', fix };
  }
  const found = `no vault password was given for vault ID ${vaultId}`;
  return {
    code,
    found,
    wanted: `one of ${listLabels(secrets)}, or \`--vault-id ${vaultId}@FILE\``,
  };
}

function listLabels(secrets: readonly VaultSecret[]): string {
  return secrets.map((secret) => secret.label).join(', ');
}
