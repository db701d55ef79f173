// What goes wrong with one service or one homeserver. A Failure is returned, never thrown: it is an
// outcome of the run, and says what an operator has to know without a secret in it.
import type { Secret } from '../secret.ts';

/** Every code of ours and those of servers that mean something here; any other is the server's. */
export const FAILURE_CODES = {
  BAD_ERRCODE: 'the homeserver refused, with an errcode that the specification does not allow',
  BAD_URL: 'the address cannot be used as that of a homeserver',
  DEVICE_MISMATCH: 'the homeserver logged in with another device ID than the one asked for',
  DNS: 'the name of the homeserver has no address',
  FOREIGN_URL:
    'the discovered homeserver lies outside of the server name, and a password would go there',
  INTERRUPTED: 'the run was interrupted before this was done',
  NETWORK: 'the network knows no way to the homeserver',
  NO_HOMESERVER: 'no homeserver was found for the server name',
  NO_LOGIN_FLOW: 'the homeserver offers no login that the definition has a secret for',
  NO_PASSWORD_FLOW: 'the homeserver offers no login with a password',
  NOT_MATRIX: 'something that is not a Matrix homeserver answered',
  OAUTH_ONLY: 'the homeserver has no login but OAuth 2.0',
  PROTOCOL: 'the answer breaks the rules of HTTP',
  PROXY: 'the proxy of the environment refused the connection',
  REDIRECT: 'the server redirects to another address, where no password is sent',
  REFUSED: 'nothing accepts connections at the address of the homeserver',
  REGISTER_NOT_OFFERED: 'the homeserver has no registration with a shared secret at this address',
  REGISTER_SECRET: 'the homeserver refused the registration secret, since its own is another',
  RESET: 'the connection broke before the answer was complete',
  SERVER_ERROR: 'the homeserver, or the proxy in front of it, has trouble of its own',
  TIMEOUT: 'no complete answer came in time',
  TLS: 'no trusted TLS connection could be made',
  TOKEN_UNUSABLE: 'the access token holds characters that cannot be stored or sent safely',
  TOO_LARGE: 'the answer is larger than any that a homeserver gives',
  UNSUPPORTED_VERSION: 'the homeserver speaks no version of Matrix that is known here',
  USER_MISMATCH: 'the homeserver logged in another user than the one asked for',
  WELL_KNOWN: 'the .well-known/matrix/client of the server name is not as it has to be',
  M_BAD_JSON: 'the homeserver could not make sense of the request',
  M_EXCLUSIVE: 'the user ID belongs to an appservice',
  M_FORBIDDEN: 'the homeserver refused the user ID or the password',
  M_INVALID_PARAM: 'the homeserver refused a value in the request',
  M_INVALID_USERNAME: 'the homeserver does not accept this user ID',
  M_LIMIT_EXCEEDED: 'the rate limit of the homeserver stands against it',
  M_MISSING_PARAM: 'the homeserver missed a value in the request',
  M_MISSING_TOKEN: 'the homeserver saw no access token in the request',
  M_NOT_FOUND: 'the homeserver knows no such user',
  M_NOT_JSON: 'the homeserver saw no JSON in the request',
  M_RESOURCE_LIMIT_EXCEEDED: 'the homeserver has reached a limit that its administrator set',
  M_TOO_LARGE: 'the request is too large for the homeserver',
  M_UNKNOWN: 'the homeserver refused for a reason that it has no code for',
  M_UNKNOWN_TOKEN: 'the homeserver does not know this access token',
  M_UNRECOGNIZED: 'the homeserver does not have this part of the Matrix API',
  M_USER_DEACTIVATED: 'the user is deactivated',
  M_USER_LIMIT_EXCEEDED: 'the user has reached a limit of the homeserver, such as that of devices',
  M_USER_LOCKED: 'the user is locked',
  M_USER_SUSPENDED: 'the user is suspended',
  M_USER_IN_USE: 'there is a user of this name already',
  M_WEAK_PASSWORD: 'the homeserver finds the password too weak',
  ORG_MATRIX_EXPIRED_ACCOUNT: 'the account of the user has expired',
  'ORG.MATRIX.MSC3866_USER_AWAITING_APPROVAL':
    'the user waits for the approval of an administrator',
} as const;

export type KnownCode = keyof typeof FAILURE_CODES;

/** Who failed: nobody yet (the request may be sent again), one user, or the whole homeserver. */
export type FailureScope = 'retry' | 'user' | 'homeserver';

/**
 * How a request may be sent again, and who has failed when that was in vain. `rate_limit`: as long
 * as the waiting budget lasts; `backoff`: so many requests in all.
 */
export type RetryRule =
  | { readonly kind: 'rate_limit'; readonly otherwise: 'user' }
  | {
      readonly kind: 'backoff';
      readonly requests: number;
      readonly otherwise: 'user' | 'homeserver';
    };

/** A session that was opened but cannot be used: to be logged out. */
export interface OpenedSession {
  /** Whose it is, fit to be shown; null: that of the user asked for, or the answer does not say. */
  readonly otherUser: string | null;
  readonly deviceId: string | null;
  /** Null if the answer held none that can be sent. */
  readonly accessToken: Secret | null;
}

export interface Failure {
  readonly kind: 'failure';
  readonly scope: FailureScope;
  readonly outcome: 'failed' | 'unreachable' | 'deferred';
  /** A key of FAILURE_CODES, or an errcode that is the server's own. */
  readonly code: string;
  /** One sentence without a full stop and without secrets. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** Milliseconds that the server asks to wait; null: it asks for none. */
  readonly retryAfterMs?: number | null;
  /** When it lets the next request through, as bounds in milliseconds from its answer. */
  readonly freeIn?: { readonly least: number; readonly most: number } | null;
  /** Only a failure of scope `retry` has one. */
  readonly retry?: RetryRule | undefined;
  /** The same code for another user right after it means that the homeserver is at fault. */
  readonly onRepeat?: 'homeserver' | undefined;
  /** False only if it is proved that the last request was not executed. */
  readonly maybeExecuted: boolean;
  readonly session?: OpenedSession | undefined;
}

/** Tells a Failure from whatever else a function gives. */
export function isFailure(value: unknown): value is Failure {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'failure';
}

/** Gives a failure that stands for a whole homeserver without any request to blame. */
export function homeserverFailure(
  code: KnownCode,
  details: {
    readonly message?: string;
    readonly hint?: string | undefined;
    readonly outcome?: 'failed' | 'unreachable';
    readonly maybeExecuted?: boolean;
  } = {},
): Failure {
  const { message = FAILURE_CODES[code], outcome = 'failed', maybeExecuted = false } = details;
  return {
    kind: 'failure',
    scope: 'homeserver',
    outcome,
    code,
    message,
    hint: details.hint,
    maybeExecuted,
  };
}

/** Gives the verdict when a request of scope `retry` is not sent again any more. */
export function withoutRetry(failure: Failure): Failure {
  if (failure.retry === undefined) return failure;
  return { ...failure, scope: failure.retry.otherwise, retry: undefined };
}

/** Gives a failure that concerns one request as one that concerns all users of the homeserver. */
export function ofWholeHomeserver(failure: Failure): Failure {
  const { retry, scope } = failure;
  if (scope === 'user') return { ...failure, scope: 'homeserver', onRepeat: undefined };
  if (retry?.kind !== 'backoff') return failure;
  return { ...failure, retry: { ...retry, otherwise: 'homeserver' } };
}
