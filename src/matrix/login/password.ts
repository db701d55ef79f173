// m.login.password: the password of the user, which opens that user's account and no other.
import type { Secret } from '../../secret.ts';
import type { Credential } from '../credential.ts';
import type { Failure } from '../failure.ts';
import { missingPasswordFlow, type Homeserver } from '../homeserver.ts';
import type { HttpClient } from '../http.ts';
import { deleteDevices } from '../sessions.ts';
import type { LoginMethod } from './method.ts';
import { sendLogin } from './send.ts';

export const PASSWORD_TYPE = 'm.login.password';

export const password: LoginMethod = {
  name: 'password',
  words: 'its password',
  secret: { of: 'service', key: 'password', noun: 'password', opens: 'user' },
  validate({ service, hasSecret }) {
    if (hasSecret) return null;
    return {
      wanted:
        '`password`: a string, {file: path}, {env: NAME}, {command: [program]} or {prompt: true}',
      fix: `add for example \`password: "{{ vault_${service}_password }}"\`, or \`enabled: false\``,
    };
  },
  typeFor: ({ flows }) => (flows.includes(PASSWORD_TYPE) ? PASSWORD_TYPE : null),
  login: (client, homeserver, { secret, ...request }) =>
    loginWithPassword(client, homeserver, { ...request, password: secret }),
  abandon: (client, homeserver, { userId, secret, token, deviceIds }) =>
    deleteDevices(client, homeserver, token, { userId, password: secret, deviceIds }),
};

export interface PasswordLogin {
  /** The full user ID. */
  readonly userId: string;
  readonly password: Secret;
  /** One that no earlier request was sent with, unless its outcome is known. */
  readonly deviceId: string;
  readonly displayName: string | null;
}

/**
 * Logs in with a password: one request, or none where the homeserver offers no such login. A
 * failure with a `session` means that the session has to be logged out.
 * @see https://spec.matrix.org/v1.19/client-server-api/#login
 */
export async function loginWithPassword(
  client: HttpClient,
  homeserver: Homeserver,
  login: PasswordLogin,
): Promise<Credential | Failure> {
  const refusal = missingPasswordFlow(homeserver);
  if (refusal !== null) return refusal;
  const proof = { type: PASSWORD_TYPE, field: 'password', proof: login.password } as const;
  return sendLogin(client, homeserver, login, proof);
}
