// POST /login, in the order in which Synapse checks: the order decides which of several things that
// are wrong is answered. @see Client-Server API, "Login"
import { setTimeout as sleep } from 'node:timers/promises';
import { UNRECOGNIZED, errorAnswer, jsonAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import { USER_LOCKED } from './bearer.ts';
import type { Call } from './call.ts';
import { homeserverInformation } from './discovery.ts';
import { parseJsonBody } from './json-body.ts';
import type { JsonObject } from './json-body.ts';
import { checkPassword } from './password.ts';
import { limitExceeded } from './limit-exceeded.ts';
import { openSession } from './state.ts';
import type { User } from './state.ts';

const LONGEST_DEVICE_ID = 512;

/** GET /login */
export function loginFlows(call: Call): Answer {
  const { flows } = call.server;
  return flows === null ? UNRECOGNIZED : jsonAnswer(200, { flows });
}

/** POST /login */
export async function login(call: Call): Promise<Answer> {
  const answer = tryLogin(call);
  if (answer.status === 429) await sleep(call.server.pauseBeforeLimitedMs);
  return answer;
}

function tryLogin(call: Call): Answer {
  if (call.server.flows === null) return UNRECOGNIZED;
  const parsed = parseJsonBody(call.body);
  if (!parsed.ok) return parsed.answer;
  const { body } = parsed;
  if (typeof (body['refresh_token'] ?? false) !== 'boolean') {
    return errorAnswer(400, 'M_UNKNOWN', '`refresh_token` should be true or false.');
  }
  if (!('type' in body)) return errorAnswer(400, 'M_UNKNOWN', 'Missing JSON keys.');
  const { limiters, manner } = call.server;
  const waitMs = limiters.address.take(call.address);
  if (waitMs !== null) return limitExceeded(manner, waitMs);
  const checked = checkPassword(call.server, body, { countFailures: true });
  return checked.ok ? completeLogin(call, checked.user, body) : checked.answer;
}

function completeLogin(call: Call, user: User, body: JsonObject): Answer {
  const { limiters, manner } = call.server;
  const waitMs = limiters.account.take(user.userId.toLowerCase());
  if (waitMs !== null) return limitExceeded(manner, waitMs);
  if (user.locked) return USER_LOCKED;
  const deviceId = body['device_id'] ?? manner.newDeviceId();
  if (typeof deviceId !== 'string') return errorAnswer(500, 'M_UNKNOWN', 'Internal server error');
  if (deviceId.length > LONGEST_DEVICE_ID) {
    return errorAnswer(
      400,
      'M_INVALID_PARAM',
      `device_id cannot be longer than ${LONGEST_DEVICE_ID} characters.`,
    );
  }
  const name = body['initial_device_display_name'];
  const displayName = typeof name === 'string' ? name : null;
  const token = openSession(call.server.state, manner, { user, deviceId, displayName });
  return jsonAnswer(200, loginResult(call, user, { deviceId, token }));
}

function loginResult(
  call: Call,
  user: User,
  opened: { readonly deviceId: string; readonly token: string },
): object {
  const { manner, serverName, sessionLifetimeMs, publicBaseUrl } = call.server;
  return {
    user_id: user.userId,
    access_token: opened.token,
    ...(manner.loginNamesHomeServer ? { home_server: serverName } : {}),
    device_id: opened.deviceId,
    ...(sessionLifetimeMs === null ? {} : { expires_in_ms: sessionLifetimeMs }),
    ...(publicBaseUrl === null || !manner.loginNamesHomeServer
      ? {}
      : { well_known: homeserverInformation(publicBaseUrl) }),
  };
}
