// @see Client-Server API, "Logout": a logout ends the device, and so all of its tokens.
import { jsonAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import { accessToken } from './bearer.ts';
import type { Call } from './call.ts';
import { endAllDevices, endDevice } from './state.ts';
import type { Session } from './state.ts';

/** POST /logout */
export function logout(call: Call): Answer {
  return endWith(call, ({ user, device }) => {
    endDevice(call.server.state, user.userId, device.deviceId);
  });
}

/** POST /logout/all */
export function logoutAll(call: Call): Answer {
  return endWith(call, ({ user }) => {
    endAllDevices(call.server.state, user.userId);
  });
}

/** A locked user may log out; a token that MAS only remembers from its cache may not. */
function endWith(call: Call, end: (session: Session) => void): Answer {
  const token = accessToken(call);
  if (typeof token !== 'string') return token;
  const session = call.server.state.sessions.get(token);
  if (session === undefined) return call.server.manner.answers.unknownTokenAtLogout;
  end(session);
  return jsonAnswer(200, {});
}
