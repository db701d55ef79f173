import { randomBytes } from 'node:crypto';
import { errorAnswer, jsonAnswer } from '../answer.ts';
import type { Answer } from '../answer.ts';
import type { ServerContext } from '../call.ts';
import { isJsonObject, NOT_AN_OBJECT, NOT_JSON } from '../json-body.ts';
import type { JsonObject } from '../json-body.ts';
import type { InteractiveManner, LoginManner, ServerManner } from '../manner.ts';
import { findInAnyLetters, fullUserId } from '../names.ts';
import type { User } from '../state.ts';
import { synapseDeviceId, synapseToken } from '../tokens.ts';

const LONGEST_DEVICE_ID = 512;
const WRONG_PASSWORD = errorAnswer(403, 'M_FORBIDDEN', 'Invalid username or password');
const BAD_LOGIN = errorAnswer(400, 'M_INVALID_PARAM', 'Invalid login submission');
const LOCKED = jsonAnswer(401, {
  errcode: 'M_USER_LOCKED',
  error: 'User account has been locked',
  soft_logout: true,
});
const UNKNOWN_TOKEN = jsonAnswer(401, {
  errcode: 'M_UNKNOWN_TOKEN',
  error: 'Invalid access token passed.',
  soft_logout: false,
});
const UNRECOGNIZED = errorAnswer(404, 'M_UNRECOGNIZED', 'Unrecognized request');

const LOGIN: LoginManner = {
  notJson: NOT_JSON,
  notAnObject: NOT_AN_OBJECT,
  refusesBody,
  nameIn,
  findUser,
  refusesUser: () => null,
  wrongPassword: WRONG_PASSWORD,
  refusesLogin: (user) => (user.locked ? LOCKED : null),
  deviceIn,
  namesHomeServer: true,
  namesWellKnown: true,
  withoutPasswords: {
    flows: [{ type: 'm.login.application_service' }],
    answer: errorAnswer(400, 'M_UNKNOWN', 'Password login has been disabled.'),
  },
  limits: { counts: 'every request', exceeded: limitExceeded },
};

const INTERACTIVE: InteractiveManner = {
  challenge: (session, failure) => ({
    session,
    flows: [{ stages: ['m.login.password'] }],
    params: {},
    ...(failure === null ? {} : { completed: [], ...failure }),
  }),
  unknownSession: (session) => errorAnswer(400, 'M_UNKNOWN', `Unknown session ID: ${session}`),
  wrongPassword: null,
  foreignUser: errorAnswer(403, 'M_FORBIDDEN', 'Invalid auth'),
};

/** Synapse 1.163 with local passwords and without MAS. */
export const SYNAPSE: ServerManner = {
  software: 'Synapse/1.163.2',
  versions: `r0.0.1 r0.1.0 r0.2.0 r0.3.0 r0.4.0 r0.5.0 r0.6.0 r0.6.1
    v1.1 v1.2 v1.3 v1.4 v1.5 v1.6 v1.7 v1.8 v1.9 v1.10 v1.11 v1.12`.split(/\s+/),
  flows: [{ type: 'm.login.password' }, { type: 'm.login.application_service' }],
  newToken: synapseToken,
  newDeviceId: synapseDeviceId,
  reusedDeviceEndsTokens: false,
  deletesDevices: true,
  listsDevicesToAdmins: true,
  deviceJson: (user, device) => ({
    user_id: user.userId,
    device_id: device.deviceId,
    display_name: device.displayName,
    last_seen_ts: device.lastSeen?.at ?? null,
    last_seen_ip: device.lastSeen?.address ?? null,
  }),
  whoamiNamesGuests: true,
  whoamiOutlivesLogoutMs: 0,
  authMetadata: null,
  unconfiguredBaseUrl: null,
  login: LOGIN,
  interactive: INTERACTIVE,
  registration: {
    device: null,
    shortestPassword: 1,
    namesHomeServer: true,
    isNonceGoodOnce: true,
    newNonce: () => randomBytes(64).toString('hex'),
    nonceLifetimeMs: 60_000,
    withoutSecret: errorAnswer(400, 'M_UNKNOWN', 'Shared secret registration is not enabled'),
    macsUserType: true,
    lowersLocalpart: false,
    unknownNonce: () => errorAnswer(400, 'M_UNKNOWN', 'unrecognised nonce'),
    wrongMac: errorAnswer(403, 'M_UNKNOWN', 'HMAC incorrect'),
    invalidLocalpart: errorAnswer(
      400,
      'M_INVALID_USERNAME',
      "User ID can only contain characters a-z, 0-9, or '=_-./+'",
    ),
    userInUse: errorAnswer(400, 'M_USER_IN_USE', 'User ID already taken.'),
    weakPassword: () => errorAnswer(400, 'M_BAD_JSON', 'password must be specified'),
  },
  answers: {
    unrecognized: UNRECOGNIZED,
    noSuchResource: {
      status: 404,
      headers: { 'Content-Type': 'text/html; charset=utf-8' },
      body: `
<html>
  <head><title>404 - No Such Resource</title></head>
  <body>
    <h1>No Such Resource</h1>
    <p>Sorry. No luck finding that resource.</p>
  </body>
</html>
`,
    },
    wrongMethod: errorAnswer(405, 'M_UNRECOGNIZED', 'Unrecognized request'),
    noWellKnown: errorAnswer(404, 'M_NOT_FOUND', '.well-known not available'),
    missingToken: errorAnswer(401, 'M_MISSING_TOKEN', 'Missing access token'),
    malformedToken: errorAnswer(401, 'M_MISSING_TOKEN', 'Invalid Authorization header.'),
    unknownToken: UNKNOWN_TOKEN,
    unknownTokenAtLogout: UNKNOWN_TOKEN,
    lockedSession: LOCKED,
    unknownDevice: errorAnswer(404, 'M_NOT_FOUND', 'Not found'),
    unknownProfile: errorAnswer(404, 'M_UNKNOWN', 'No row found (profiles)'),
  },
};

function refusesBody(body: JsonObject): Answer | null {
  if (typeof (body['refresh_token'] ?? false) !== 'boolean') {
    return errorAnswer(400, 'M_UNKNOWN', '`refresh_token` should be true or false.');
  }
  return 'type' in body ? null : errorAnswer(400, 'M_UNKNOWN', 'Missing JSON keys.');
}

/** The deprecated top-level `user` overrides the identifier. */
function nameIn({ type, password, user, identifier }: JsonObject): string | Answer {
  if (typeof type !== 'string') return errorAnswer(400, 'M_INVALID_PARAM', 'Bad parameter: type');
  const isPassword = type === 'm.login.password';
  if (isPassword && typeof password !== 'string') {
    return errorAnswer(400, 'M_INVALID_PARAM', 'Bad parameter: password');
  }
  const name = typeof user === 'string' ? user : nameOf(identifier);
  if (typeof name !== 'string' || isPassword) return name;
  return errorAnswer(400, 'M_UNKNOWN', `Unknown login type ${type}`);
}

function nameOf(identifier: unknown): string | Answer {
  if (!isJsonObject(identifier)) {
    return identifier === undefined
      ? BAD_LOGIN
      : errorAnswer(400, 'M_MISSING_PARAM', "'identifier' dict has no key 'type'");
  }
  if (Object.keys(identifier).length === 0) return BAD_LOGIN;
  const { type, user } = identifier;
  if (type === undefined) {
    return errorAnswer(400, 'M_MISSING_PARAM', "'identifier' dict has no key 'type'");
  }
  if (type === 'm.id.thirdparty') return WRONG_PASSWORD;
  if (type !== 'm.id.user') return errorAnswer(400, 'M_UNKNOWN', 'Unknown login identifier type');
  if (typeof user === 'string' && user !== '') return user;
  return errorAnswer(400, 'M_UNKNOWN', "User identifier is missing 'user' key");
}

/** A deactivated user has no password any more. */
function findUser(server: ServerContext, name: string): User | Answer {
  const userId = fullUserId(server, name);
  const isForeign = !userId.toLowerCase().endsWith(`:${server.serverName.toLowerCase()}`);
  const user = isForeign ? null : findInAnyLetters(server, userId);
  return user === null || user.deactivated ? WRONG_PASSWORD : user;
}

function deviceIn({ device_id: deviceId }: JsonObject): string | Answer | null {
  if (deviceId === undefined || deviceId === null) return null;
  if (typeof deviceId !== 'string') return errorAnswer(500, 'M_UNKNOWN', 'Internal server error');
  if (deviceId.length <= LONGEST_DEVICE_ID) return deviceId;
  return errorAnswer(
    400,
    'M_INVALID_PARAM',
    `device_id cannot be longer than ${LONGEST_DEVICE_ID} characters.`,
  );
}

function limitExceeded(waitMs: number): Answer {
  const body = {
    errcode: 'M_LIMIT_EXCEEDED',
    error: 'Too Many Requests',
    retry_after_ms: waitMs,
  };
  return jsonAnswer(429, body, { 'Retry-After': String(Math.ceil(waitMs / 1000)) });
}
