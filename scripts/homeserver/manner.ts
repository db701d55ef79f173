// What differs between one homeserver software and another, as data. A server is one file in
// servers/; what it answers was seen on the live server unless the file says "from source".
import type { Answer } from './answer.ts';

export interface ServerManner {
  /** The `Server` header. */
  readonly software: string;
  readonly versions: readonly string[];
  readonly flows: readonly object[];
  readonly newToken: (localpart: string) => string;
  readonly newDeviceId: () => string;
  /** Whether a login with the ID of a known device ends the tokens that it had. */
  readonly reusedDeviceEndsTokens: boolean;
  /** Whether devices can be deleted with the password (user-interactive authentication). */
  readonly deletesDevices: boolean;
  /** Whether users can be made with the registration secret. */
  readonly registersUsers: boolean;
  /** Whether an admin can list a user's devices through Synapse's admin API. */
  readonly listsDevicesToAdmins: boolean;
  /** Where a 429 says how long to wait. */
  readonly waitingTime: 'header and body' | 'body' | 'nowhere';
  /** Whether the answer to a login has the deprecated `home_server`. */
  readonly loginNamesHomeServer: boolean;
  /** How long a token that was looked at before still answers whoami after its logout, in ms. */
  readonly whoamiOutlivesLogoutMs: number;
  /** The device that registering opens, whatever the request asks for. */
  readonly registrationDevice: string | null;
  readonly shortestPassword: number;
  /** What GET auth_metadata gives: null where there is no OAuth 2.0 API. */
  readonly authMetadata: ((baseUrl: string) => object) | null;
  readonly answers: {
    readonly wrongPassword: Answer;
    readonly foreignServer: Answer;
    readonly passwordMissing: Answer;
    readonly unknownType: (type: string) => Answer;
    readonly unknownToken: Answer;
    readonly unknownProfile: Answer;
  };
}
