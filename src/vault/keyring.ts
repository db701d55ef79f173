// Which of several vault passwords opens an envelope, and which one seals a new one: Ansible's rules.
import type { Fault, Position } from '../errors.ts';
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
  /** The option or setting that named its source. */
  readonly origin?: string;
}

/** What an envelope held, and what is needed to seal it again in the same way. */
export interface Opened {
  readonly plaintext: Buffer;
  /** The vault ID of the header, null in format 1.1. */
  readonly label: string | null;
  /** The password that opened it. */
  readonly secret: VaultSecret;
}

/** The rules by which Ansible chooses among vault passwords. */
export interface VaultRules {
  /** `vault_id_match`: an envelope is opened with passwords of its own vault ID only. */
  readonly onlyOwnId: boolean;
  /** `vault_identity`: the vault ID of passwords and envelopes that name none. */
  readonly unnamedId: string;
  /** Which vault ID encrypts where nothing more particular says so; null: the only one there is. */
  readonly encryptId: NamedId | null;
}

/** A vault ID, and the option or setting that named it. */
export interface NamedId {
  readonly label: string;
  readonly origin: string;
}

/** The vault passwords of a run, in Ansible's order. */
export interface Keyring extends VaultRules {
  readonly secrets: readonly VaultSecret[];
}

/** What Ansible does where no setting says otherwise. */
export const STANDARD_RULES: VaultRules = {
  onlyOwnId: false,
  unnamedId: DEFAULT_LABEL,
  encryptId: null,
};

/** Gives a keyring of these passwords, with the standard rules unless others are given. */
export function keyringOf(
  secrets: readonly VaultSecret[],
  rules: Partial<VaultRules> = {},
): Keyring {
  return { ...STANDARD_RULES, ...rules, secrets };
}

const NO_PASSWORD_FIX = [
  'make one, and keep a copy of it:',
  '(umask 077; openssl rand -base64 32 > ~/.vault_pass)',
  'export ANSIBLE_VAULT_PASSWORD_FILE=~/.vault_pass',
].join('\n');

/**
 * Opens an envelope that stands at `at`: the passwords of its vault ID are tried first, then all
 * others, which Ansible does too unless `vault_id_match` is set. Throws `InputError`: E_VAULT_FORMAT
 * for a damaged envelope, E_VAULT_PASSWORD where no password opens it.
 */
export async function openEnvelope(text: string, keyring: Keyring, at: Position): Promise<Opened> {
  const envelope = parseEnvelope(text, at);
  for (const secret of candidatesFor(envelope, keyring)) {
    const plaintext = await openWith(envelope, secret, at);
    if (plaintext !== null) return { plaintext, label: envelope.label, secret };
  }
  throw new InputError(unopened(envelope, keyring, at));
}

/** Like `openEnvelope`, for text. Throws E_VAULT_FORMAT where the content is not UTF-8. */
export async function openText(
  envelopeText: string,
  keyring: Keyring,
  at: Position,
): Promise<{ readonly text: string; readonly secret: VaultSecret }> {
  const { plaintext, secret } = await openEnvelope(envelopeText, keyring, at);
  const text = plaintext.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(plaintext)) return { text, secret };
  throw new InputError({
    code: 'E_VAULT_FORMAT',
    at,
    found: 'a vault whose content is not UTF-8 text',
    wanted: 'text',
  });
}

/** Gives the text alone. Throws what `openText` throws. */
export async function decryptText(
  envelopeText: string,
  keyring: Keyring,
  at: Position,
): Promise<string> {
  return (await openText(envelopeText, keyring, at)).text;
}

/**
 * Chooses the password for a new envelope as `ansible-vault encrypt` does: the first one of the vault
 * ID that `vaultId` or else the keyring names, or the only one there is. Throws `InputError` with
 * E_VAULT_PASSWORD where there is none, or several and none is named.
 */
export function encryptionSecret(keyring: Keyring, vaultId: string | null): VaultSecret {
  const { secrets, encryptId } = keyring;
  const named = vaultId === null ? encryptId : { label: vaultId, origin: 'vault_id' };
  const matches =
    named === null ? secrets : secrets.filter((secret) => secret.label === named.label);
  const [first] = matches;
  if (first !== undefined && (named !== null || matches.length === 1)) return first;
  throw new InputError(choiceFault(secrets, named));
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

function candidatesFor({ label }: Envelope, keyring: Keyring): VaultSecret[] {
  const { secrets, onlyOwnId, unnamedId } = keyring;
  const fits = (secret: VaultSecret): boolean => secret.label === (label ?? unnamedId);
  const own = secrets.filter(fits);
  return onlyOwnId ? own : [...own, ...secrets.filter((secret) => !fits(secret))];
}

function unopened({ label }: Envelope, keyring: Keyring, at: Position): Fault {
  const { secrets, onlyOwnId, unnamedId } = keyring;
  const own = label ?? unnamedId;
  const given = `(${listLabels(secrets)})`;
  const isKept = onlyOwnId && !secrets.some((secret) => secret.label === own);
  const none =
    secrets.length === 0
      ? 'a vaulted value, and no vault password was given'
      : `none of the vault passwords given ${given} opens this vault`;
  return {
    code: 'E_VAULT_PASSWORD',
    at,
    found: isKept
      ? `a vault of ID ${own}: with vault_id_match no password of another ID is tried ${given}`
      : none,
    wanted: `the password of vault ID ${own}`,
    fix:
      own === unnamedId
        ? 'give it with `--vault-password-file FILE` or `--vault-id LABEL@FILE`'
        : `give it with \`--vault-id ${own}@FILE\``,
  };
}

function choiceFault(secrets: readonly VaultSecret[], named: NamedId | null): Fault {
  const code = 'E_VAULT_PASSWORD' as const;
  if (secrets.length === 0) {
    return { code, found: 'no vault password was given', fix: NO_PASSWORD_FIX };
  }
  if (named === null) {
    const found = `several vault passwords were given (${listLabels(secrets)})`;
    if (new Set(secrets.map(({ label }) => label)).size === 1) {
      return { code, found: `${found}${listOrigins(secrets)}`, wanted: 'one', fix: LEAVE_ONE };
    }
    const fix = `add "vault_id: ${secrets[0]?.label}" to the service or to matrix_tokens_defaults, or name one with --encrypt-vault-id`;
    return { code, found, wanted: 'one, or a vault ID that is named', fix };
  }
  const { label, origin } = named;
  const found = `no vault password was given for vault ID ${label}, which ${origin} names`;
  return {
    code,
    found,
    wanted: `one of ${listLabels(secrets)}, or \`--vault-id ${label}@FILE\``,
  };
}

const LEAVE_ONE =
  'leave one of them out, or tell them apart: `--vault-id LABEL@FILE`, with vault_id or --encrypt-vault-id to name the one that encrypts';

function listOrigins(secrets: readonly VaultSecret[]): string {
  const origins = secrets.flatMap(({ origin }) => origin ?? []);
  return origins.length === secrets.length ? `, by ${origins.join(' and ')}` : '';
}

function listLabels(secrets: readonly VaultSecret[]): string {
  return secrets.map((secret) => secret.label).join(', ');
}
