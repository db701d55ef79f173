// Tuwunel 1.9.0. From source, not seen: commit 5b3669144219 (2026-08-18).
import { errorAnswer, jsonAnswer } from '../answer.ts';
import type { Answer } from '../answer.ts';
import type { ServerContext } from '../call.ts';
import type { JsonObject } from '../json-body.ts';
import type { ServerManner } from '../manner.ts';
import { findInSmallLetters, fullUserId, isForeign } from '../names.ts';
import { isRumaUserId, readRumaName, rumaChallenge, rumaDevice, rumaDeviceIn } from '../ruma.ts';
import type { User } from '../state.ts';
import { alphanumeric } from '../tokens.ts';

const WRONG_PASSWORD = refusal(403, 'M_FORBIDDEN', 'Wrong username or password.');
const UNSUPPORTED_TYPE = refusal(400, 'M_UNKNOWN', 'Invalid or unsupported login type');
/** The text goes on with what ruma says of the JSON. */
const BAD_JSON = refusal(400, 'M_BAD_JSON', 'deserialization failed');
const UNKNOWN_TOKEN = refusal(401, 'M_UNKNOWN_TOKEN', 'Unknown access token.');
/** Everywhere, whatever the path. */
const NOT_FOUND = refusal(404, 'M_UNRECOGNIZED', 'Not Found');
const MISSING_TOKEN = refusal(401, 'M_MISSING_TOKEN', 'Missing access token.');
const LOCKED = jsonAnswer(401, {
  errcode: 'M_USER_LOCKED',
  error: 'M_USER_LOCKED: This account has been locked.',
  soft_logout: true,
});
const OTHER_FLOWS = [
  { type: 'm.login.application_service' },
  { type: 'm.login.token', get_login_token: true },
];

export const TUWUNEL: ServerManner = {
  software: null,
  versions: `r0.0.1 r0.1.0 r0.2.0 r0.3.0 r0.4.0 r0.5.0 r0.6.0 r0.6.1
    v1.1 v1.2 v1.3 v1.4 v1.5 v1.6 v1.7 v1.8 v1.9 v1.10 v1.11 v1.12 v1.13 v1.14 v1.15 v1.16 v1.17
    v1.18 v1.19`.split(/\s+/),
  flows: [...OTHER_FLOWS, { type: 'm.login.password' }],
  newToken: () => alphanumeric(32),
  newDeviceId: () => alphanumeric(10),
  // The new token comes on top of the old one.
  reusedDeviceEndsTokens: false,
  deletesDevices: true,
  listsDevicesToAdmins: false,
  deviceJson: rumaDevice,
  whoamiNamesGuests: false,
  whoamiOutlivesLogoutMs: 0,
  // Where no OAuth server is configured.
  authMetadata: NOT_FOUND,
  unconfiguredBaseUrl: null,
  login: {
    notJson: refusal(400, 'M_NOT_JSON', 'Request body is not valid JSON.'),
    notAnObject: BAD_JSON,
    refusesBody: () => null,
    nameIn,
    findUser,
    refusesUser: (user) =>
      user.deactivated ? refusal(403, 'M_USER_DEACTIVATED', 'The user has been deactivated') : null,
    wrongPassword: WRONG_PASSWORD,
    refusesLogin: (user) => (user.locked ? LOCKED : null),
    deviceIn,
    namesHomeServer: true,
    namesWellKnown: true,
    withoutPasswords: { flows: OTHER_FLOWS, answer: UNSUPPORTED_TYPE },
    limits: null,
  },
  interactive: {
    challenge: rumaChallenge({}),
    unknownSession: () => refusal(403, 'M_FORBIDDEN', 'UIAA session does not exist.'),
    wrongPassword: { errcode: 'M_FORBIDDEN', error: 'Invalid username or password.' },
    foreignUser: refusal(403, 'M_FORBIDDEN', 'User ID and access token mismatch.'),
  },
  registration: {
    device: null,
    shortestPassword: 1,
    namesHomeServer: true,
    isNonceGoodOnce: true,
    newNonce: () => alphanumeric(32),
    nonceLifetimeMs: 60_000,
    withoutSecret: refusal(400, 'M_UNKNOWN', 'Shared-secret registration is not enabled'),
    macsUserType: true,
    lowersLocalpart: true,
    unknownNonce: () => refusal(400, 'M_INVALID_PARAM', 'Unrecognised or expired nonce'),
    wrongMac: refusal(403, 'M_FORBIDDEN', 'HMAC check failed'),
    invalidLocalpart: refusal(
      400,
      'M_INVALID_USERNAME',
      'Username contains disallowed characters or spaces',
    ),
    userInUse: refusal(400, 'M_USER_IN_USE', 'User ID is not available'),
    weakPassword: () => refusal(400, 'M_INVALID_PARAM', 'Password must not be empty'),
  },
  answers: {
    unrecognized: NOT_FOUND,
    noSuchResource: NOT_FOUND,
    wrongMethod: refusal(405, 'M_UNRECOGNIZED', 'Method Not Allowed'),
    noWellKnown: refusal(404, 'M_NOT_FOUND', 'Not found.'),
    missingToken: MISSING_TOKEN,
    malformedToken: MISSING_TOKEN,
    unknownToken: UNKNOWN_TOKEN,
    unknownTokenAtLogout: UNKNOWN_TOKEN,
    lockedSession: LOCKED,
    unknownDevice: refusal(404, 'M_NOT_FOUND', 'Device not found.'),
    unknownProfile: refusal(404, 'M_NOT_FOUND', 'Profile was not found.'),
  },
};

function nameIn(submission: JsonObject): string | Answer {
  const name = readRumaName(submission);
  if ('user' in name) return name.user;
  if (name.kind === 'bad_json') return BAD_JSON;
  if (name.kind === 'other_type') return UNSUPPORTED_TYPE;
  return refusal(400, 'M_UNKNOWN', 'Valid identifier or username was not provided');
}

function findUser(server: ServerContext, name: string): User | Answer {
  const userId = fullUserId(server, name);
  if (!isRumaUserId(userId)) {
    return refusal(400, 'M_INVALID_USERNAME', 'Username is invalid');
  }
  if (isForeign(server, userId)) {
    return refusal(400, 'M_UNKNOWN', 'User ID does not belong to this homeserver');
  }
  return findInSmallLetters(server, userId) ?? WRONG_PASSWORD;
}

/** An empty device ID counts as none. */
function deviceIn(body: JsonObject): string | Answer | null {
  const deviceId = rumaDeviceIn(BAD_JSON)(body);
  return deviceId === '' ? null : deviceId;
}

/** Tuwunel writes the code into the text, too. */
function refusal(status: number, errcode: string, error: string): Answer {
  return errorAnswer(status, errcode, `${errcode}: ${error}`);
}
