// Registration with a shared secret. @see Synapse's admin API, "Shared-Secret Registration"
import { createHmac } from 'node:crypto';
import { errorAnswer, isAnswer, jsonAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { Call } from './call.ts';
import { parseJsonBody } from './json-body.ts';
import type { JsonObject } from './json-body.ts';
import type { RegistrationManner } from './manner.ts';
import { addUser, openSession } from './state.ts';
import type { NewUser } from './state.ts';

/** GET /_synapse/admin/v1/register */
export function registrationNonce(call: Call): Answer {
  const { manner, state } = call.server;
  const registration = offeredBy(call);
  if (registration === null) return manner.answers.unrecognized;
  const nonce = registration.newNonce();
  state.nonces.set(nonce, state.now() + registration.nonceLifetimeMs);
  return jsonAnswer(200, { nonce });
}

/** POST /_synapse/admin/v1/register */
export function register(call: Call): Answer {
  const registration = offeredBy(call);
  if (registration === null) return call.server.manner.answers.unrecognized;
  if (call.server.registrationSecret === '' && registration.withoutSecret !== null) {
    return registration.withoutSecret;
  }
  const parsed = parseJsonBody(call.body);
  if (!parsed.ok) return parsed.answer;
  const { body } = parsed;
  const refused = checkNonce(call, registration, body['nonce']);
  if (refused !== null) return refused;
  const wanted = wantedUser(body);
  if (isAnswer(wanted)) return wanted;
  if (body['mac'] !== expectedMac(call.server.registrationSecret, registration, body)) {
    return registration.wrongMac;
  }
  const { localpart } = wanted;
  const named = registration.lowersLocalpart
    ? { ...wanted, localpart: localpart.toLowerCase() }
    : wanted;
  const inhibitLogin = body['inhibit_login'] === true;
  return (
    checkNewUser(call, registration, named) ??
    registerUser(call, registration, { user: named, inhibitLogin })
  );
}

function offeredBy({ server }: Call): RegistrationManner | null {
  const { registration } = server.manner;
  return server.registrationSecret === '' && registration?.withoutSecret === null
    ? null
    : registration;
}

function checkNonce(call: Call, manner: RegistrationManner, nonce: unknown): Answer | null {
  if (nonce === undefined) return errorAnswer(400, 'M_BAD_JSON', 'nonce must be specified');
  const { nonces, now } = call.server.state;
  const goodUntil = typeof nonce === 'string' ? nonces.get(nonce) : undefined;
  if (typeof nonce === 'string' && manner.isNonceGoodOnce) nonces.delete(nonce);
  if (goodUntil !== undefined && goodUntil >= now()) return null;
  return manner.unknownNonce(typeof nonce === 'string' ? nonce : '');
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

function expectedMac(secret: string, manner: RegistrationManner, body: JsonObject): string {
  const parts = [body['nonce'], body['username'], body['password']].map(String);
  parts.push(body['admin'] === true ? 'admin' : 'notadmin');
  if (manner.macsUserType && typeof body['user_type'] === 'string') parts.push(body['user_type']);
  return createHmac('sha1', secret).update(parts.join('\0')).digest('hex');
}

function checkNewUser(call: Call, manner: RegistrationManner, wanted: NewUser): Answer | null {
  const { state, serverName } = call.server;
  if (!/^[a-z0-9=_\-./+]+$/.test(wanted.localpart)) return manner.invalidLocalpart;
  if (wanted.password.length < manner.shortestPassword) {
    return manner.weakPassword(manner.shortestPassword);
  }
  return state.users.has(`@${wanted.localpart}:${serverName}`) ? manner.userInUse : null;
}

/** Registering opens a session; Dendrite does so even if asked not to. */
function registerUser(
  call: Call,
  { device, namesHomeServer }: RegistrationManner,
  wanted: { readonly user: NewUser; readonly inhibitLogin: boolean },
): Answer {
  const { state, serverName, manner } = call.server;
  const user = addUser(state, serverName, wanted.user);
  const home = namesHomeServer ? { home_server: serverName } : {};
  const result = { user_id: user.userId, ...home };
  if (wanted.inhibitLogin && device === null) return jsonAnswer(200, result);
  const deviceId = device ?? manner.newDeviceId();
  const token = openSession(state, manner, { user, deviceId, displayName: null });
  return jsonAnswer(200, { ...result, access_token: token, device_id: deviceId });
}
