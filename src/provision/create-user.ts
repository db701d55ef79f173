// Creates a user that is missing, where the operator asked for it. Dendrite opens a session with it: it
// is written down before the request, as that of a login, and logged out after it.
import { randomBytes } from 'node:crypto';
import { otherUserThan } from '../matrix/credential.ts';
import { FAILURE_CODES, isFailure, type Failure } from '../matrix/failure.ts';
import {
  REGISTRATION_DEVICE,
  registerUser,
  type CreatedAs,
  type Registered,
} from '../matrix/register.ts';
import { makeUserId } from '../matrix/user-id.ts';
import type { LoginWork } from '../preflight.ts';
import { Secret } from '../secret.ts';
import { writeEntry, type JournalEntry } from '../vault/journal.ts';
import { dropQuietly, makeEntry, settleFailure, settleSession, type Abandoned } from './abandon.ts';
import { noteCreation, type Created, type Creations } from './creations.ts';
import type { SessionContext } from './end-session.ts';
import { localFailure } from './run-codes.ts';

export interface CreationContext extends SessionContext {
  readonly creation: {
    /** What keeps everybody from being created here; shared by all services of these settings. */
    obstacle: Failure | null;
    /** Shared by all services of the homeserver. */
    readonly begun: Creations;
  };
}

/**
 * Creates the user of a service. Gives what it is now, or why it does not exist; `exists`: another
 * service of this run has created it.
 */
export async function createUser(
  work: LoginWork,
  secret: Secret,
  context: CreationContext,
  state: Abandoned,
): Promise<Created | 'exists' | Failure> {
  const { userId } = work.action.definition;
  const { begun } = context.creation;
  const earlier = begun.get(userId);
  if (earlier?.isDone === false && (await earlier.isMade)) return 'exists';
  const wasBegun = begun.has(userId);
  const creating = create(work, secret, context, { ...state, wasBegun });
  noteCreation(begun, userId, creating);
  return creating;
}

interface CreationState extends Abandoned {
  /** This run has begun before to create the user, mostly for another service. */
  readonly wasBegun: boolean;
}

async function create(
  work: LoginWork,
  secret: Secret,
  context: CreationContext,
  state: CreationState,
): Promise<Created | 'exists' | Failure> {
  const { homeserver, localpart, registerAs, userId } = work.action.definition;
  const obstacle = context.creation.obstacle ?? checkName(work);
  if (obstacle !== null) return notMade(work, obstacle);
  context.world.progress({ kind: 'register', server: homeserver.serverName, userId });
  const baseUrl = homeserver.register?.url ?? context.homeserver.baseUrl;
  const user = { localpart, password: passwordOf(work), as: registerAs ?? 'bot' };
  const written: JournalEntry[] = [];
  const made = await registerUser(context.client, { baseUrl, secret }, user, (as) =>
    writeDown(as, work, context, written),
  );
  const [entry] = written;
  if (isFailure(made) && made.scope === 'homeserver') context.creation.obstacle = made;
  if (entry !== undefined && !isFailure(made)) {
    return settleMade(made, entry, work, context, state);
  }
  if (!isFailure(made)) throw new Error('a user was created of which nothing was written down');
  if (entry === undefined) return notMade(work, made);
  return notMade(work, await settleFailure(made, entry, work, context, state));
}

/** Right before the request that creates: asking for a nonce leaves nothing behind. */
async function writeDown(
  as: CreatedAs,
  work: LoginWork,
  context: CreationContext,
  written: JournalEntry[],
): Promise<Failure | null> {
  const entry = { ...makeEntry(REGISTRATION_DEVICE, work, context), created_as: as };
  try {
    await writeEntry(work.folder, entry);
  } catch (error) {
    return localFailure('STORE_FAILED', error, 'nobody was created');
  }
  written.push(entry);
  return null;
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
  state: CreationState,
): Promise<Created | 'exists' | Failure> {
  const { userId } = work.action.definition;
  if (made.kind === 'taken') {
    await dropQuietly(work.folder, entry);
    return judgeTaken(work, state);
  }
  const otherUser = otherUserThan(userId, made.userId);
  const session = made.session === undefined ? undefined : { ...made.session, otherUser };
  if (session === undefined) await dropQuietly(work.folder, entry);
  const left =
    session === undefined ? null : await settleSession(session, entry, work, context, state);
  if (made.userId === userId) return { as: made.as, certainty: 'sure' };
  const what = `the homeserver was to create ${userId} and created ${otherUser ?? 'one that it does not name'}`;
  return failed('USER_MISMATCH', left === null ? what : `${what}; ${left}`);
}

/** It may be the one that a request of ours, whose answer was lost, was to create. */
function judgeTaken(
  { action, sessions }: LoginWork,
  { abandoned, wasBegun }: CreationState,
): Created | 'exists' | Failure {
  if (wasBegun) return 'exists';
  const { registerAs, userId } = action.definition;
  const entries = [...sessions.map((session) => session.entry), ...abandoned];
  const own = entries.findLast((entry) => entry.device_id === REGISTRATION_DEVICE);
  if (own !== undefined) {
    return { as: own.created_as ?? registerAs ?? 'bot', certainty: 'probable' };
  }
  return failed(
    'M_FORBIDDEN',
    `${userId} exists (registering it says so), and its login was refused: its password is wrong, or it is deactivated`,
  );
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
