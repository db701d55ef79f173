// User-interactive authentication with the one stage `m.login.password`, which may come at once,
// without a session. @see Client-Server API, "User-Interactive Authentication API"
import { randomBytes } from 'node:crypto';
import { errorAnswer, jsonAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { ServerContext } from './call.ts';
import { isJsonObject } from './json-body.ts';
import { checkPassword } from './password.ts';
import { SHARED_SECRET_TYPE } from './shared-secret.ts';
import type { User } from './state.ts';

/** Gives null where `auth` proves the user, else what to answer. Login rate limits do not count. */
export function interactiveAuth(server: ServerContext, user: User, auth: unknown): Answer | null {
  const { interactiveSessions } = server.state;
  if (!isJsonObject(auth)) return jsonAnswer(401, challenge(server));
  const { session } = auth;
  if (typeof session === 'string' && !interactiveSessions.has(session)) {
    return errorAnswer(400, 'M_UNKNOWN', `Unknown session ID: ${session}`);
  }
  const checked = checkPassword(server, auth, { countFailures: false });
  if (checked.ok) {
    return checked.user === user ? null : errorAnswer(403, 'M_FORBIDDEN', 'Invalid auth');
  }
  const { answer } = checked;
  if (answer.status !== 401 && answer.status !== 403) return answer;
  const { error, errcode } = JSON.parse(answer.body) as { error: string; errcode: string };
  return jsonAnswer(401, { ...challenge(server), completed: [], error, errcode });
}

function challenge({ state, sharedSecretAuth }: ServerContext): object {
  const session = randomBytes(18).toString('base64url');
  state.interactiveSessions.add(session);
  const module = sharedSecretAuth === null ? [] : [{ stages: [SHARED_SECRET_TYPE] }];
  return { session, flows: [{ stages: ['m.login.password'] }, ...module], params: {} };
}
