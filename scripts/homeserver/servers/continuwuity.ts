// Continuwuity 26.8.0-alpha.1. From source, not seen: commit 09073235881d (2026-08-22).
import { errorAnswer, jsonAnswer } from '../answer.ts';
import type { Answer } from '../answer.ts';
import type { ServerContext } from '../call.ts';
import type { JsonObject } from '../json-body.ts';
import type { ServerManner } from '../manner.ts';
import { findExactly, fullUserId, isForeign } from '../names.ts';
import { isRumaUserId, readRumaName, rumaChallenge, rumaDevice, rumaDeviceIn } from '../ruma.ts';
import type { User } from '../state.ts';
import { alphanumeric } from '../tokens.ts';

const WRONG_PASSWORD = errorAnswer(403, 'M_FORBIDDEN', 'Invalid identifier or password.');
/** Also of a user on another server: nobody asks whose server it is. */
const NO_SUCH_ACCOUNT = errorAnswer(404, 'M_NOT_FOUND', 'This account does not exist.');
/** The text goes on with what ruma says of the JSON. */
const BAD_JSON = errorAnswer(400, 'M_BAD_JSON', 'deserialization failed');
const NO_LEGACY_LOGIN = errorAnswer(
  404,
  'M_UNRECOGNIZED',
  'User-interactive authentication is not available on this server.',
);
const UNKNOWN_TOKEN = errorAnswer(401, 'M_UNKNOWN_TOKEN', 'Invalid token');
/** Everywhere, whatever the path. */
const NOT_FOUND = errorAnswer(404, 'M_UNRECOGNIZED', 'not found :(');

export const CONTINUWUITY: ServerManner = {
  software: null,
  versions: `r0.0.1 r0.1.0 r0.2.0 r0.3.0 r0.4.0 r0.5.0 r0.6.0 r0.6.1
    v1.1 v1.2 v1.3 v1.4 v1.5 v1.8 v1.11 v1.12 v1.13 v1.14 v1.15 v1.16 v1.17 v1.18`.split(/\s+/),
  flows: [
    { type: 'm.login.password' },
    { type: 'm.login.application_service' },
    { type: 'm.login.token', get_login_token: true },
  ],
  newToken: () => alphanumeric(24),
  newDeviceId: () => alphanumeric(10),
  reusedDeviceEndsTokens: true,
  deletesDevices: true,
  listsDevicesToAdmins: false,
  deviceJson: rumaDevice,
  whoamiNamesGuests: false,
  whoamiOutlivesLogoutMs: 0,
  // `compatibility_mode: hybrid`, the default: OAuth 2.0 beside the login with a password.
  authMetadata: (baseUrl) => ({
    issuer: `${baseUrl}/`,
    authorization_endpoint: `${baseUrl}/_continuwuity/oauth2/grant/authorization_code`,
    token_endpoint: `${baseUrl}/_continuwuity/oauth2/token`,
    revocation_endpoint: `${baseUrl}/_continuwuity/oauth2/revoke`,
    registration_endpoint: `${baseUrl}/_continuwuity/oauth2/client/register`,
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    response_modes_supported: ['query', 'fragment'],
    code_challenge_methods_supported: ['S256'],
  }),
  unconfiguredBaseUrl: null,
  login: {
    notJson: BAD_JSON,
    notAnObject: BAD_JSON,
    refusesBody: () => null,
    nameIn,
    findUser,
    refusesUser,
    wrongPassword: WRONG_PASSWORD,
    refusesLogin: () => null,
    deviceIn: rumaDeviceIn(BAD_JSON),
    namesHomeServer: true,
    namesWellKnown: true,
    // `compatibility_mode: exclusive`
    withoutPasswords: { flows: NO_LEGACY_LOGIN, answer: NO_LEGACY_LOGIN },
    limits: null,
  },
  interactive: {
    challenge: rumaChallenge(null),
    unknownSession: () => errorAnswer(400, 'M_INVALID_PARAM', 'Invalid session'),
    wrongPassword: { errcode: 'M_FORBIDDEN', error: 'Invalid identifier or password' },
    foreignUser: errorAnswer(401, 'M_INVALID_PARAM', 'User ID mismatch'),
  },
  registration: null,
  answers: {
    unrecognized: NOT_FOUND,
    noSuchResource: NOT_FOUND,
    wrongMethod: errorAnswer(405, 'M_UNRECOGNIZED', 'Method not allowed'),
    noWellKnown: errorAnswer(
      404,
      'M_NOT_FOUND',
      'This server is not configured to serve well-known client information.',
    ),
    missingToken: errorAnswer(
      401,
      'M_UNAUTHORIZED',
      'Failed to extract authorization: no access token found, but this endpoint requires one',
    ),
    malformedToken: errorAnswer(
      401,
      'M_UNAUTHORIZED',
      'Failed to extract authorization: invalid authorization header scheme',
    ),
    unknownToken: UNKNOWN_TOKEN,
    unknownTokenAtLogout: UNKNOWN_TOKEN,
    lockedSession: locked('Your account is locked.'),
    unknownDevice: errorAnswer(404, 'M_NOT_FOUND', 'Device not found.'),
    unknownProfile: errorAnswer(404, 'M_NOT_FOUND', "This user's profile could not be fetched."),
  },
};

function nameIn(submission: JsonObject): string | Answer {
  const name = readRumaName(submission);
  if ('user' in name) return name.user;
  if (name.kind === 'bad_json') return BAD_JSON;
  return name.kind === 'other_type'
    ? errorAnswer(400, 'M_UNKNOWN', 'Invalid or unsupported login type')
    : errorAnswer(400, 'M_INVALID_PARAM', 'Identifier type not recognized');
}

/** Capital letters are not made small: such a user does not exist. */
function findUser(server: ServerContext, name: string): User | Answer {
  const userId = fullUserId(server, name);
  if (!isRumaUserId(userId)) {
    return errorAnswer(400, 'M_INVALID_USERNAME', 'User ID is malformed');
  }
  return (isForeign(server, userId) ? null : findExactly(server, userId)) ?? NO_SUCH_ACCOUNT;
}

function refusesUser(user: User): Answer | null {
  if (user.locked) return locked('This account has been locked.');
  if (!user.deactivated) return null;
  return errorAnswer(403, 'M_USER_DEACTIVATED', 'This account is deactivated.');
}

function locked(error: string): Answer {
  return jsonAnswer(401, { errcode: 'M_USER_LOCKED', error, soft_logout: true });
}
