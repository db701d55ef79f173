// Which session a request belongs to. @see Client-Server API, "Using access tokens"
import { errorAnswer, jsonAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { Call } from './call.ts';
import type { Session } from './state.ts';

export type Authenticated =
  | { readonly ok: true; readonly session: Session }
  | { readonly ok: false; readonly answer: Answer };

export const USER_LOCKED = jsonAnswer(401, {
  errcode: 'M_USER_LOCKED',
  error: 'User account has been locked',
  soft_logout: true,
});

/** Finds the session of the request's access token; the answer says why there is none. */
export function authenticate(call: Call, options: { allowLocked?: boolean } = {}): Authenticated {
  const token = accessToken(call);
  if (typeof token !== 'string') return { ok: false, answer: token };
  const session = call.server.state.sessions.get(token) ?? lingeringSession(call, token);
  if (session === null) return { ok: false, answer: call.server.manner.answers.unknownToken };
  if (session.user.locked && options.allowLocked !== true) {
    return { ok: false, answer: USER_LOCKED };
  }
  session.lookedAt = true;
  session.device.lastSeen = { at: call.server.state.now(), address: call.address };
  return { ok: true, session };
}

/** Gives the request's access token, or the answer to a request without one. */
export function accessToken(call: Call): string | Answer {
  const header = call.headers.authorization;
  const inQuery = call.query.get('access_token');
  if (header === undefined) {
    return inQuery ?? errorAnswer(401, 'M_MISSING_TOKEN', 'Missing access token');
  }
  const [scheme, token, ...rest] = header.trim().split(' ');
  if (inQuery !== null) {
    return errorAnswer(
      401,
      'M_MISSING_TOKEN',
      'Mixing Authorization headers and access_token query parameters.',
    );
  }
  if (scheme === 'Bearer' && token !== undefined && rest.length === 0) return token;
  return errorAnswer(401, 'M_MISSING_TOKEN', 'Invalid Authorization header.');
}

/** Behind MAS, a token that was looked at before is taken from a cache for a while. */
function lingeringSession(call: Call, token: string): Session | null {
  const { manner, state } = call.server;
  const ended = state.ended.get(token);
  if (ended === undefined || !ended.session.lookedAt) return null;
  return state.now() - ended.at < manner.whoamiOutlivesLogoutMs ? ended.session : null;
}
