// Dendrite 0.15.2. What is marked is from source, not seen.
import { errorAnswer, jsonAnswer } from '../answer.ts';
import type { Answer } from '../answer.ts';
import type { ServerContext } from '../call.ts';
import type { JsonObject } from '../json-body.ts';
import type { ServerManner } from '../manner.ts';
import { findExactly, fullUserId, identifierOf, isForeign } from '../names.ts';
import type { User } from '../state.ts';
import { alphanumeric, dendriteToken } from '../tokens.ts';

const WRONG_PASSWORD = errorAnswer(
  403,
  'M_FORBIDDEN',
  'The username or password was incorrect or the account does not exist.',
);
const UNKNOWN_TOKEN = errorAnswer(401, 'M_UNKNOWN_TOKEN', 'Unknown token');
const UNRECOGNIZED = errorAnswer(404, 'M_UNRECOGNIZED', 'Unrecognized request');

export const DENDRITE: ServerManner = {
  software: null,
  versions: `r0.0.1 r0.1.0 r0.2.0 r0.3.0 r0.4.0 r0.5.0 r0.6.1
    v1.0 v1.1 v1.2`.split(/\s+/),
  flows: [{ type: 'm.login.password' }],
  newToken: dendriteToken,
  newDeviceId: () => alphanumeric(8),
  reusedDeviceEndsTokens: true,
  deletesDevices: true,
  listsDevicesToAdmins: false,
  // From source, not seen.
  deviceJson: (_user, device) => ({
    device_id: device.deviceId,
    display_name: device.displayName ?? '',
    last_seen_ip: device.lastSeen?.address ?? '',
    last_seen_ts: device.lastSeen?.at ?? 0,
  }),
  whoamiNamesGuests: true,
  whoamiOutlivesLogoutMs: 0,
  authMetadata: null,
  unconfiguredBaseUrl: null,
  login: {
    // The texts go on with what Go says of the JSON. From source, not seen.
    notJson: errorAnswer(400, 'M_BAD_JSON', 'Reading request body failed: invalid character'),
    notAnObject: errorAnswer(400, 'M_BAD_JSON', 'Reading request body failed: cannot unmarshal'),
    refusesBody: () => null,
    nameIn,
    findUser,
    refusesUser: () => null,
    wrongPassword: WRONG_PASSWORD,
    // There is no locking.
    refusesLogin: () => null,
    deviceIn,
    namesHomeServer: false,
    namesWellKnown: false,
    withoutPasswords: null,
    // The text is from source, not seen: from loopback 25 logins in a row were not limited.
    limits: {
      counts: 'every request',
      exceeded: (waitMs) =>
        jsonAnswer(429, {
          errcode: 'M_LIMIT_EXCEEDED',
          error: 'You are sending too many requests too quickly!',
          retry_after_ms: waitMs,
        }),
    },
  },
  // Deleting a device with the password in the first request was seen, the shape is from source.
  interactive: {
    challenge: (session, failure) => ({
      completed: [],
      flows: [{ stages: ['m.login.password'] }],
      session,
      params: {},
      ...failure,
    }),
    unknownSession: null,
    wrongPassword: null,
    foreignUser: errorAnswer(403, 'M_FORBIDDEN', 'unable to delete devices for other user'),
  },
  // From source, not seen: unknown nonces and malformed names.
  registration: {
    device: 'shared_secret_registration',
    shortestPassword: 8,
    namesHomeServer: false,
    isNonceGoodOnce: false,
    newNonce: () => alphanumeric(16),
    nonceLifetimeMs: 300_000,
    withoutSecret: null,
    macsUserType: false,
    lowersLocalpart: true,
    unknownNonce: (nonce) => jsonAnswer(500, { message: `incorrect or expired nonce: ${nonce}` }),
    wrongMac: errorAnswer(403, 'M_FORBIDDEN', 'bad mac'),
    invalidLocalpart: errorAnswer(
      400,
      'M_INVALID_USERNAME',
      "username can only contain characters a-z, 0-9, or '_+-./='",
    ),
    userInUse: errorAnswer(400, 'M_USER_IN_USE', 'Desired user ID is already taken.'),
    weakPassword: (shortest) =>
      errorAnswer(400, 'M_WEAK_PASSWORD', `password too weak: min ${shortest} characters`),
  },
  answers: {
    unrecognized: UNRECOGNIZED,
    // From source, not seen: the page of Go's web server.
    noSuchResource: {
      status: 404,
      headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      body: '404 page not found\n',
    },
    // From source, not seen, like what follows it.
    wrongMethod: errorAnswer(405, 'M_UNRECOGNIZED', 'Unrecognized request'),
    noWellKnown: UNRECOGNIZED,
    missingToken: errorAnswer(401, 'M_MISSING_TOKEN', 'missing access token'),
    malformedToken: errorAnswer(401, 'M_MISSING_TOKEN', 'invalid Authorization header'),
    unknownToken: UNKNOWN_TOKEN,
    unknownTokenAtLogout: UNKNOWN_TOKEN,
    lockedSession: UNKNOWN_TOKEN,
    unknownDevice: errorAnswer(404, 'M_NOT_FOUND', 'Unknown device'),
    unknownProfile: errorAnswer(
      404,
      'M_NOT_FOUND',
      'The user does not exist or does not have a profile',
    ),
  },
};

/** The deprecated top-level `user` counts only where there is no identifier of a user. */
function nameIn(submission: JsonObject): string | Answer {
  const { type, user, password } = submission;
  if (type !== 'm.login.password') {
    const shown = typeof type === 'string' ? type : '';
    return errorAnswer(400, 'M_INVALID_PARAM', `unhandled login type: ${shown}`);
  }
  const identifier = identifierOf(submission);
  const name = identifier?.['type'] === 'm.id.user' ? identifier['user'] : user;
  if (typeof name !== 'string' || name === '') {
    return errorAnswer(401, 'M_BAD_JSON', 'A username must be supplied.');
  }
  if (typeof password === 'string' && password !== '') return name;
  return errorAnswer(401, 'M_BAD_JSON', 'A password must be supplied.');
}

/** Small letters first, then as it stands. */
function findUser(server: ServerContext, name: string): User | Answer {
  const userId = fullUserId(server, name);
  if (!userId.includes(':')) return errorAnswer(401, 'M_INVALID_USERNAME', 'invalid username');
  if (isForeign(server, userId)) {
    return errorAnswer(401, 'M_INVALID_USERNAME', 'user ID does not belong to this server');
  }
  const localpart = userId.slice(1, userId.indexOf(':')).toLowerCase();
  const user =
    findExactly(server, `@${localpart}:${server.serverName}`) ?? findExactly(server, userId);
  return user === null || user.deactivated ? WRONG_PASSWORD : user;
}

/** From source, not seen: the text goes on with what Go says of the JSON. */
function deviceIn({ device_id: deviceId }: JsonObject): string | Answer | null {
  if (deviceId === undefined || deviceId === null) return null;
  if (typeof deviceId === 'string') return deviceId;
  return errorAnswer(400, 'M_BAD_JSON', 'The request body could not be decoded into valid JSON.');
}
