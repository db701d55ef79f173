// How servers read the user in a login: a localpart or a full user ID.
import type { ServerContext } from './call.ts';
import { isJsonObject } from './json-body.ts';
import type { JsonObject } from './json-body.ts';
import { findUser } from './state.ts';
import type { User } from './state.ts';

/** The identifier of a submission, as far as it is there. */
export function identifierOf({ identifier }: JsonObject): JsonObject | null {
  return isJsonObject(identifier) ? identifier : null;
}

/** Gives a name as a full user ID. */
export function fullUserId(server: ServerContext, name: string): string {
  return name.startsWith('@') ? name : `@${name}:${server.serverName}`;
}

/** True if a full user ID is one of another server. */
export function isForeign(server: ServerContext, userId: string): boolean {
  return userId.slice(userId.indexOf(':') + 1) !== server.serverName;
}

/** Finds a user of exactly this ID. */
export function findExactly(server: ServerContext, userId: string): User | null {
  return server.state.users.get(userId) ?? null;
}

/** Finds a user of this ID, or else in small letters. */
export function findInSmallLetters(server: ServerContext, userId: string): User | null {
  const { users } = server.state;
  const localpart = userId.slice(0, userId.indexOf(':'));
  const small = `${localpart.toLowerCase()}${userId.slice(localpart.length)}`;
  return users.get(userId) ?? users.get(small) ?? null;
}

/** Finds a user as Synapse does: in any case of letters, if that is unambiguous. */
export function findInAnyLetters(server: ServerContext, userId: string): User | null {
  return findUser(server.state, userId);
}
