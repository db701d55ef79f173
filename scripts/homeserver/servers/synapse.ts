import { errorAnswer, jsonAnswer } from '../answer.ts';
import type { ServerManner } from '../manner.ts';
import { synapseDeviceId, synapseToken } from '../tokens.ts';

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
  registersUsers: true,
  listsDevicesToAdmins: true,
  waitingTime: 'header and body',
  loginNamesHomeServer: true,
  whoamiOutlivesLogoutMs: 0,
  registrationDevice: null,
  shortestPassword: 1,
  authMetadata: null,
  answers: {
    wrongPassword: errorAnswer(403, 'M_FORBIDDEN', 'Invalid username or password'),
    foreignServer: errorAnswer(403, 'M_FORBIDDEN', 'Invalid username or password'),
    passwordMissing: errorAnswer(400, 'M_INVALID_PARAM', 'Bad parameter: password'),
    unknownType: (type) => errorAnswer(400, 'M_UNKNOWN', `Unknown login type ${type}`),
    unknownToken: jsonAnswer(401, {
      errcode: 'M_UNKNOWN_TOKEN',
      error: 'Invalid access token passed.',
      soft_logout: false,
    }),
    unknownProfile: errorAnswer(404, 'M_UNKNOWN', 'No row found (profiles)'),
  },
};
