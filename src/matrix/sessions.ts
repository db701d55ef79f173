// Sessions that exist: one request a function, each answer classified. What a homeserver says when
// it logs somebody out is believed: MAS answers whoami for two minutes longer.
import type { Secret } from '../secret.ts';
import { classifyFailure, errcodeOf, isSuccess } from './answers.ts';
import type { Failure } from './failure.ts';
import { endpointUrl, type Homeserver } from './homeserver.ts';
import type { HttpClient } from './http.ts';
import type { HttpResult } from './http-result.ts';

type Api = Pick<Homeserver, 'baseUrl' | 'api'>;

/**
 * Ends the session of a token. A token that the homeserver does not know is ended, too.
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3logout
 */
export async function logout(
  client: HttpClient,
  homeserver: Api,
  token: Secret,
): Promise<{ readonly kind: 'gone' } | Failure> {
  const url = endpointUrl(homeserver, '/logout');
  const result = await client.request('POST', url, { body: {}, token });
  const isGone = (isSuccess(result) && result.json !== null) || isUnknownToken(result);
  return isGone ? { kind: 'gone' } : classifyFailure(result);
}

/**
 * Gives the IDs of all devices of the user whom a token belongs to.
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3devices
 */
export async function listDevices(
  client: HttpClient,
  homeserver: Api,
  token: Secret,
): Promise<readonly string[] | Failure> {
  const result = await client.request('GET', endpointUrl(homeserver, '/devices'), { token });
  const devices = isSuccess(result) ? result.json?.['devices'] : undefined;
  if (!Array.isArray(devices)) return classifyFailure(result);
  const ids = devices.map((device: unknown) => idOfDevice(device));
  // A list that is understood in part would make a device look gone that is not.
  return ids.every((id) => id !== null) ? ids : classifyFailure(result);
}

export interface DeviceDeletion {
  readonly userId: string;
  readonly password: Secret;
  readonly deviceIds: readonly string[];
}

/** What proves a user in user-interactive authentication. */
export interface DeviceDeletionProof {
  readonly userId: string;
  readonly deviceIds: readonly string[];
  readonly type: string;
  readonly field: 'password' | 'token';
  readonly proof: Secret;
}

/**
 * Removes devices, with the password in the same request. `not_offered`: the homeserver has no such
 * way, or wants more than a password; a login as that device and a logout does the same.
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3delete_devices
 */
export async function deleteDevices(
  client: HttpClient,
  homeserver: Api,
  token: Secret,
  deletion: DeviceDeletion,
): Promise<{ readonly kind: 'gone' } | { readonly kind: 'not_offered' } | Failure> {
  const { userId, deviceIds, password: proof } = deletion;
  const type = 'm.login.password';
  return proveAndDelete(client, homeserver, token, {
    userId,
    deviceIds,
    type,
    field: 'password',
    proof,
  });
}

/**
 * Removes devices, with the proof of a login type that the homeserver takes for it, too.
 * @see https://spec.matrix.org/v1.19/client-server-api/#user-interactive-authentication-api
 */
export async function proveAndDelete(
  client: HttpClient,
  homeserver: Api,
  token: Secret,
  { userId, deviceIds, type, field, proof }: DeviceDeletionProof,
): Promise<{ readonly kind: 'gone' } | { readonly kind: 'not_offered' } | Failure> {
  const identifier = { type: 'm.id.user', user: userId };
  const auth = { type, identifier, [field]: proof.reveal() };
  const url = endpointUrl(homeserver, '/delete_devices');
  const body = { devices: deviceIds, auth };
  const result = await client.request('POST', url, { body, token });
  if (isSuccess(result) && result.json !== null) return { kind: 'gone' };
  return isNotOffered(result) ? { kind: 'not_offered' } : classifyFailure(result);
}

/** What a token is worth. `dead`: the homeserver does not know it. */
export type Whoami =
  | {
      readonly kind: 'alive';
      readonly userId: string;
      /** Null for a token without a device. */
      readonly deviceId: string | null;
      readonly isGuest: boolean;
    }
  | { readonly kind: 'dead'; readonly isSoftLogout: boolean };

/**
 * Asks whom a token belongs to. Any Failure leaves open whether the token is alive.
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3accountwhoami
 */
export async function whoami(
  client: HttpClient,
  homeserver: Api,
  token: Secret,
): Promise<Whoami | Failure> {
  const result = await client.request('GET', endpointUrl(homeserver, '/account/whoami'), { token });
  const json = result.kind === 'answer' ? result.json : null;
  if (isUnknownToken(result)) return { kind: 'dead', isSoftLogout: json?.['soft_logout'] === true };
  const answer = isSuccess(result) ? json : null;
  const userId = answer?.['user_id'];
  if (answer === null || typeof userId !== 'string') return classifyFailure(result);
  const deviceId = typeof answer['device_id'] === 'string' ? answer['device_id'] : null;
  return { kind: 'alive', userId, deviceId, isGuest: answer['is_guest'] === true };
}

/**
 * Asks, without a token, whether a user exists. `missing` is probable, not certain: some servers
 * say it of a user without a name and picture, too. Anything unclear is `unknown`.
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3profileuserid
 */
export async function profileExists(
  client: HttpClient,
  homeserver: Api,
  userId: string,
): Promise<'exists' | 'missing' | 'unknown'> {
  const url = endpointUrl(homeserver, `/profile/${encodeURIComponent(userId)}`);
  const result = await client.request('GET', url);
  if (isSuccess(result) && result.json !== null) return 'exists';
  if (result.kind !== 'answer' || result.status !== 404) return 'unknown';
  // The second is what Synapse says.
  return ['M_NOT_FOUND', 'M_UNKNOWN'].includes(errcodeOf(result) ?? '') ? 'missing' : 'unknown';
}

function idOfDevice(device: unknown): string | null {
  if (typeof device !== 'object' || device === null || !('device_id' in device)) return null;
  return typeof device.device_id === 'string' ? device.device_id : null;
}

function isUnknownToken(result: HttpResult): boolean {
  return (
    result.kind === 'answer' && result.status === 401 && errcodeOf(result) === 'M_UNKNOWN_TOKEN'
  );
}

function isNotOffered(result: HttpResult): boolean {
  if (result.kind !== 'answer') return false;
  const errcode = errcodeOf(result);
  if (result.status === 404 || errcode === 'M_UNRECOGNIZED') return true;
  // User-interactive authentication that asks for a further step.
  return result.status === 401 && errcode === null && Array.isArray(result.json?.['flows']);
}
