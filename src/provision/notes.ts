// What is worth saying of a run beside the outcomes of its services.
import type { LoginWork } from '../preflight.ts';
import type { Stored } from './slot.ts';
import type { SweepRequest } from './sweep.ts';

const KINDS_OF_USERS = {
  admin: 'a server administrator',
  bot: 'a bot',
  user: 'an ordinary user, since the homeserver knows no bots',
} as const;

/** Gives what is worth knowing of a login that is stored. */
export function credentialNotes(
  { action }: LoginWork,
  { credential, createdAs }: Stored,
): string[] {
  const { name, userId } = action.definition;
  const ms = credential.expiresInMs;
  const notes: string[] = [];
  if (createdAs !== null) {
    notes.push(`there was no user ${userId}: it was created, as ${KINDS_OF_USERS[createdAs]}`);
  }
  if (ms !== null) {
    const minutes = Math.round(ms / 60_000);
    notes.push(
      `the homeserver lets the token of ${name} die in ${minutes} minutes: raise its session lifetime, or run this often`,
    );
  }
  if (credential.hasRefreshToken) {
    notes.push(
      `the homeserver sent a refresh token for ${name} that nobody asked for; it is not kept`,
    );
  }
  return notes;
}

/** Tells of a session that was removed. */
export function removedNote(device: string, { service, userId }: SweepRequest): string {
  return `removed the session ${device} of ${userId}, which an interrupted login of ${service} had left`;
}
