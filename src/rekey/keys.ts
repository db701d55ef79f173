// The new password of a rekey, and what opens values until all of them have it.
import { InputError, type Position } from '../errors.ts';
import { passwordIo, type VaultAccess } from '../provision/vault-access.ts';
import type { World } from '../provision/world.ts';
import { open } from '../vault/cipher.ts';
import { parseEnvelope } from '../vault/envelope.ts';
import {
  encryptionSecret,
  openEnvelope,
  type Keyring,
  type VaultSecret,
} from '../vault/keyring.ts';
import { passwordFile, parseVaultId, type Source } from '../vault/password-sources.ts';
import { loadNewSecret } from '../vault/passwords.ts';

/** Where the new password comes from. */
export interface NewPassword {
  /** Of `--new-vault-id`. */
  readonly newVaultId: string | undefined;
  /** Of `--new-vault-password-file`. */
  readonly newVaultPasswordFile: string | undefined;
  /** Of `--encrypt-vault-id`: one of the passwords that are given already. */
  readonly encryptVaultId: string | undefined;
}

export interface RekeyKeys {
  /** Old passwords and the new one. */
  readonly keyring: Keyring;
  readonly fresh: VaultSecret;
  /** Gives what an envelope holds. Throws what `openEnvelope` throws. */
  open(envelope: string, at: Position): Promise<Buffer>;
  /** Tells whether the new password opens an envelope. */
  isFresh(envelope: string, at: Position): Promise<boolean>;
}

/** Reads the passwords, the new one last. Throws InputError (E_OPTION, E_VAULT_PASSWORD). */
export async function readKeys(
  options: NewPassword,
  vault: VaultAccess,
  world: World,
): Promise<RekeyKeys> {
  const { prompt } = world;
  const isNamed = Object.values(options).some((value) => value !== undefined);
  if (!isNamed && prompt === null) throw new InputError(NO_NEW_PASSWORD);
  const old = await vault.keyring();
  const source = sourceOf(options, old.unnamedId);
  if (source === null) return keysOf(old, encryptionSecret(old, null));
  const fresh = await loadNewSecret(source, old, passwordIo(world));
  return keysOf({ ...old, secrets: [...old.secrets, fresh] }, fresh);
}

/** Deriving keys is what takes the time, and everything is looked at again under the locks. */
function keysOf(keyring: Keyring, fresh: VaultSecret): RekeyKeys {
  return {
    keyring,
    fresh,
    open: once(async (envelope, at) => (await openEnvelope(envelope, keyring, at)).plaintext),
    isFresh: once(async (envelope, at) => {
      return (await open(parseEnvelope(envelope, at), fresh.password)) !== null;
    }),
  };
}

type Look<T> = (envelope: string, at: Position) => Promise<T>;

function once<T>(look: Look<T>): Look<T> {
  const known = new Map<string, Promise<T>>();
  return (envelope, at) => {
    const result = known.get(envelope) ?? look(envelope, at);
    known.set(envelope, result);
    return result;
  };
}

const NO_NEW_PASSWORD = {
  code: 'E_OPTION',
  found: 'rekey without a new password, and there is no terminal to ask for one',
  wanted: '`--new-vault-id LABEL@FILE`, or `--new-vault-password-file FILE`',
} as const;

/** Gives null where the new password is one of the old ones. */
function sourceOf(options: NewPassword, unnamedId: string): Source | null {
  const { newVaultId, newVaultPasswordFile, encryptVaultId } = options;
  if (newVaultId !== undefined) return parseVaultId(newVaultId, unnamedId, '--new-vault-id');
  if (newVaultPasswordFile !== undefined) {
    return passwordFile(newVaultPasswordFile, unnamedId, '--new-vault-password-file');
  }
  if (encryptVaultId !== undefined) return null;
  return { label: unnamedId, from: { prompt: 'Vault password: ' }, origin: 'the terminal' };
}
