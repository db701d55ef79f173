// Registration with a shared secret. @see Synapse's admin API, "Shared-Secret Registration"
import { createHmac } from 'node:crypto';
import { UNRECOGNIZED, errorAnswer, jsonAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { Call } from './call.ts';
import { parseJsonBody } from './json-body.ts';
import type { JsonObject } from './json-body.ts';
import { addUser, newNonce, openSession } from './state.ts';
import type { NewUser } from './state.ts';

const SYNAPSE_TAKEN = 'User ID already taken.';
const DENDRITE_TAKEN = 'Desired user ID is already taken.';

/** GET /_synapse/admin/v1/register */
export function registrationNonce(call: Call): Answer {
  const { state } = call.server;
  if (!isOffered(call)) return UNRECOGNIZED;
  return jsonAnswer(200, { nonce: newNonce(state, isDendrite(call) ? 8 : 64) });
}

/** POST /_synapse/admin/v1/register */
export function register(call: Call): Answer {
  if (!isOffered(call)) return UNRECOGNIZED;
  if (call.server.registrationSecret === '') {
    return errorAnswer(400, 'M_UNKNOWN', 'Shared secret registration is not enabled');
  }
  const parsed = parseJsonBody(call.body);
  if (!parsed.ok) return parsed.answer;
  const { body } = parsed;
  const refused = checkNonce(call, body['nonce']);
  if (refused !== null) return refused;
  const wanted = wantedUser(body);
  if (!isNewUser(wanted)) return wanted;
  if (body['mac'] !== expectedMac(call, body)) {
    return isDendrite(call)
      ? errorAnswer(403, 'M_FORBIDDEN', 'bad mac')
      : errorAnswer(403, 'M_UNKNOWN', 'HMAC incorrect');
  }
  return checkNewUser(call, wanted) ?? registerUser(call, wanted, body['inhibit_login'] === true);
}

/** A nonce is good once. */
function checkNonce(call: Call, nonce: unknown): Answer | null {
  if (nonce === undefined) return errorAnswer(400, 'M_BAD_JSON', 'nonce must be specified');
  const { nonces, now } = call.server.state;
  const goodUntil = typeof nonce === 'string' ? nonces.get(nonce) : undefined;
  if (typeof nonce === 'string') nonces.delete(nonce);
  if (goodUntil !== undefined && goodUntil >= now()) return null;
  return errorAnswer(400, 'M_UNKNOWN', 'unrecognised nonce');
}

function wantedUser(body: JsonObject): NewUser | Answer {
  const { username, password, admin, displayname } = body;
  if (typeof username !== 'string' || username === '') {
    return errorAnswer(400, 'M_BAD_JSON', 'username must be specified');
  }
  if (typeof password !== 'string' || password === '') {
    return errorAnswer(400, 'M_BAD_JSON', 'password must be specified');
  }
  const name = typeof displayname === 'string' ? { displayName: displayname } : {};
  return { localpart: username, password, admin: admin === true, ...name };
}

function isNewUser(wanted: NewUser | Answer): wanted is NewUser {
  return 'localpart' in wanted;
}

/** Dendrite has it only where it knows a secret; Synapse gives nonces all the same. */
function isOffered(call: Call): boolean {
  const { manner, registrationSecret } = call.server;
  return manner.registersUsers && !(isDendrite(call) && registrationSecret === '');
}

/** Dendrite: shorter nonces, no user types, other words, and a session that nobody asked for. */
function isDendrite({ server }: Call): boolean {
  return server.manner.registrationDevice !== null;
}

function expectedMac(call: Call, body: JsonObject): string {
  const parts = [body['nonce'], body['username'], body['password']].map(String);
  parts.push(body['admin'] === true ? 'admin' : 'notadmin');
  const userType = body['user_type'];
  if (typeof userType === 'string' && !isDendrite(call)) parts.push(userType);
  return createHmac('sha1', call.server.registrationSecret).update(parts.join('\0')).digest('hex');
}

function checkNewUser(call: Call, wanted: NewUser): Answer | null {
  const { state, serverName, manner } = call.server;
  if (!/^[a-z0-9=_\-./+]+$/.test(wanted.localpart)) {
    return errorAnswer(
      400,
      'M_INVALID_USERNAME',
      "User ID can only contain characters a-z, 0-9, or '=_-./+'",
    );
  }
  if (wanted.password.length < manner.shortestPassword) {
    return errorAnswer(
      400,
      'M_WEAK_PASSWORD',
      `password too weak: min ${manner.shortestPassword} characters`,
    );
  }
  return state.users.has(`@${wanted.localpart}:${serverName}`)
    ? errorAnswer(400, 'M_USER_IN_USE', isDendrite(call) ? DENDRITE_TAKEN : SYNAPSE_TAKEN)
    : null;
}

/** Registering opens a session; Dendrite does so even if asked not to. */
function registerUser(call: Call, wanted: NewUser, inhibitLogin: boolean): Answer {
  const { state, serverName, manner } = call.server;
  const user = addUser(state, serverName, wanted);
  const result = {
    user_id: user.userId,
    ...(isDendrite(call) ? {} : { home_server: serverName }),
  };
  if (inhibitLogin && manner.registrationDevice === null) return jsonAnswer(200, result);
  const deviceId = manner.registrationDevice ?? manner.newDeviceId();
  const token = openSession(state, manner, { user, deviceId, displayName: null });
  return jsonAnswer(200, { ...result, access_token: token, device_id: deviceId });
}
