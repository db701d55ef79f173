// The login type of the Synapse module shared_secret_auth.
import { createHmac } from 'node:crypto';

export const SHARED_SECRET_TYPE = 'com.devture.shared_secret_auth';

export interface SharedSecretAuth {
  readonly secret: string;
  /** Whether `m.login.password` takes the proof in place of a password. */
  readonly takesPassword?: boolean;
}

/** Tells whether a text is the proof for a user: the HMAC of the full user ID, in hex. */
export function isProof(auth: SharedSecretAuth, userId: string, text: unknown): boolean {
  return text === createHmac('sha512', auth.secret).update(userId).digest('hex');
}
