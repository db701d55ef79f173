// What the servers that are built on the Rust library ruma have in common. All of it is from source,
// not seen: ruma at 0908aaa98470 (2026-08-19).
import type { Answer } from './answer.ts';
import { isJsonObject } from './json-body.ts';
import type { JsonObject } from './json-body.ts';
import type { Device, User } from './state.ts';

/** A localpart that ruma takes: anything visible in ASCII but the colon. */
const USER_ID = /^@[\x21-\x39\x3b-\x7e]*:[0-9A-Za-z.:[\]-]+$/;

/** The name in a password login, as ruma's types let it through to the server. */
export type RumaName =
  | { readonly kind: 'identifier'; readonly user: string }
  | { readonly kind: 'deprecated'; readonly user: string }
  | { readonly kind: 'bad_json' | 'other_identifier' | 'other_type' };

/** Reads the body of a login. The top-level `user` counts only where there is no identifier. */
export function readRumaName({ type, password, identifier, user }: JsonObject): RumaName {
  if (typeof type !== 'string') return { kind: 'bad_json' };
  if (type !== 'm.login.password') return { kind: 'other_type' };
  if (typeof password !== 'string') return { kind: 'bad_json' };
  if (identifier === undefined || identifier === null) {
    return typeof user === 'string' ? { kind: 'deprecated', user } : { kind: 'other_identifier' };
  }
  if (!isJsonObject(identifier) || typeof identifier['type'] !== 'string') {
    return { kind: 'bad_json' };
  }
  if (identifier['type'] !== 'm.id.user') return { kind: 'other_identifier' };
  return typeof identifier['user'] === 'string'
    ? { kind: 'identifier', user: identifier['user'] }
    : { kind: 'bad_json' };
}

/** True for a full user ID that ruma does not call malformed. */
export function isRumaUserId(userId: string): boolean {
  return USER_ID.test(userId);
}

/** A device as ruma writes it. */
export function rumaDevice(_user: User, device: Device): JsonObject {
  return {
    device_id: device.deviceId,
    display_name: device.displayName,
    last_seen_ip: device.lastSeen?.address ?? null,
    ...(device.lastSeen === null ? {} : { last_seen_ts: device.lastSeen.at }),
  };
}

/** What user-interactive authentication wants, as ruma writes it; `failure` stands beside it. */
export function rumaChallenge(params: object | null) {
  return (session: string, failure: JsonObject | null): JsonObject => ({
    flows: [{ stages: ['m.login.password'] }],
    params,
    session,
    ...failure,
  });
}

/** The device ID of a body; anything but a text is refused as bad JSON. */
export function rumaDeviceIn(badJson: Answer): (body: JsonObject) => string | Answer | null {
  return ({ device_id: deviceId }) => {
    if (deviceId === undefined || deviceId === null) return null;
    return typeof deviceId === 'string' ? deviceId : badJson;
  };
}
