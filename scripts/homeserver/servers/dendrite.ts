import { errorAnswer } from '../answer.ts';
import type { ServerManner } from '../manner.ts';
import { alphanumericDeviceId, dendriteToken } from '../tokens.ts';

const WRONG_PASSWORD = 'The username or password was incorrect or the account does not exist.';

/** Dendrite 0.15.2. */
export const DENDRITE: ServerManner = {
  software: 'Dendrite',
  versions: `r0.0.1 r0.1.0 r0.2.0 r0.3.0 r0.4.0 r0.5.0 r0.6.1
    v1.0 v1.1 v1.2`.split(/\s+/),
  flows: [{ type: 'm.login.password' }],
  newToken: dendriteToken,
  newDeviceId: () => alphanumericDeviceId(8),
  reusedDeviceEndsTokens: true,
  deletesDevices: true,
  registersUsers: true,
  listsDevicesToAdmins: false,
  waitingTime: 'body',
  loginNamesHomeServer: false,
  whoamiOutlivesLogoutMs: 0,
  registrationDevice: 'shared_secret_registration',
  shortestPassword: 8,
  authMetadata: null,
  answers: {
    wrongPassword: errorAnswer(403, 'M_FORBIDDEN', WRONG_PASSWORD),
    foreignServer: errorAnswer(401, 'M_INVALID_USERNAME', 'user ID does not belong to this server'),
    passwordMissing: errorAnswer(401, 'M_BAD_JSON', 'A password must be supplied.'),
    unknownType: (type) => errorAnswer(400, 'M_INVALID_PARAM', `unhandled login type: ${type}`),
    unknownToken: errorAnswer(401, 'M_UNKNOWN_TOKEN', 'Unknown token'),
    // From source, not seen.
    unknownProfile: errorAnswer(
      404,
      'M_NOT_FOUND',
      'The user does not exist or does not have a profile',
    ),
  },
};
