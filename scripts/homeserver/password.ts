// Checks `m.login.password` and what modules add to it, for logins and for user-interactive
// authentication alike.
import { errorAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { ServerContext } from './call.ts';
import { isJsonObject } from './json-body.ts';
import type { JsonObject } from './json-body.ts';
import { limitExceeded } from './limit-exceeded.ts';
import { SHARED_SECRET_TYPE, isProof } from './shared-secret.ts';
import { findUser } from './state.ts';
import type { User } from './state.ts';

interface Identifier {
  readonly type: unknown;
  readonly user: unknown;
}

export type PasswordCheck =
  { readonly ok: true; readonly user: User } | { readonly ok: false; readonly answer: Answer };

/** Gives the user whose password stands in the submission, or the answer that says what is wrong. */
export function checkPassword(
  server: ServerContext,
  submission: JsonObject,
  options: { readonly countFailures: boolean },
): PasswordCheck {
  const invalid = checkForm(server, submission);
  if (typeof invalid !== 'string') return { ok: false, answer: invalid };
  const userId = invalid.startsWith('@') ? invalid : `@${invalid}:${server.serverName}`;
  const key = userId.toLowerCase();
  const { failedAttempts } = server.limiters;
  const waitMs = options.countFailures ? failedAttempts.peek(key) : null;
  if (waitMs !== null) return { ok: false, answer: limitExceeded(server.manner, waitMs) };
  const checked = checkUser(server, userId, submission);
  if (!checked.ok && options.countFailures) failedAttempts.take(key);
  return checked;
}

/** Gives the user name of a well-formed submission. */
function checkForm(server: ServerContext, submission: JsonObject): string | Answer {
  const { type, password } = submission;
  if (typeof type !== 'string') return errorAnswer(400, 'M_INVALID_PARAM', 'Bad parameter: type');
  if (type === 'm.login.password' && typeof password !== 'string') {
    return server.manner.answers.passwordMissing;
  }
  const isModules = type === SHARED_SECRET_TYPE && server.sharedSecretAuth !== null;
  if (isModules && !('token' in submission)) {
    return errorAnswer(400, 'M_UNKNOWN', `Missing parameters for login type ${type}: ['token']`);
  }
  const identifier = identifierOf(submission);
  if ('status' in identifier) return identifier;
  if (identifier.type === 'm.id.thirdparty') return server.manner.answers.wrongPassword;
  if (identifier.type !== 'm.id.user') {
    return errorAnswer(400, 'M_UNKNOWN', 'Unknown login identifier type');
  }
  const { user } = identifier;
  if (typeof user !== 'string' || user === '') {
    return errorAnswer(400, 'M_UNKNOWN', "User identifier is missing 'user' key");
  }
  if (isModules) return user;
  if (type !== 'm.login.password') return server.manner.answers.unknownType(type);
  const isOffered = server.flows?.some((flow) => 'type' in flow && flow.type === type) === true;
  return isOffered ? user : errorAnswer(400, 'M_UNKNOWN', 'Password login has been disabled.');
}

/** The deprecated top-level `user` overrides the identifier, as on Synapse and MAS. */
function identifierOf({ user, identifier }: JsonObject): Identifier | Answer {
  if (typeof user === 'string') return { type: 'm.id.user', user };
  if (isJsonObject(identifier) && 'type' in identifier) {
    return { type: identifier['type'], user: identifier['user'] };
  }
  const isEmpty = isJsonObject(identifier) && Object.keys(identifier).length === 0;
  return isEmpty || identifier === undefined
    ? errorAnswer(400, 'M_INVALID_PARAM', 'Invalid login submission')
    : errorAnswer(400, 'M_MISSING_PARAM', "'identifier' dict has no key 'type'");
}

function checkUser(server: ServerContext, userId: string, submission: JsonObject): PasswordCheck {
  const { answers } = server.manner;
  const foreign = !userId.toLowerCase().endsWith(`:${server.serverName.toLowerCase()}`);
  if (foreign) return { ok: false, answer: answers.foreignServer };
  const user = findUser(server.state, userId);
  const right = user !== null && !user.deactivated && isProved(server, user, submission);
  return right ? { ok: true, user } : { ok: false, answer: answers.wrongPassword };
}

function isProved(server: ServerContext, user: User, submission: JsonObject): boolean {
  const { sharedSecretAuth: auth } = server;
  const { type, password, token } = submission;
  if (type === SHARED_SECRET_TYPE) return auth !== null && isProof(auth, user.userId, token);
  if (user.password === password) return true;
  return auth?.takesPassword === true && isProof(auth, user.userId, password);
}
