import { errorAnswer, jsonAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { Call } from './call.ts';

/** GET /profile/{userId}, without authentication. @see Client-Server API, "Profiles" */
export function profile(call: Call): Answer {
  const userId = call.params[0] ?? '';
  const { serverName, state, manner } = call.server;
  if (!/^@[^:]*:./.test(userId)) return errorAnswer(400, 'M_INVALID_PARAM', 'Invalid user id');
  if (!userId.endsWith(`:${serverName}`)) {
    return errorAnswer(502, 'M_UNKNOWN', 'Failed to fetch profile');
  }
  const user = state.users.get(userId);
  return user === undefined
    ? manner.answers.unknownProfile
    : jsonAnswer(200, { displayname: user.displayName });
}
