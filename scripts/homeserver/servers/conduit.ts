// Conduit 0.11. From source, not seen: commit d058dab7aa5e (2026-02-12). Only the removal of a
// device was tried on a real one.
import { errorAnswer } from '../answer.ts';
import type { Answer } from '../answer.ts';
import type { ServerContext } from '../call.ts';
import type { JsonObject } from '../json-body.ts';
import type { ServerManner } from '../manner.ts';
import { findExactly, fullUserId, isForeign } from '../names.ts';
import { isRumaUserId, readRumaName, rumaChallenge, rumaDevice, rumaDeviceIn } from '../ruma.ts';
import type { User } from '../state.ts';
import { alphanumeric } from '../tokens.ts';

const WRONG_PASSWORD = refusal(403, 'M_FORBIDDEN', 'Wrong username or password.');
const BAD_LOGIN_TYPE = refusal(403, 'M_FORBIDDEN', 'Bad login type.');
const INVALID_NAME = refusal(400, 'M_INVALID_USERNAME', 'Username is invalid.');
const BAD_JSON = refusal(400, 'M_BAD_JSON', 'Failed to deserialize request.');
const UNKNOWN_TOKEN = refusal(401, 'M_UNKNOWN_TOKEN', 'Unknown access token.');
/** Everywhere, whatever the path. */
const UNRECOGNIZED = refusal(404, 'M_UNRECOGNIZED', 'Unrecognized request');
const MISSING_TOKEN = refusal(401, 'M_MISSING_TOKEN', 'Missing access token.');

export const CONDUIT: ServerManner = {
  software: null,
  versions: `r0.5.0 r0.6.0
    v1.1 v1.2 v1.3 v1.4 v1.5 v1.6 v1.7 v1.8 v1.9 v1.10 v1.11 v1.12`.split(/\s+/),
  flows: [{ type: 'm.login.password' }, { type: 'm.login.application_service' }],
  newToken: () => alphanumeric(32),
  newDeviceId: () => alphanumeric(10),
  reusedDeviceEndsTokens: true,
  deletesDevices: true,
  listsDevicesToAdmins: false,
  deviceJson: rumaDevice,
  whoamiNamesGuests: false,
  whoamiOutlivesLogoutMs: 0,
  authMetadata: null,
  unconfiguredBaseUrl: (serverName) => `https://${serverName}`,
  login: {
    notJson: BAD_JSON,
    notAnObject: BAD_JSON,
    refusesBody: () => null,
    nameIn,
    findUser,
    refusesUser: (user) =>
      user.deactivated ? refusal(403, 'M_USER_DEACTIVATED', 'The user has been deactivated') : null,
    wrongPassword: WRONG_PASSWORD,
    // There is no locking.
    refusesLogin: () => null,
    deviceIn: rumaDeviceIn(BAD_JSON),
    namesHomeServer: true,
    namesWellKnown: false,
    withoutPasswords: null,
    limits: null,
  },
  interactive: {
    challenge: rumaChallenge(null),
    unknownSession: () => refusal(403, 'M_FORBIDDEN', 'UIAA session does not exist.'),
    wrongPassword: { errcode: 'M_FORBIDDEN', error: 'Invalid username or password.' },
    foreignUser: WRONG_PASSWORD,
  },
  registration: null,
  answers: {
    unrecognized: UNRECOGNIZED,
    noSuchResource: UNRECOGNIZED,
    wrongMethod: refusal(405, 'M_UNRECOGNIZED', 'Unrecognized request'),
    noWellKnown: UNRECOGNIZED,
    missingToken: MISSING_TOKEN,
    malformedToken: MISSING_TOKEN,
    unknownToken: UNKNOWN_TOKEN,
    unknownTokenAtLogout: UNKNOWN_TOKEN,
    lockedSession: UNKNOWN_TOKEN,
    unknownDevice: refusal(404, 'M_NOT_FOUND', 'Device not found.'),
    unknownProfile: refusal(404, 'M_NOT_FOUND', 'Profile was not found.'),
  },
};

function nameIn(submission: JsonObject): string | Answer {
  const name = readRumaName(submission);
  switch (name.kind) {
    case 'identifier':
      return name.user.toLowerCase();
    case 'deprecated':
      return isRumaUserId(name.user) ? name.user : INVALID_NAME;
    case 'bad_json':
      return BAD_JSON;
    case 'other_type':
      return refusal(400, 'M_UNKNOWN', 'Unsupported login type.');
    case 'other_identifier':
      return BAD_LOGIN_TYPE;
  }
}

/** A user of another server is one without a password. */
function findUser(server: ServerContext, name: string): User | Answer {
  const userId = fullUserId(server, name);
  if (!isRumaUserId(userId)) return INVALID_NAME;
  return (isForeign(server, userId) ? null : findExactly(server, userId)) ?? WRONG_PASSWORD;
}

/** Conduit writes the code into the text, too. */
function refusal(status: number, errcode: string, error: string): Answer {
  return errorAnswer(status, errcode, `${errcode}: ${error}`);
}
