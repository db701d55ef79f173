import { jsonAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import { authenticate } from './bearer.ts';
import type { Call } from './call.ts';

/** GET /account/whoami */
export function whoami(call: Call): Answer {
  const authenticated = authenticate(call);
  if (!authenticated.ok) return authenticated.answer;
  const { user, device } = authenticated.session;
  const guest = call.server.manner.whoamiNamesGuests ? { is_guest: false } : {};
  return jsonAnswer(200, { user_id: user.userId, ...guest, device_id: device.deviceId });
}
