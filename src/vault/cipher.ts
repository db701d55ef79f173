// The AES256 cipher of Ansible Vault: one key derivation, encrypt then MAC.
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  pbkdf2,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { promisify } from 'node:util';
import type { Secret } from '../secret.ts';
import type { Envelope } from './envelope.ts';
import { passwordToBytes } from './password-bytes.ts';

const ITERATIONS = 10_000;
const SALT_BYTES = 32;
const BLOCK_BYTES = 16;

// The asynchronous form works on the thread pool: several envelopes open side by side.
const derive = promisify(pbkdf2);

interface Keys {
  readonly cipherKey: Buffer;
  readonly macKey: Buffer;
  readonly iv: Buffer;
}

/** The MAC is right and what it protects is not: no wrong password, but a broken writer. */
export class PaddingError extends Error {
  override name = 'PaddingError' as const;
}

/**
 * Encrypts bytes under a new random salt; `salt` is there for comparing with ansible-vault.
 * Gives the envelope under `label`.
 * @see https://docs.ansible.com/ansible/latest/vault_guide/vault_using_encrypted_content.html#ansible-vault-payload-format-1-1-1-2
 */
export async function seal(
  plaintext: Buffer,
  password: Secret,
  options: { readonly label: string | null; readonly salt?: Buffer },
): Promise<Envelope> {
  const salt = options.salt ?? randomBytes(SALT_BYTES);
  const keys = await deriveKeys(password, salt);
  const cipher = createCipheriv('aes-256-ctr', keys.cipherKey, keys.iv);
  const ciphertext = Buffer.concat([cipher.update(pad(plaintext)), cipher.final()]);
  return { label: options.label, salt, mac: macOf(keys, ciphertext), ciphertext };
}

/**
 * Decrypts an envelope. Gives null where the password is not the one that sealed it; throws
 * `PaddingError` where it is and the content was never padded as it should be.
 */
export async function open(envelope: Envelope, password: Secret): Promise<Buffer | null> {
  const keys = await deriveKeys(password, envelope.salt);
  const mac = macOf(keys, envelope.ciphertext);
  if (mac.length !== envelope.mac.length || !timingSafeEqual(mac, envelope.mac)) return null;
  const decipher = createDecipheriv('aes-256-ctr', keys.cipherKey, keys.iv);
  return unpad(Buffer.concat([decipher.update(envelope.ciphertext), decipher.final()]));
}

async function deriveKeys(password: Secret, salt: Buffer): Promise<Keys> {
  const bytes = await derive(passwordToBytes(password), salt, ITERATIONS, 80, 'sha256');
  return {
    cipherKey: bytes.subarray(0, 32),
    macKey: bytes.subarray(32, 64),
    iv: bytes.subarray(64),
  };
}

function macOf(keys: Keys, ciphertext: Buffer): Buffer {
  return createHmac('sha256', keys.macKey).update(ciphertext).digest();
}

// CTR needs no padding; the format wants PKCS#7 all the same.
function pad(plaintext: Buffer): Buffer {
  const count = BLOCK_BYTES - (plaintext.length % BLOCK_BYTES);
  return Buffer.concat([plaintext, Buffer.alloc(count, count)]);
}

function unpad(padded: Buffer): Buffer {
  const count = padded.at(-1) ?? 0;
  const padding = padded.subarray(-count);
  const right = count >= 1 && count <= BLOCK_BYTES && padding.every((byte) => byte === count);
  if (!right) throw new PaddingError('the content of the envelope is not padded to 16 bytes');
  return padded.subarray(0, padded.length - count);
}
