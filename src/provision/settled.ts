// Entries of the journal that need nobody to be asked: their device is the one that a file holds, and
// only the last step of that login was missing.
import { readFile } from 'node:fs/promises';
import type { Assessment, WaitingSession } from '../assess.ts';
import type { Decrypt } from '../definitions/types.ts';
import type { Action } from '../plan/types.ts';
import { sessionsOf } from '../assess.ts';
import { parseSessions } from '../store/text.ts';
import { isEnvelope } from '../vault/envelope.ts';
import { dropEntry } from '../vault/journal.ts';
import { StoreError } from '../vault/store-error.ts';

/** Drops the entries whose session is stored, and gives those that are left. */
export async function dropSettled(
  assessment: Assessment,
  decrypt: Decrypt | null,
): Promise<readonly WaitingSession[]> {
  const dropped = new Set<WaitingSession>();
  for (const action of assessment.actions) {
    const sessions = sessionsOf(action, assessment.sessions);
    if (action.kind !== 'present' || sessions.length === 0) continue;
    const device = await storedDevice(action, decrypt);
    for (const session of sessions) {
      if (session.entry.device_id !== device) continue;
      if (await drop(session)) dropped.add(session);
    }
  }
  return assessment.sessions.filter((session) => !dropped.has(session));
}

/** Gives false where it cannot be removed; it is tried once more with the sessions that are left. */
async function drop({ folder, entry }: WaitingSession): Promise<boolean> {
  try {
    await dropEntry(folder, entry);
    return true;
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  }
}

/** Gives the device ID that the comment beside the values names, or null: then whoami decides. */
async function storedDevice(
  { definition, target }: Action,
  decrypt: Decrypt | null,
): Promise<string | null> {
  const text = await readFile(target.file, 'utf8').catch(() => null);
  if (text === null || (isEnvelope(text) && decrypt === null)) return null;
  const start = { file: target.shown, line: 1, column: 1 };
  const plain = isEnvelope(text) && decrypt !== null ? await decrypt(text, start) : text;
  const session = parseSessions(plain).get(definition.name);
  return session?.userId === definition.userId ? session.deviceId : null;
}
