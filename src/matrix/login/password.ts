// m.login.password. The password goes out in one request, which is never sent again from here.
import type { Secret } from '../../secret.ts';
import { classifyLogin, type Credential } from '../credential.ts';
import type { Failure } from '../failure.ts';
import { endpointUrl, missingPasswordFlow, type Homeserver } from '../homeserver.ts';
import type { HttpClient } from '../http.ts';

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
  const { userId, deviceId, displayName } = login;
  const body = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: userId },
    password: login.password.reveal(),
    device_id: deviceId,
    ...(displayName === null ? {} : { initial_device_display_name: displayName }),
  };
  const result = await client.request('POST', endpointUrl(homeserver, '/login'), { body });
  return classifyLogin(result, { userId, deviceId });
}
