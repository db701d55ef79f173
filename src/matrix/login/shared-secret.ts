// com.devture.shared_secret_auth: a module of Synapse that logs in whoever proves to know its secret.
// The proof is an HMAC over the full user ID, so that no user needs a password. Where the module is
// set up so, m.login.password takes the same proof in place of a password.
// @see https://github.com/devture/matrix-synapse-shared-secret-auth
import { createHmac } from 'node:crypto';
import { Secret } from '../../secret.ts';
import type { Credential } from '../credential.ts';
import { homeserverFailure, isFailure, type Failure } from '../failure.ts';
import type { Homeserver } from '../homeserver.ts';
import type { HttpClient } from '../http.ts';
import { proveAndDelete } from '../sessions.ts';
import type { DeviceRemoval, LoginMethod, LoginRequest, Removed } from './method.ts';
import { PASSWORD_TYPE } from './password.ts';
import { sendLogin } from './send.ts';

const TYPE = 'com.devture.shared_secret_auth';

export const sharedSecret: LoginMethod = {
  name: 'shared_secret',
  words: 'the shared secret',
  secret: {
    of: 'host',
    variable: 'matrix_tokens_shared_secret_auth',
    key: 'shared_secret',
    noun: 'shared secret',
    opens: 'homeserver',
  },
  validate({ hasSecret }) {
    if (hasSecret) return null;
    return {
      wanted: '`matrix_tokens_shared_secret_auth` of the host of that homeserver',
      fix: 'add for example `matrix_tokens_shared_secret_auth: {shared_secret: "{{ vault_shared_secret }}"}` to the vars of the host',
    };
  },
  typeFor: ({ flows }) => [TYPE, PASSWORD_TYPE].find((type) => flows.includes(type)) ?? null,
  login: loginWithSharedSecret,
  abandon: abandonWithSharedSecret,
};

/** Gives the proof for one user: the HMAC-SHA512 of the full user ID, in hex. */
export function proveUser(secret: Secret, userId: string): Secret {
  return new Secret(createHmac('sha512', secret.reveal()).update(userId).digest('hex'));
}

interface Proof {
  readonly type: string;
  readonly field: 'password' | 'token';
  readonly proof: Secret;
}

/** Gives the proof in the form that the homeserver takes, or null where it takes none. */
function proofFor(homeserver: Homeserver, secret: Secret, userId: string): Proof | null {
  const type = sharedSecret.typeFor(homeserver);
  if (type === null) return null;
  return { type, field: type === TYPE ? 'token' : 'password', proof: proveUser(secret, userId) };
}

async function loginWithSharedSecret(
  client: HttpClient,
  homeserver: Homeserver,
  { secret, ...request }: LoginRequest,
): Promise<Credential | Failure> {
  const proof = proofFor(homeserver, secret, request.userId);
  if (proof === null) return homeserverFailure('NO_LOGIN_FLOW');
  const result = await sendLogin(client, homeserver, request, proof);
  return isFailure(result) && result.code === 'M_FORBIDDEN' ? refusedProof(result) : result;
}

/** The module refuses a wrong secret and a user that it does not know in the same words. */
function refusedProof(failure: Failure): Failure {
  return {
    ...failure,
    message: failure.message.replace(/^[^:]*/, 'the homeserver refused the shared secret'),
    hint: 'check that it is that of the module, and that the user exists',
    // The secret is the same for all users.
    onRepeat: 'homeserver',
  };
}

/** Synapse takes the proof for removing devices, too; where it is refused, a new login does. */
async function abandonWithSharedSecret(
  client: HttpClient,
  homeserver: Homeserver,
  { userId, secret, token, deviceIds }: DeviceRemoval,
): Promise<Removed | Failure> {
  const proof = proofFor(homeserver, secret, userId);
  if (proof === null) return { kind: 'not_offered' };
  const deletion = { userId, deviceIds, ...proof };
  const answer = await proveAndDelete(client, homeserver, token, deletion);
  return isFailure(answer) && answer.scope === 'user' ? { kind: 'not_offered' } : answer;
}
