// Creates users through the registration API of Synapse, which Dendrite has as well: whoever knows its
// shared secret proves so with an HMAC over a nonce and what is to be created. Both refuse a name that
// is taken, so that nobody is overwritten.
// @see Synapse's admin API, "Shared-Secret Registration"
import { createHmac } from 'node:crypto';
import { Secret } from '../secret.ts';
import { classifyFailure, errcodeOf, isSuccess } from './answers.ts';
import { openedSession } from './credential.ts';
import { FAILURE_CODES, homeserverFailure, type Failure, type OpenedSession } from './failure.ts';
import { FAILURE_HINTS } from './hints.ts';
import type { HttpClient } from './http.ts';
import type { HttpResult } from './http-result.ts';

/**
 * The device that Dendrite opens a session for, whatever it is asked for. Synapse opens none, since
 * it is asked not to.
 */
export const REGISTRATION_DEVICE = 'shared_secret_registration';

/** Dendrite's nonces are shorter, and its HMAC knows no user type. */
const SYNAPSE_NONCE = /^[0-9a-f]{128}$/;

export interface RegistrationApi {
  readonly baseUrl: string;
  readonly secret: Secret;
}

export interface NewUser {
  readonly localpart: string;
  readonly password: Secret;
  readonly as: 'bot' | 'admin';
}

/** Only Synapse knows bots; elsewhere they are users like any other. */
export type CreatedAs = 'admin' | 'bot' | 'user';

/** `taken`: there is such a user, which stays as it is. */
export type Registered =
  | {
      readonly kind: 'created';
      /** What the homeserver says that it has created. */
      readonly userId: string | null;
      /** A session that was opened though nobody asked for it: to be logged out. */
      readonly session: OpenedSession | undefined;
      readonly as: CreatedAs;
    }
  | { readonly kind: 'taken' };

/**
 * Creates a user: two requests, neither of which is sent again from here. `prepare` is called before
 * the one that creates; what it gives keeps that from being sent.
 */
export async function registerUser(
  client: HttpClient,
  api: RegistrationApi,
  user: NewUser,
  prepare: (as: CreatedAs) => Promise<Failure | null>,
): Promise<Registered | Failure> {
  const url = `${api.baseUrl}/_synapse/admin/v1/register`;
  const result = await client.request('GET', url);
  const nonce = isSuccess(result) ? result.json?.['nonce'] : undefined;
  if (!(nonce instanceof Secret)) return withoutNonce(result);
  const isSynapse = SYNAPSE_NONCE.test(nonce.reveal());
  const as = user.as === 'bot' && !isSynapse ? 'user' : user.as;
  const obstacle = await prepare(as);
  if (obstacle !== null) return obstacle;
  const body = registrationBody(nonce, api.secret, { ...user, as });
  return readRegistered(await client.request('POST', url, { body }), as);
}

function registrationBody(
  nonce: Secret,
  secret: Secret,
  user: Omit<NewUser, 'as'> & { readonly as: CreatedAs },
): object {
  const userType = user.as === 'bot' ? ['bot'] : [];
  const isAdmin = user.as === 'admin';
  const parts = [nonce.reveal(), user.localpart, user.password.reveal()];
  const mac = macOf([...parts, isAdmin ? 'admin' : 'notadmin', ...userType], secret);
  return {
    nonce: nonce.reveal(),
    username: user.localpart,
    password: user.password.reveal(),
    admin: isAdmin,
    ...(userType.length === 0 ? {} : { user_type: userType[0] }),
    inhibit_login: true,
    // For a server that opens a session all the same: it is this one that is written down.
    device_id: REGISTRATION_DEVICE,
    mac: mac.reveal(),
  };
}

function macOf(parts: readonly string[], secret: Secret): Secret {
  return new Secret(createHmac('sha1', secret.reveal()).update(parts.join('\0')).digest('hex'));
}

function withoutNonce(result: HttpResult): Failure {
  // A success without a nonce is no answer of this API either; none of its text is told, since a
  // nonce may stand in it.
  if (result.kind === 'transport' || !speaksAgainst(result.status)) {
    // Nobody is created by asking for a nonce.
    return { ...classifyFailure(result), maybeExecuted: false };
  }
  return homeserverFailure('REGISTER_NOT_OFFERED', {
    message: `${FAILURE_CODES.REGISTER_NOT_OFFERED}: ${result.request} answered ${result.status}`,
    hint: FAILURE_HINTS.REGISTER_NOT_OFFERED,
  });
}

/** Where the API is there, it gives a nonce, or has trouble or a rate limit, which pass. */
function speaksAgainst(status: number): boolean {
  return status !== 429 && status < 500;
}

function readRegistered(result: HttpResult, as: CreatedAs): Registered | Failure {
  if (result.kind === 'transport') return classifyFailure(result);
  if (errcodeOf(result) === 'M_USER_IN_USE') return { kind: 'taken' };
  // Synapse and Dendrite have no errcode in common for a wrong HMAC.
  if (result.status === 403) {
    return homeserverFailure('REGISTER_SECRET', { hint: FAILURE_HINTS.REGISTER_SECRET });
  }
  if (!isSuccess(result) || result.json === null) {
    // Synapse has no errcode for a secret that it was not given.
    const hint = errcodeOf(result) === 'M_UNKNOWN' ? { hint: FAILURE_HINTS.REGISTER_SECRET } : {};
    return { ...classifyFailure(result), ...hint };
  }
  const { user_id: userId, device_id: deviceId, access_token: accessToken } = result.json;
  return {
    kind: 'created',
    userId: typeof userId === 'string' ? userId : null,
    session: openedSession({ accessToken, deviceId, otherUser: null }),
    as,
  };
}
