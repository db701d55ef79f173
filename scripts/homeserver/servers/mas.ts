import { errorAnswer, jsonAnswer } from '../answer.ts';
import type { ServerManner } from '../manner.ts';
import { alphanumericDeviceId, masToken } from '../tokens.ts';
import { SYNAPSE } from './synapse.ts';

const TWO_MINUTES = 120_000;

/** Synapse behind Matrix Authentication Service 1.22, by its compatibility login. */
export const MAS: ServerManner = {
  ...SYNAPSE,
  versions: [...SYNAPSE.versions, 'v1.13', 'v1.14', 'v1.15'],
  flows: [
    { type: 'm.login.password' },
    {
      type: 'm.login.sso',
      oauth_aware_preferred: true,
      'org.matrix.msc3824.delegated_oidc_compatibility': true,
    },
    { type: 'm.login.token' },
  ],
  newToken: masToken,
  newDeviceId: () => alphanumericDeviceId(10),
  reusedDeviceEndsTokens: true,
  deletesDevices: false,
  registersUsers: false,
  waitingTime: 'nowhere',
  loginNamesHomeServer: false,
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
  answers: {
    ...SYNAPSE.answers,
    wrongPassword: errorAnswer(403, 'M_FORBIDDEN', 'Invalid username/password'),
    foreignServer: errorAnswer(403, 'M_FORBIDDEN', 'Invalid username/password'),
    passwordMissing: errorAnswer(400, 'M_BAD_JSON', 'JSON fields are not valid'),
    unknownType: () => errorAnswer(400, 'M_UNKNOWN', 'Invalid login type'),
    unknownToken: jsonAnswer(401, {
      errcode: 'M_UNKNOWN_TOKEN',
      error: 'Token is not active',
      soft_logout: false,
    }),
  },
};
