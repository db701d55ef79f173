// The one request of every login that has a device of its own.
import type { Secret } from '../../secret.ts';
import { classifyLogin, type Credential } from '../credential.ts';
import type { Failure } from '../failure.ts';
import { endpointUrl, type Homeserver } from '../homeserver.ts';
import type { HttpClient } from '../http.ts';
import type { LoginRequest } from './method.ts';

/** What is particular to a login type: its name, and the field that proves the user. */
export interface LoginProof {
  readonly type: string;
  readonly field: 'password' | 'token';
  readonly proof: Secret;
}

/**
 * Sends a login. It is never sent again from here.
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3login
 */
export async function sendLogin(
  client: HttpClient,
  homeserver: Homeserver,
  { userId, deviceId, displayName }: Omit<LoginRequest, 'secret'>,
  { type, field, proof }: LoginProof,
): Promise<Credential | Failure> {
  const body = {
    type,
    identifier: { type: 'm.id.user', user: userId },
    [field]: proof.reveal(),
    device_id: deviceId,
    ...(displayName === null ? {} : { initial_device_display_name: displayName }),
  };
  const result = await client.request('POST', endpointUrl(homeserver, '/login'), { body });
  return classifyLogin(result, { userId, deviceId });
}
