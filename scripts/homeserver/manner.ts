// What differs between one homeserver software and another, mostly as data. A server is one file in
// servers/; what it answers was seen on the live server unless the file says "from source".
import type { Answer } from './answer.ts';
import type { ServerContext } from './call.ts';
import type { JsonObject } from './json-body.ts';
import type { Device, User } from './state.ts';

export interface ServerManner {
  /** The `Server` header; null: there is none. */
  readonly software: string | null;
  readonly versions: readonly string[];
  /** An answer: there is no such endpoint. */
  readonly flows: readonly object[] | Answer;
  readonly newToken: (localpart: string) => string;
  readonly newDeviceId: () => string;
  /** Whether a login with the ID of a known device ends the tokens that it had. */
  readonly reusedDeviceEndsTokens: boolean;
  /** Whether devices can be deleted with the password (user-interactive authentication). */
  readonly deletesDevices: boolean;
  /** Whether an admin can list a user's devices through Synapse's admin API. */
  readonly listsDevicesToAdmins: boolean;
  /** A device as GET /devices shows it. */
  readonly deviceJson: (user: User, device: Device) => JsonObject;
  /** Whether whoami says that a user is no guest. */
  readonly whoamiNamesGuests: boolean;
  /** How long a token that was looked at before still answers whoami after its logout, in ms. */
  readonly whoamiOutlivesLogoutMs: number;
  /** What GET auth_metadata gives: null where there is no OAuth 2.0 API. */
  readonly authMetadata: ((baseUrl: string) => object) | Answer | null;
  /** The base URL that .well-known names where none is configured; null: there is no .well-known. */
  readonly unconfiguredBaseUrl: ((serverName: string) => string) | null;
  readonly login: LoginManner;
  readonly interactive: InteractiveManner;
  /** Registration with a shared secret; null: the server has none. */
  readonly registration: RegistrationManner | null;
  readonly answers: CommonAnswers;
}

/** How POST /login is read and refused. */
export interface LoginManner {
  /** The answers to a body that is no JSON, and to one that is no object. */
  readonly notJson: Answer;
  readonly notAnObject: Answer;
  /** The answer to an object that lacks what every login has; null: it has that. */
  readonly refusesBody: (body: JsonObject) => Answer | null;
  /** The user name in a submission, or what is answered to its form. */
  readonly nameIn: (submission: JsonObject) => string | Answer;
  /** The user whom a name stands for, or what is answered where there is none. */
  readonly findUser: (server: ServerContext, name: string) => User | Answer;
  /** What is answered before the password is looked at; null: nothing. */
  readonly refusesUser: (user: User) => Answer | null;
  readonly wrongPassword: Answer;
  /** What is answered although the password was right; null: nothing. */
  readonly refusesLogin: (user: User) => Answer | null;
  /** The device ID in a body; null: the server makes one. */
  readonly deviceIn: (body: JsonObject) => string | Answer | null;
  /** Whether the answer has the deprecated `home_server`. */
  readonly namesHomeServer: boolean;
  /** Whether the answer has `well_known`, where .well-known is configured. */
  readonly namesWellKnown: boolean;
  /** Where passwords are switched off, by the operator's choice; null: they cannot be. */
  readonly withoutPasswords: {
    readonly flows: readonly object[] | Answer;
    readonly answer: Answer;
  } | null;
  /** Null: logins are not limited. */
  readonly limits: LoginLimits | null;
}

export interface LoginLimits {
  /** Whether every request counts, or only one for a user who is there. */
  readonly counts: 'every request' | 'known users';
  readonly exceeded: (waitMs: number) => Answer;
}

/** How user-interactive authentication with a password goes. */
export interface InteractiveManner {
  /** `failure`: why the last try failed. */
  readonly challenge: (session: string, failure: JsonObject | null) => JsonObject;
  /** Null: an unknown session does not matter. */
  readonly unknownSession: ((session: string) => Answer) | null;
  /** `errcode` and `error` of a wrong password; null: those of a login. */
  readonly wrongPassword: JsonObject | null;
  readonly foreignUser: Answer;
}

/** @see Synapse's admin API, "Shared-Secret Registration" */
export interface RegistrationManner {
  /** The device that registering opens, whatever the request asks for; null: as asked. */
  readonly device: string | null;
  readonly shortestPassword: number;
  readonly namesHomeServer: boolean;
  readonly isNonceGoodOnce: boolean;
  readonly newNonce: () => string;
  readonly nonceLifetimeMs: number;
  /** To a POST where the operator has set no secret; null: there is no such endpoint then. */
  readonly withoutSecret: Answer | null;
  /** Whether the MAC is one of `user_type`, too. */
  readonly macsUserType: boolean;
  /** Whether capital letters in a localpart are made small. */
  readonly lowersLocalpart: boolean;
  readonly unknownNonce: (nonce: string) => Answer;
  readonly wrongMac: Answer;
  readonly invalidLocalpart: Answer;
  readonly userInUse: Answer;
  readonly weakPassword: (shortest: number) => Answer;
}

export interface CommonAnswers {
  /** Below /_matrix or /_synapse, where there is nothing. */
  readonly unrecognized: Answer;
  /** Anywhere else. */
  readonly noSuchResource: Answer;
  readonly wrongMethod: Answer;
  readonly noWellKnown: Answer;
  readonly missingToken: Answer;
  readonly malformedToken: Answer;
  readonly unknownToken: Answer;
  readonly unknownTokenAtLogout: Answer;
  /** To a session of a locked user. */
  readonly lockedSession: Answer;
  readonly unknownDevice: Answer;
  readonly unknownProfile: Answer;
}
