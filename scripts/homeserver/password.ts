// Checks `m.login.password` and what modules add to it, for logins and for user-interactive
// authentication alike.
import { errorAnswer, isAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { ServerContext } from './call.ts';
import type { JsonObject } from './json-body.ts';
import { fullUserId } from './names.ts';
import { SHARED_SECRET_TYPE, isProof } from './shared-secret.ts';
import type { User } from './state.ts';

export type PasswordCheck =
  { readonly ok: true; readonly user: User } | { readonly ok: false; readonly answer: Answer };

/**
 * Gives the user whose password stands in the submission, or the answer that says what is wrong.
 * `address`: where a login comes from; null: this is no login, and nothing is limited or counted.
 */
export function checkPassword(
  server: ServerContext,
  submission: JsonObject,
  { address }: { readonly address: string | null },
): PasswordCheck {
  const name = nameIn(server, submission);
  if (typeof name !== 'string') return { ok: false, answer: name };
  const key = fullUserId(server, name).toLowerCase();
  const { failedAttempts } = server.limiters;
  const { limits } = server.manner.login;
  const waitMs = address === null ? null : failedAttempts.peek(key);
  if (limits !== null && waitMs !== null) return { ok: false, answer: limits.exceeded(waitMs) };
  const checked = checkUser(server, name, submission, address);
  if (isAnswer(checked) && address !== null) failedAttempts.take(key);
  return isAnswer(checked) ? { ok: false, answer: checked } : { ok: true, user: checked };
}

function nameIn(server: ServerContext, submission: JsonObject): string | Answer {
  const { sharedSecretAuth: auth, flows, manner } = server;
  const { type } = submission;
  if (type === SHARED_SECRET_TYPE && auth !== null) {
    // What Synapse checks of the rest is the same.
    const rest = { ...submission, type: 'm.login.password', password: '' };
    return 'token' in submission ? manner.login.nameIn(rest) : missingToken(type);
  }
  const name = manner.login.nameIn(submission);
  if (isAnswer(name) || isAnswer(flows)) return name;
  const isOffered = flows.some((flow) => 'type' in flow && flow.type === type);
  return isOffered ? name : (manner.login.withoutPasswords?.answer ?? DISABLED);
}

const DISABLED = errorAnswer(400, 'M_UNKNOWN', 'Password login has been disabled.');

function missingToken(type: string): Answer {
  return errorAnswer(400, 'M_UNKNOWN', `Missing parameters for login type ${type}: ['token']`);
}

function checkUser(
  server: ServerContext,
  name: string,
  submission: JsonObject,
  address: string | null,
): User | Answer {
  const { findUser, refusesUser, wrongPassword } = server.manner.login;
  const user = findUser(server, name);
  if (isAnswer(user)) return user;
  const refused = refusesUser(user) ?? limitKnownUser(server, user, address);
  if (refused !== null) return refused;
  return isProved(server, user, submission) ? user : wrongPassword;
}

function isProved(server: ServerContext, user: User, submission: JsonObject): boolean {
  const { sharedSecretAuth: auth } = server;
  const { type, password, token } = submission;
  if (type === SHARED_SECRET_TYPE) return auth !== null && isProof(auth, user.userId, token);
  if (user.password === password) return true;
  return auth?.takesPassword === true && isProof(auth, user.userId, password);
}

/** MAS counts only what is for a user whom it knows, and does so before it looks at the password. */
function limitKnownUser(server: ServerContext, user: User, address: string | null): Answer | null {
  const { limits } = server.manner.login;
  if (limits?.counts !== 'known users' || address === null) return null;
  const { limiters } = server;
  const waitMs = limiters.address.take(address) ?? limiters.account.take(user.userId);
  return waitMs === null ? null : limits.exceeded(waitMs);
}
