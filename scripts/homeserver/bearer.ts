// Which session a request belongs to. @see Client-Server API, "Using access tokens"
import type { Answer } from './answer.ts';
import type { Call } from './call.ts';
import type { Session } from './state.ts';

export type Authenticated =
  | { readonly ok: true; readonly session: Session }
  | { readonly ok: false; readonly answer: Answer };

/** Finds the session of the request's access token; the answer says why there is none. */
export function authenticate(call: Call): Authenticated {
  const token = accessToken(call);
  if (typeof token !== 'string') return { ok: false, answer: token };
  const { answers } = call.server.manner;
  const session = call.server.state.sessions.get(token) ?? lingeringSession(call, token);
  if (session === null) return { ok: false, answer: answers.unknownToken };
  if (session.user.locked) return { ok: false, answer: answers.lockedSession };
  session.lookedAt = true;
  session.device.lastSeen = { at: call.server.state.now(), address: call.address };
  return { ok: true, session };
}

/** Gives the request's access token, or the answer to a request without one. */
export function accessToken(call: Call): string | Answer {
  const { answers } = call.server.manner;
  const header = call.headers.authorization;
  const inQuery = call.query.get('access_token');
  if (header === undefined) return inQuery ?? answers.missingToken;
  const [scheme, token, ...rest] = header.trim().split(' ');
  const isPlain = scheme === 'Bearer' && token !== undefined && rest.length === 0;
  return isPlain && inQuery === null ? token : answers.malformedToken;
}

/** Behind MAS, a token that was looked at before is taken from a cache for a while. */
function lingeringSession(call: Call, token: string): Session | null {
  const { manner, state } = call.server;
  const ended = state.ended.get(token);
  if (ended === undefined || !ended.session.lookedAt) return null;
  return state.now() - ended.at < manner.whoamiOutlivesLogoutMs ? ended.session : null;
}
