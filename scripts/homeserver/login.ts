// POST /login. Each server's own order of checks decides which of several things that are wrong is
// answered; Synapse's is that of this file. @see Client-Server API, "Login"
import { setTimeout as sleep } from 'node:timers/promises';
import { isAnswer, jsonAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { Call } from './call.ts';
import { homeserverInformation } from './discovery.ts';
import { isJsonObject, parseJson } from './json-body.ts';
import type { JsonObject } from './json-body.ts';
import { checkPassword } from './password.ts';
import { openSession } from './state.ts';
import type { User } from './state.ts';

/** GET /login */
export function loginFlows(call: Call): Answer {
  const { flows } = call.server;
  return isAnswer(flows) ? flows : jsonAnswer(200, { flows });
}

/** POST /login */
export async function login(call: Call): Promise<Answer> {
  const answer = tryLogin(call);
  if (answer.status === 429) await sleep(call.server.pauseBeforeLimitedMs);
  return answer;
}

function tryLogin(call: Call): Answer {
  const { limiters, manner, flows } = call.server;
  const { limits, notJson, notAnObject, refusesBody } = manner.login;
  if (isAnswer(flows)) return manner.login.withoutPasswords?.answer ?? flows;
  const parsed = parseJson(call.body);
  if (parsed === null) return notJson;
  if (!isJsonObject(parsed.value)) return notAnObject;
  const body = parsed.value;
  const refused = refusesBody(body);
  if (refused !== null) return refused;
  const waitMs = limits?.counts === 'every request' ? limiters.address.take(call.address) : null;
  if (limits !== null && waitMs !== null) return limits.exceeded(waitMs);
  const checked = checkPassword(call.server, body, { address: call.address });
  return checked.ok ? completeLogin(call, checked.user, body) : checked.answer;
}

function completeLogin(call: Call, user: User, body: JsonObject): Answer {
  const { limiters, manner } = call.server;
  const { limits, refusesLogin, deviceIn } = manner.login;
  const waitMs =
    limits?.counts === 'every request' ? limiters.account.take(user.userId.toLowerCase()) : null;
  if (limits !== null && waitMs !== null) return limits.exceeded(waitMs);
  const refused = refusesLogin(user);
  if (refused !== null) return refused;
  const deviceId = deviceIn(body) ?? manner.newDeviceId();
  if (typeof deviceId !== 'string') return deviceId;
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
  const { namesHomeServer, namesWellKnown } = manner.login;
  return {
    user_id: user.userId,
    access_token: opened.token,
    ...(namesHomeServer ? { home_server: serverName } : {}),
    device_id: opened.deviceId,
    ...(sessionLifetimeMs === null ? {} : { expires_in_ms: sessionLifetimeMs }),
    ...(publicBaseUrl === null || !namesWellKnown
      ? {}
      : { well_known: homeserverInformation(publicBaseUrl) }),
  };
}
