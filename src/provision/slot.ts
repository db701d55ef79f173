// The login of one service, in the order that loses nothing: room on the disk, journal, request,
// store, journal. Whatever interrupts it, either the token stands in its file or the journal names
// the device that the next run has to remove.
import { randomBytes } from 'node:crypto';
import { InputError } from '../errors.ts';
import type { Credential } from '../matrix/credential.ts';
import { homeserverFailure, isFailure, type Failure } from '../matrix/failure.ts';
import { REQUEST_TIMEOUT_MS } from '../matrix/http.ts';
import type { Job } from '../matrix/queue.ts';
import type { LoginWork } from '../preflight.ts';
import type { StorePlan } from '../store.ts';
import { prepareFile, type PreparedFile } from '../vault/atomic-file.ts';
import { writeEntry, type JournalEntry } from '../vault/journal.ts';
import type { Lock } from '../vault/lock.ts';
import { StoreError } from '../vault/store-error.ts';
import { dropQuietly, makeEntry, settleFailure } from './abandon.ts';
import { createUser, type CreationContext } from './create-user.ts';
import { lostCreation, type Created } from './creations.ts';
import { endSession } from './end-session.ts';
import { groupOf, type ChosenLogin } from './logins.ts';
import { judgeRefusal } from './refusal.ts';
import { localFailure } from './run-codes.ts';

/** What a slot needs of the homeserver and of the run. */
export interface SlotContext extends CreationContext {
  readonly login: ChosenLogin;
  readonly lock: Lock;
}

/** A token that is stored. */
export interface Stored {
  readonly credential: Credential;
  /** Entries of this run whose outcome is not clear: their devices are to be removed. */
  readonly abandoned: readonly JournalEntry[];
}

export interface Slot extends Job<Stored> {
  /** Whom it has created so far, whatever came of the login. */
  readonly created: (result: Stored | Failure) => Created | null;
}

/** What a slot keeps between two attempts. */
interface SlotState {
  /** The fixed device has been logged out, so that no older token of it is alive. */
  cleared: boolean;
  /** Nobody is created twice. */
  mayCreate: boolean;
  created: Created | null;
  readonly abandoned: JournalEntry[];
  /** Logins that were sent. */
  logins: number;
}

/** Makes the job that logs one service in and stores its token. */
export function createSlot(work: LoginWork, context: SlotContext): Slot {
  const { definition } = work.action;
  const state: SlotState = {
    cleared: false,
    mayCreate: true,
    created: null,
    abandoned: [],
    logins: 0,
  };
  return {
    name: definition.name,
    userId: definition.userId,
    group: groupOf(context.login),
    // Services of one file may be on several homeservers, whose queues know nothing of each other.
    attempt: () => context.lock.exclusively(() => attempt(work, context, state)),
    sharesSecret: context.login.method.secret.of === 'host',
    created: (result) => state.created ?? guessCreated(result, work, state),
  };
}

/** Of earlier runs is known only that they sent the request: without a login that says nothing. */
function guessCreated(
  result: Stored | Failure,
  { sessions }: LoginWork,
  { abandoned }: SlotState,
): Created | null {
  if (isFailure(result)) return lostCreation(abandoned, 'possible');
  return lostCreation([...sessions.map(({ entry }) => entry), ...abandoned], 'probable');
}

/** Gives a new device ID: readable where it came from, and never used twice. */
export function newDeviceId(): string {
  return `MT${randomBytes(10).toString('hex').toUpperCase()}`;
}

async function attempt(
  work: LoginWork,
  context: SlotContext,
  state: SlotState,
): Promise<Stored | Failure> {
  const ready = await reserve(work, context, state);
  if (isFailure(ready)) return ready;
  try {
    const entry = await logInOrCreate(work, context, state);
    if (isFailure(entry)) return entry;
    const failure = await store(work, context, { ...entry, ...ready });
    return failure ?? { credential: entry.credential, abandoned: state.abandoned };
  } finally {
    await ready.file.discard();
  }
}

interface Reserved {
  readonly plan: StorePlan;
  readonly file: PreparedFile;
}

/** Takes the room on the disk before a session exists that would need it. */
async function reserve(
  work: LoginWork,
  { lock }: SlotContext,
  state: SlotState,
): Promise<Reserved | Failure> {
  try {
    const plan = await work.planStore();
    const file = await prepareFile(work.action.target.file, {
      reserve: plan.reserve,
      basedOn: plan.current,
      verifyBeforeRename: () => lock.check(),
    });
    return { plan, file };
  } catch (error) {
    return localFailure('STORE_FAILED', error, whatWasSent(state));
  }
}

interface LoggedIn {
  readonly credential: Credential;
  readonly entry: JournalEntry;
}

/** Looks into a refusal; a user that is missing is created, once, where the operator wants it. */
async function logInOrCreate(
  work: LoginWork,
  context: SlotContext,
  state: SlotState,
): Promise<LoggedIn | Failure> {
  const { begun } = context.creation;
  const { userId } = work.action.definition;
  const isOld = begun.get(userId)?.isDone === true;
  const login = await logIn(work, context, state);
  if (!isFailure(login) || !state.mayCreate) return login;
  const judged = await judgeRefusal(login, work, context);
  // Another service may have created the user since the login was sent.
  const isOfUser = login.code === 'M_FORBIDDEN' && !isOld;
  if (isOfUser && (await begun.get(userId)?.isMade) === true) {
    return logInJudged(work, context, state);
  }
  const secret = work.registrationSecret;
  if (judged.code !== 'USER_MISSING' || secret === null) return judged;
  if (context.world.signal.aborted) return homeserverFailure('INTERRUPTED');
  const created = await createUser(work, secret, context, state);
  if (isFailure(created)) return created;
  state.mayCreate = false;
  if (created === 'exists') return logInJudged(work, context, state);
  state.created = created;
  return logIn(work, context, state);
}

/** The password may be another one than that which the user was created with. */
async function logInJudged(
  work: LoginWork,
  context: SlotContext,
  state: SlotState,
): Promise<LoggedIn | Failure> {
  if (context.world.signal.aborted) return homeserverFailure('INTERRUPTED');
  const login = await logIn(work, context, state);
  return isFailure(login) ? judgeRefusal(login, work, context) : login;
}

async function logIn(
  work: LoginWork,
  context: SlotContext,
  state: SlotState,
): Promise<LoggedIn | Failure> {
  if (work.fixedDevice === null) return logInAs(newDeviceId(), work, context, state);
  await waitForUnclear(work, context, state);
  if (context.world.signal.aborted) return homeserverFailure('INTERRUPTED');
  if (!state.cleared) {
    const failure = await clearDevice(work.fixedDevice, work, context, state);
    if (failure !== null) return failure;
    state.cleared = true;
  }
  return logInAs(work.fixedDevice, work, context, state);
}

/** A login of the same device that may still be executed would end the new token, or outlive it. */
async function waitForUnclear(
  { fixedDevice, sessions }: LoginWork,
  { world, homeserver }: SlotContext,
  state: SlotState,
): Promise<void> {
  const entries = [...sessions.map((session) => session.entry), ...state.abandoned];
  const times = entries.filter((one) => one.device_id === fixedDevice).map((one) => one.at);
  if (times.length === 0) return;
  const ms = Math.max(...times) + REQUEST_TIMEOUT_MS - world.now();
  if (ms <= 0) return;
  state.cleared = false;
  world.progress({ kind: 'settle', server: homeserver.serverName, ms });
  await world.sleep(ms, world.signal);
}

/** Ends whatever session the fixed device has: on some servers a new login keeps the old token. */
async function clearDevice(
  device: string,
  work: LoginWork,
  context: SlotContext,
  state: SlotState,
): Promise<Failure | null> {
  const first = await logInAs(device, work, context, state);
  if (isFailure(first)) return first;
  return undoLogin(first, work, context);
}

function whatWasSent({ logins, created }: SlotState): string {
  if (created !== null) return 'the user was created, and is not logged in yet';
  return logins === 0 ? 'nothing was sent' : 'no further login was sent';
}

async function logInAs(
  device: string,
  work: LoginWork,
  context: SlotContext,
  state: SlotState,
): Promise<LoggedIn | Failure> {
  const { definition } = work.action;
  const entry = makeEntry(device, work, context);
  try {
    await writeEntry(work.folder, entry);
  } catch (error) {
    return localFailure('STORE_FAILED', error, whatWasSent(state));
  }
  state.logins += 1;
  context.world.progress({
    kind: 'login',
    server: context.homeserver.serverName,
    userId: definition.userId,
  });
  const { method, secret } = context.login;
  const result = await method.login(context.client, context.homeserver, {
    userId: definition.userId,
    secret: secret.secret,
    deviceId: device,
    displayName: definition.displayName,
  });
  if (!isFailure(result)) return { credential: result, entry };
  return settleFailure(result, entry, work, context, state);
}

async function store(
  work: LoginWork,
  context: SlotContext,
  login: LoggedIn & Reserved,
): Promise<Failure | null> {
  const { credential, entry, plan, file } = login;
  const { name } = work.action.definition;
  try {
    const text = await plan.compose({
      service: name,
      userId: credential.userId,
      deviceId: credential.deviceId,
      accessToken: credential.accessToken.reveal(),
    });
    await file.commit(text);
  } catch (error) {
    if (error instanceof StoreError && error.replaced) {
      return localFailure('STORE_UNSURE', error, 'the token is kept');
    }
    if (!(error instanceof StoreError) && !(error instanceof InputError)) throw error;
    const undone = await undoLogin(login, work, context);
    const state =
      undone === null
        ? 'the new session was logged out'
        : `its session ${entry.device_id} could not be logged out (${undone.message})`;
    return localFailure('STORE_FAILED', error, state);
  }
  context.world.progress({ kind: 'stored', service: name, file: work.action.target.shown });
  await dropQuietly(work.folder, entry);
  return null;
}

/** Ends a session that was opened in this run; its entry stays where that cannot be done. */
async function undoLogin(
  { credential, entry }: LoggedIn,
  work: LoginWork,
  context: SlotContext,
): Promise<Failure | null> {
  const failure = await endSession(credential.accessToken, context);
  if (failure === null) await dropQuietly(work.folder, entry);
  return failure;
}
