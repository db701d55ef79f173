// @see Client-Server API, "Device Management"
import { errorAnswer, jsonAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import { authenticate } from './bearer.ts';
import type { Call } from './call.ts';
import { parseJsonBody } from './json-body.ts';
import { devicesOf, endDevice } from './state.ts';
import type { User } from './state.ts';
import { interactiveAuth } from './interactive-auth.ts';

/** GET /devices */
export function listDevices(call: Call): Answer {
  const authenticated = authenticate(call);
  if (!authenticated.ok) return authenticated.answer;
  const { user } = authenticated.session;
  const { state, manner } = call.server;
  const devices = [...devicesOf(state, user.userId).values()];
  return jsonAnswer(200, { devices: devices.map((device) => manner.deviceJson(user, device)) });
}

/** GET /devices/{deviceId} */
export function getDevice(call: Call): Answer {
  const authenticated = authenticate(call);
  if (!authenticated.ok) return authenticated.answer;
  const { user } = authenticated.session;
  const { state, manner } = call.server;
  const device = devicesOf(state, user.userId).get(call.params[0] ?? '');
  if (device === undefined) return manner.answers.unknownDevice;
  return jsonAnswer(200, manner.deviceJson(user, device));
}

/** DELETE /devices/{deviceId}; here the body may be left out. */
export function deleteDevice(call: Call): Answer {
  return withUser(call, (user) => {
    const parsed = parseJsonBody(call.body === '' ? '{}' : call.body);
    if (!parsed.ok) return parsed.answer;
    return deleteWithPassword(call, user, { auth: parsed.body['auth'], deviceIds: call.params });
  });
}

/** POST /delete_devices */
export function deleteDevices(call: Call): Answer {
  return withUser(call, (user) => {
    const parsed = parseJsonBody(call.body);
    if (!parsed.ok) return parsed.answer;
    const { devices, auth } = parsed.body;
    // Synapse's texts are pydantic's and change with its version: only the codes are the same.
    if (devices === undefined) return errorAnswer(400, 'M_MISSING_PARAM', 'devices is required');
    if (!Array.isArray(devices) || !devices.every((device) => typeof device === 'string')) {
      return errorAnswer(400, 'M_BAD_JSON', 'devices should be a list of strings');
    }
    return deleteWithPassword(call, user, { auth, deviceIds: devices });
  });
}

function withUser(call: Call, handle: (user: User) => Answer): Answer {
  const { manner } = call.server;
  if (!manner.deletesDevices) return manner.answers.unrecognized;
  const authenticated = authenticate(call);
  return authenticated.ok ? handle(authenticated.session.user) : authenticated.answer;
}

function deleteWithPassword(
  call: Call,
  user: User,
  wanted: { readonly auth: unknown; readonly deviceIds: readonly string[] },
): Answer {
  const refused = interactiveAuth(call.server, user, wanted.auth);
  if (refused !== null) return refused;
  for (const deviceId of wanted.deviceIds) endDevice(call.server.state, user.userId, deviceId);
  return jsonAnswer(200, {});
}
