// @see Synapse's admin API, "User Admin API"
import { errorAnswer, jsonAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import { authenticate } from './bearer.ts';
import type { Call } from './call.ts';
import { devicesOf } from './state.ts';

/** GET /_synapse/admin/v2/users/{userId}/devices */
export function adminDevices(call: Call): Answer {
  const { manner } = call.server;
  if (!manner.listsDevicesToAdmins) return manner.answers.unrecognized;
  const authenticated = authenticate(call);
  if (!authenticated.ok) return authenticated.answer;
  if (!authenticated.session.user.admin) {
    return errorAnswer(403, 'M_FORBIDDEN', 'You are not a server admin');
  }
  const user = call.server.state.users.get(call.params[0] ?? '');
  if (user === undefined) return errorAnswer(404, 'M_NOT_FOUND', 'Unknown user');
  const devices = [...devicesOf(call.server.state, user.userId).values()];
  return jsonAnswer(200, {
    devices: devices.map((device) => manner.deviceJson(user, device)),
    total: devices.length,
  });
}
