import { errorAnswer, jsonAnswer } from '../answer.ts';
import type { Answer } from '../answer.ts';
import type { ServerContext } from '../call.ts';
import { isJsonObject } from '../json-body.ts';
import type { JsonObject } from '../json-body.ts';
import type { ServerManner } from '../manner.ts';
import { findInAnyLetters, fullUserId } from '../names.ts';
import type { User } from '../state.ts';
import { alphanumeric, masToken } from '../tokens.ts';
import { SYNAPSE } from './synapse.ts';

const TWO_MINUTES = 120_000;
const WRONG_PASSWORD = errorAnswer(403, 'M_FORBIDDEN', 'Invalid username/password');
const BAD_JSON = errorAnswer(400, 'M_BAD_JSON', 'JSON fields are not valid');
const INVALID_TYPE = errorAnswer(400, 'M_UNKNOWN', 'Invalid login type');
const BROWSER_FLOWS = [
  {
    type: 'm.login.sso',
    oauth_aware_preferred: true,
    'org.matrix.msc3824.delegated_oidc_compatibility': true,
  },
  { type: 'm.login.token' },
];

/**
 * Synapse behind Matrix Authentication Service 1.22, by its compatibility login: /login and /logout
 * are MAS's own, everything else is Synapse's.
 */
export const MAS: ServerManner = {
  ...SYNAPSE,
  versions: [...SYNAPSE.versions, 'v1.13', 'v1.14', 'v1.15'],
  flows: [{ type: 'm.login.password' }, ...BROWSER_FLOWS],
  newToken: masToken,
  newDeviceId: () => alphanumeric(10),
  reusedDeviceEndsTokens: true,
  deletesDevices: false,
  whoamiOutlivesLogoutMs: TWO_MINUTES,
  // From source, not seen: the keys that the specification requires.
  authMetadata: (baseUrl) => ({
    issuer: `${baseUrl}/`,
    authorization_endpoint: `${baseUrl}/authorize`,
    token_endpoint: `${baseUrl}/oauth2/token`,
    revocation_endpoint: `${baseUrl}/oauth2/revoke`,
    registration_endpoint: `${baseUrl}/oauth2/registration`,
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    response_modes_supported: ['query', 'fragment'],
    code_challenge_methods_supported: ['S256'],
  }),
  login: {
    // From source, not seen.
    notJson: errorAnswer(400, 'M_NOT_JSON', 'Body is not a valid JSON document'),
    notAnObject: BAD_JSON,
    refusesBody: () => null,
    nameIn,
    findUser,
    // From source, not seen: without soft_logout, and before the password is looked at.
    refusesUser: (user) =>
      user.locked ? errorAnswer(401, 'M_USER_LOCKED', 'User account has been locked') : null,
    wrongPassword: WRONG_PASSWORD,
    refusesLogin: () => null,
    deviceIn: ({ device_id: deviceId }) => (typeof deviceId === 'string' ? deviceId : null),
    namesHomeServer: false,
    namesWellKnown: false,
    withoutPasswords: { flows: BROWSER_FLOWS, answer: INVALID_TYPE },
    // That it says nothing of a time was seen; the text is from source.
    limits: {
      counts: 'known users',
      exceeded: () => errorAnswer(429, 'M_LIMIT_EXCEEDED', 'Too many login attempts'),
    },
  },
  registration: null,
  answers: {
    ...SYNAPSE.answers,
    unknownToken: jsonAnswer(401, {
      errcode: 'M_UNKNOWN_TOKEN',
      error: 'Token is not active',
      soft_logout: false,
    }),
    // From source, not seen.
    unknownTokenAtLogout: errorAnswer(401, 'M_UNKNOWN_TOKEN', 'Invalid access token'),
    // A locked user's tokens look dead. From source, not seen.
    lockedSession: jsonAnswer(401, {
      errcode: 'M_UNKNOWN_TOKEN',
      error: 'Token is not active',
      soft_logout: false,
    }),
  },
};

/**
 * Synapse that leaves logins to a MAS that does not answer, behind a reverse proxy that does not
 * know of MAS: all of it was seen.
 */
export const MAS_UNREACHABLE: ServerManner = {
  ...MAS,
  software: 'Synapse/1.160.0',
  flows: SYNAPSE.answers.unrecognized,
  authMetadata: errorAnswer(500, 'M_UNKNOWN', 'Internal server error'),
  login: {
    ...MAS.login,
    notJson: SYNAPSE.answers.unrecognized,
    notAnObject: SYNAPSE.answers.unrecognized,
    refusesBody: () => SYNAPSE.answers.unrecognized,
    withoutPasswords: null,
  },
  answers: {
    ...MAS.answers,
    unknownToken: errorAnswer(503, 'M_UNKNOWN', 'Unable to introspect the access token'),
    unknownTokenAtLogout: SYNAPSE.answers.unrecognized,
  },
};

/** As with Synapse, the deprecated top-level `user` overrides the identifier. */
function nameIn({ type, password, user, identifier }: JsonObject): string | Answer {
  if (typeof type !== 'string') return BAD_JSON;
  if (type !== 'm.login.password') return INVALID_TYPE;
  if (typeof password !== 'string') return BAD_JSON;
  if (typeof user === 'string') return user;
  // From source, not seen, what follows: the quote that is not closed, too.
  if (identifier === undefined || identifier === null) {
    return errorAnswer(400, 'M_BAD_JSON', "Missing property 'identifier");
  }
  if (!isJsonObject(identifier) || typeof identifier['type'] !== 'string') return BAD_JSON;
  if (identifier['type'] !== 'm.id.user') {
    return errorAnswer(400, 'M_UNKNOWN', 'Unsupported login identifier');
  }
  return typeof identifier['user'] === 'string' ? identifier['user'] : BAD_JSON;
}

function findUser(server: ServerContext, name: string): User | Answer {
  const user = findInAnyLetters(server, fullUserId(server, name));
  return user === null || user.deactivated ? WRONG_PASSWORD : user;
}
