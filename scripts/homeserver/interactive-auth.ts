// User-interactive authentication with the one stage `m.login.password`, which may come at once,
// without a session. @see Client-Server API, "User-Interactive Authentication API"
import { randomBytes } from 'node:crypto';
import { jsonAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { ServerContext } from './call.ts';
import { isJsonObject } from './json-body.ts';
import type { JsonObject } from './json-body.ts';
import { checkPassword } from './password.ts';
import { SHARED_SECRET_TYPE } from './shared-secret.ts';
import type { User } from './state.ts';

/** Gives null where `auth` proves the user, else what to answer. Login rate limits do not count. */
export function interactiveAuth(server: ServerContext, user: User, auth: unknown): Answer | null {
  const { unknownSession, foreignUser } = server.manner.interactive;
  if (!isJsonObject(auth)) return challenge(server, null);
  const { session } = auth;
  const isUnknown = typeof session === 'string' && !server.state.interactiveSessions.has(session);
  if (isUnknown && unknownSession !== null) return unknownSession(session);
  const checked = checkPassword(server, auth, { address: null });
  if (checked.ok) return checked.user === user ? null : foreignUser;
  return failed(server, checked.answer);
}

/** Refused credentials come back together with the challenge; anything else as it is. */
function failed(server: ServerContext, answer: Answer): Answer {
  if (answer.status !== 401 && answer.status !== 403) return answer;
  const { error, errcode } = JSON.parse(answer.body) as JsonObject;
  return challenge(server, server.manner.interactive.wrongPassword ?? { error, errcode });
}

function challenge(server: ServerContext, failure: JsonObject | null): Answer {
  const { manner, state, sharedSecretAuth } = server;
  const session = randomBytes(18).toString('base64url');
  state.interactiveSessions.add(session);
  const made = manner.interactive.challenge(session, failure);
  const module = sharedSecretAuth === null ? [] : [{ stages: [SHARED_SECRET_TYPE] }];
  const flows = [...(made['flows'] as object[]), ...module];
  return jsonAnswer(401, { ...made, flows });
}
