// Creates a user that is missing, where the operator asked for it. Dendrite opens a session with it: it
// is written down before the request, as that of a login, and logged out after it.
import { randomBytes } from 'node:crypto';
import { FAILURE_CODES, isFailure, type Failure } from '../matrix/failure.ts';
import {
  REGISTRATION_DEVICE,
  registerUser,
  type CreatedAs,
  type Registered,
} from '../matrix/register.ts';
import { cleanServerText } from '../matrix/server-text.ts';
import { makeUserId } from '../matrix/user-id.ts';
import type { LoginWork } from '../preflight.ts';
import { Secret } from '../secret.ts';
import { writeEntry, type JournalEntry } from '../vault/journal.ts';
import { dropQuietly, makeEntry, settleFailure, settleSession, type Abandoned } from './abandon.ts';
import type { SessionContext } from './end-session.ts';
import { localFailure } from './run-codes.ts';

export interface CreationContext extends SessionContext {
  /** What keeps everybody from being created here; shared by all services of the homeserver. */
  readonly creation: { obstacle: Failure | null };
}

/** Creates the user of a service. Gives what it is now, or why it does not exist. */
export async function createUser(
  work: LoginWork,
  secret: Secret,
  context: CreationContext,
  state: Abandoned,
): Promise<CreatedAs | Failure> {
  const { definition } = work.action;
  const obstacle = context.creation.obstacle ?? checkName(work);
  if (obstacle !== null) return notMade(work, obstacle);
  const entry = makeEntry(REGISTRATION_DEVICE, work, context);
  try {
    await writeEntry(work.folder, entry);
  } catch (error) {
    return localFailure('STORE_FAILED', error, 'nobody was created');
  }
  const { homeserver, localpart, registerAs, userId } = definition;
  context.world.progress({ kind: 'register', server: homeserver.serverName, userId });
  const baseUrl = homeserver.register?.url ?? context.homeserver.baseUrl;
  const user = { localpart, password: passwordOf(work), as: registerAs ?? 'bot' };
  const made = await registerUser(context.client, { baseUrl, secret }, user);
  if (!isFailure(made)) return settleMade(made, entry, work, context, state);
  if (made.scope === 'homeserver') context.creation.obstacle = made;
  return notMade(work, await settleFailure(made, entry, work, context, state));
}

/** Who logs in with something else needs no password that anybody knows. */
function passwordOf({ secrets }: LoginWork): Secret {
  return secrets.get('password')?.secret ?? new Secret(randomBytes(32).toString('base64url'));
}

/** Servers make small letters of capital ones: that would be another user. */
function checkName({ action }: LoginWork): Failure | null {
  const { localpart, homeserver } = action.definition;
  if (makeUserId(localpart, homeserver.serverName)?.historical === false) return null;
  const message = `${FAILURE_CODES.M_INVALID_USERNAME}: no user with such letters in its name is created any more`;
  return failed('M_INVALID_USERNAME', message);
}

async function settleMade(
  made: Registered,
  entry: JournalEntry,
  work: LoginWork,
  context: CreationContext,
  state: Abandoned,
): Promise<CreatedAs | Failure> {
  const { userId } = work.action.definition;
  if (made.kind === 'taken') {
    await dropQuietly(work.folder, entry);
    // It is the one that a request of ours, whose answer was lost, was to create.
    if (isOfOurs(work, state)) return work.action.definition.registerAs ?? 'bot';
    return failed(
      'M_FORBIDDEN',
      `${userId} exists (registering it says so), and its login was refused: its password is wrong, or it is deactivated`,
    );
  }
  const { session } = made;
  if (session === undefined) await dropQuietly(work.folder, entry);
  const left =
    session === undefined ? null : await settleSession(session, entry, work, context, state);
  if (made.userId === userId) return made.as;
  const other = made.userId === null ? 'one that it does not name' : cleanServerText(made.userId);
  const what = `the homeserver was to create ${userId} and created ${other}`;
  return failed('USER_MISMATCH', left === null ? what : `${what}; ${left}`);
}

function isOfOurs({ sessions }: LoginWork, { abandoned }: Abandoned): boolean {
  const entries = [...sessions.map((session) => session.entry), ...abandoned];
  return entries.some((entry) => entry.device_id === REGISTRATION_DEVICE);
}

function notMade({ action }: LoginWork, failure: Failure): Failure {
  const message = `there is no user ${action.definition.userId}, and it could not be created: ${failure.message}`;
  // A homeserver that creates nobody still logs those in who exist.
  const scope = failure.scope === 'homeserver' ? 'user' : failure.scope;
  return { ...failure, scope, message };
}

function failed(code: keyof typeof FAILURE_CODES, message: string): Failure {
  return {
    kind: 'failure',
    scope: 'user',
    outcome: 'failed',
    code,
    message,
    maybeExecuted: false,
  };
}
