// What is worth saying of a run beside the outcomes of its services.
import type { LoginWork, SweepWork } from '../preflight.ts';
import type { Created } from './creations.ts';
import type { Stored } from './slot.ts';
import type { SweepRequest } from './sweep.ts';

const KINDS_OF_USERS = {
  admin: 'a server administrator',
  bot: 'a bot',
  user: 'an ordinary user, since the homeserver knows no bots',
} as const;

/** Gives a note on a user who was created, or may have been, whatever came of its login. */
export function creationNotes(
  { action }: Pick<LoginWork | SweepWork, 'action'>,
  created: Created | null,
): string[] {
  if (created === null) return [];
  const begin = `there was no user ${action.definition.userId}`;
  const kind = KINDS_OF_USERS[created.as];
  switch (created.certainty) {
    case 'sure':
      return [`${begin}: it was created, as ${kind}`];
    case 'probable':
      return [`${begin}: a request whose answer was lost probably created it, as ${kind}`];
    case 'possible':
      return [`${begin}: a request whose answer was lost may have created it, as ${kind}`];
  }
}

/** Gives what is worth knowing of a login that is stored. */
export function credentialNotes({ action }: LoginWork, { credential }: Stored): string[] {
  const { name } = action.definition;
  const ms = credential.expiresInMs;
  const notes: string[] = [];
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
