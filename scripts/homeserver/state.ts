// Who is registered and which sessions are open. The rule that matters most to clients: a session
// belongs to a device, a device may have several tokens, and a device ends with all of them.
import type { ServerManner } from './manner.ts';

export interface User {
  readonly userId: string;
  readonly localpart: string;
  readonly admin: boolean;
  /** Compared in clear: this server keeps no real accounts. */
  readonly password: string;
  readonly displayName: string;
  locked: boolean;
  deactivated: boolean;
}

export interface Device {
  readonly deviceId: string;
  readonly displayName: string | null;
  lastSeen: { readonly at: number; readonly address: string } | null;
}

export interface Session {
  readonly user: User;
  readonly device: Device;
  /** Whether the server has looked at the token since it was given; MAS's cache turns on that. */
  lookedAt: boolean;
}

export interface ServerState {
  /** The server's clock, in ms. */
  readonly now: () => number;
  readonly users: Map<string, User>;
  /** By user ID, then by device ID. */
  readonly devices: Map<string, Map<string, Device>>;
  /** By access token. */
  readonly sessions: Map<string, Session>;
  /** Sessions that ended, by access token, and when. */
  readonly ended: Map<string, { readonly session: Session; readonly at: number }>;
  /** Nonces of the registration API, until when they are good (ms). */
  readonly nonces: Map<string, number>;
  /** Sessions of user-interactive authentication that were begun. */
  readonly interactiveSessions: Set<string>;
}

export interface NewUser {
  readonly localpart: string;
  readonly password: string;
  readonly admin?: boolean;
  readonly displayName?: string;
}

/** Gives a state without users. */
export function emptyState(now: () => number): ServerState {
  return {
    now,
    users: new Map(),
    devices: new Map(),
    sessions: new Map(),
    ended: new Map(),
    nonces: new Map(),
    interactiveSessions: new Set(),
  };
}

/** Registers a user; the caller has made sure that the localpart is free. */
export function addUser(state: ServerState, serverName: string, wanted: NewUser): User {
  const user: User = {
    userId: `@${wanted.localpart}:${serverName}`,
    localpart: wanted.localpart,
    admin: wanted.admin ?? false,
    password: wanted.password,
    displayName: wanted.displayName ?? wanted.localpart,
    locked: false,
    deactivated: false,
  };
  state.users.set(user.userId, user);
  state.devices.set(user.userId, new Map());
  return user;
}

/** Finds a user as Synapse does: in any case of letters, if that is unambiguous. */
export function findUser(state: ServerState, userId: string): User | null {
  const exact = state.users.get(userId);
  if (exact !== undefined) return exact;
  const alike = [...state.users.values()].filter(
    (user) => user.userId.toLowerCase() === userId.toLowerCase(),
  );
  return alike.length === 1 ? (alike[0] ?? null) : null;
}

/** Opens a session on a new or a known device and gives its access token. */
export function openSession(
  state: ServerState,
  manner: ServerManner,
  wanted: { readonly user: User; readonly deviceId: string; readonly displayName: string | null },
): string {
  const { user, deviceId, displayName } = wanted;
  const devices = devicesOf(state, user.userId);
  const known = devices.get(deviceId);
  if (known !== undefined && manner.reusedDeviceEndsTokens) {
    endTokens(state, (session) => session.device === known);
  }
  // The display name of a known device stays.
  const device = known ?? { deviceId, displayName, lastSeen: null };
  devices.set(deviceId, device);
  const token = manner.newToken(user.localpart);
  state.sessions.set(token, { user, device, lookedAt: false });
  return token;
}

/** Ends a device with all its tokens. An unknown device is no error, as on real servers. */
export function endDevice(state: ServerState, userId: string, deviceId: string): void {
  const device = devicesOf(state, userId).get(deviceId);
  if (device === undefined) return;
  devicesOf(state, userId).delete(deviceId);
  endTokens(state, (session) => session.device === device);
}

/** Ends every session of a user. */
export function endAllDevices(state: ServerState, userId: string): void {
  devicesOf(state, userId).clear();
  endTokens(state, (session) => session.user.userId === userId);
}

/** Gives a user's devices by ID; an empty map for an unknown user. */
export function devicesOf(state: ServerState, userId: string): Map<string, Device> {
  return state.devices.get(userId) ?? new Map<string, Device>();
}

function endTokens(state: ServerState, ends: (session: Session) => boolean): void {
  for (const [token, session] of state.sessions) {
    if (!ends(session)) continue;
    state.sessions.delete(token);
    state.ended.set(token, { session, at: state.now() });
  }
}
