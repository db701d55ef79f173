// Sessions that a login, or the making of a user, has opened and that are of no use. Each is logged
// out at once, or stays in the journal for whoever has a token of its user next.
import { randomBytes } from 'node:crypto';
import type { Failure, OpenedSession } from '../matrix/failure.ts';
import type { LoginWork } from '../preflight.ts';
import { dropEntry, writeEntry, type JournalEntry } from '../vault/journal.ts';
import { StoreError } from '../vault/store-error.ts';
import { endSession, type SessionContext } from './end-session.ts';

/** The entries of this run whose devices may be there and are to be removed. */
export interface Abandoned {
  readonly abandoned: JournalEntry[];
}

/** Makes the entry of a device that a request is about to be sent for. */
export function makeEntry(
  device: string,
  { action }: Pick<LoginWork, 'action'>,
  { homeserver, world }: Pick<SessionContext, 'homeserver' | 'world'>,
): JournalEntry {
  const { definition, target } = action;
  return {
    id: newId(definition.name),
    host: definition.host.name,
    service: definition.name,
    user_id: definition.userId,
    device_id: device,
    base_url: homeserver.baseUrl,
    target: target.file,
    at: world.now(),
  };
}

/**
 * After a failed request: its entry is dropped only if it is proved that no session is left. Gives
 * the failure, which says so if a session could not be logged out.
 */
export async function settleFailure(
  failure: Failure,
  entry: JournalEntry,
  work: Pick<LoginWork, 'action' | 'folder'>,
  context: SessionContext,
  state: Abandoned,
): Promise<Failure> {
  if (failure.session !== undefined) {
    const left = await settleSession(failure.session, entry, work, context, state);
    return left === null ? failure : { ...failure, message: `${failure.message}; ${left}` };
  }
  if (failure.maybeExecuted) state.abandoned.push(entry);
  else await dropQuietly(work.folder, entry);
  return failure;
}

/** Logs a session out that was opened in vain. Gives null, or that it could not be done. */
export async function settleSession(
  session: OpenedSession,
  entry: JournalEntry,
  work: Pick<LoginWork, 'action' | 'folder'>,
  context: SessionContext,
  state: Abandoned,
): Promise<string | null> {
  const { accessToken, deviceId, otherUser } = session;
  const failure = accessToken === null ? null : await endSession(accessToken, context);
  if (accessToken !== null && failure === null) {
    await dropQuietly(work.folder, entry);
    return null;
  }
  const kept = await keepEntry(entry, session, work.folder);
  if (otherUser === null) state.abandoned.push(kept);
  if (otherUser === null && deviceId !== null && deviceId !== entry.device_id) {
    const other = { ...makeEntry(deviceId, work, context), at: entry.at };
    await writeEntry(work.folder, other).catch(() => null);
    state.abandoned.push(other);
  }
  const reason = failure === null ? 'its token cannot be sent' : failure.message;
  return `its session ${deviceId ?? entry.device_id} could not be logged out (${reason})`;
}

/**
 * Writes into the entry of a session that stays open what its answer has told. That of another user
 * is none that the user of the service could remove, or call gone: it waits for a person.
 */
export async function keepEntry(
  entry: JournalEntry,
  { deviceId, otherUser }: OpenedSession,
  folder: string,
): Promise<JournalEntry> {
  // An answer came: there is nothing left to be guessed of who was created.
  const { created_as: createdAs, ...rest } = entry;
  if (otherUser === null && createdAs === undefined) return entry;
  const owner =
    otherUser === null ? {} : { user_id: otherUser, device_id: deviceId ?? entry.device_id };
  const kept = { ...rest, ...owner, id: newId(entry.service) };
  // A write that fails may take the entry of its name along: the old one stays until this is there.
  try {
    await writeEntry(folder, kept);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return entry;
  }
  await dropQuietly(folder, entry);
  return kept;
}

function newId(service: string): string {
  return `${service.slice(0, 40)}-${randomBytes(8).toString('hex')}`;
}

/** An entry too many costs the next run a question; it is no reason to fail. */
export async function dropQuietly(folder: string, entry: JournalEntry): Promise<void> {
  await dropEntry(folder, entry).catch((error: unknown) => {
    if (!(error instanceof StoreError)) throw error;
  });
}
