// The answer to a login. A 200 opened a session: where it cannot be used, the failure carries it, so
// that the caller can log it out.
import { Secret } from '../secret.ts';
import { classifyFailure, isSuccess } from './answers.ts';
import { FAILURE_CODES, type Failure, type KnownCode, type OpenedSession } from './failure.ts';
import { FAILURE_HINTS } from './hints.ts';
import type { HttpAnswer, HttpResult } from './http-result.ts';
import { cleanDeviceId, cleanServerText } from './server-text.ts';

/** Ansible templates what it reads: only characters that mean nothing to it, or to a header. */
const ACCESS_TOKEN = /^[A-Za-z0-9._~+/=:-]{1,4096}$/;
const SENDABLE = /^[\x21-\x7e]+$/;

/** What a login gives. */
export interface Credential {
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: Secret;
  /** Milliseconds until the token dies; null: it does not. */
  readonly expiresInMs: number | null;
  /** True if the homeserver sent a refresh token, which is not asked for and not kept. */
  readonly hasRefreshToken: boolean;
}

/** What was asked for, and has to come back. */
export interface ExpectedLogin {
  readonly userId: string;
  readonly deviceId: string;
}

/**
 * Reads the answer to a login: the credential, if user, device and token are as they have to be.
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3login
 */
export function classifyLogin(result: HttpResult, expected: ExpectedLogin): Credential | Failure {
  if (!isSuccess(result)) return classifyFailure(result);
  const { user_id: userId, device_id: deviceId, access_token: accessToken } = result.json ?? {};
  const otherUser = otherUserThan(expected.userId, userId);
  const session = openedSession({ accessToken, deviceId, otherUser });
  if (
    typeof userId !== 'string' ||
    typeof deviceId !== 'string' ||
    !(accessToken instanceof Secret)
  ) {
    return { ...classifyFailure(result), session };
  }
  const problem = findProblem({ userId, deviceId, accessToken }, expected);
  if (problem !== null) return { ...unusable(result, problem), session };
  const expiry = result.json?.['expires_in_ms'];
  const expiresInMs = typeof expiry === 'number' && Number.isInteger(expiry) ? expiry : null;
  const hasRefreshToken = result.json?.['refresh_token'] !== undefined;
  return { userId, deviceId, accessToken, expiresInMs, hasRefreshToken };
}

interface Problem {
  readonly code: KnownCode;
  readonly detail: string;
}

function findProblem(
  answered: { userId: string; deviceId: string; accessToken: Secret },
  expected: ExpectedLogin,
): Problem | null {
  if (answered.userId !== expected.userId) {
    return { code: 'USER_MISMATCH', detail: compare(expected.userId, answered.userId) };
  }
  if (answered.deviceId !== expected.deviceId) {
    return { code: 'DEVICE_MISMATCH', detail: compare(expected.deviceId, answered.deviceId) };
  }
  if (ACCESS_TOKEN.test(answered.accessToken.reveal())) return null;
  return { code: 'TOKEN_UNUSABLE', detail: 'the session is of no use' };
}

function compare(asked: string, answered: string): string {
  return `asked for ${asked}, got "${cleanServerText(answered)}"`;
}

function unusable(answer: HttpAnswer, problem: Problem): Failure {
  const message = `${FAILURE_CODES[problem.code]}: ${problem.detail} (${answer.request})`;
  const hint = FAILURE_HINTS[problem.code];
  const { code } = problem;
  return {
    kind: 'failure',
    scope: 'user',
    outcome: 'failed',
    code,
    message,
    hint,
    maybeExecuted: true,
  };
}

/**
 * Gives whom an answer names, fit to be shown, if it is another user than the one asked for. Another
 * spelling is none: homeservers make small letters of capital ones.
 */
export function otherUserThan(expected: string, answered: unknown): string | null {
  if (typeof answered !== 'string') return null;
  if (answered.toLowerCase() === expected.toLowerCase()) return null;
  return cleanServerText(answered);
}

/** Gives the session that an answer holds, or undefined. */
export function openedSession({
  accessToken,
  deviceId,
  otherUser,
}: {
  readonly accessToken: unknown;
  readonly deviceId: unknown;
  readonly otherUser: string | null;
}): OpenedSession | undefined {
  if (!(accessToken instanceof Secret) && typeof deviceId !== 'string') return undefined;
  const isSendable = accessToken instanceof Secret && SENDABLE.test(accessToken.reveal());
  return {
    otherUser,
    // One that is not the one asked for is any text, even a secret sent back.
    deviceId: typeof deviceId === 'string' ? cleanDeviceId(deviceId) : null,
    accessToken: isSendable ? accessToken : null,
  };
}
