// The login of one service, in the order that loses nothing: room on the disk, journal, request,
// store, journal. Whatever interrupts it, either the token stands in its file or the journal names
// the device that the next run has to remove.
import { randomBytes } from 'node:crypto';
import { InputError } from '../errors.ts';
import type { Credential } from '../matrix/credential.ts';
import { homeserverFailure, isFailure, type Failure } from '../matrix/failure.ts';
import type { Homeserver } from '../matrix/homeserver.ts';
import { REQUEST_TIMEOUT_MS, type HttpClient } from '../matrix/http.ts';
import { loginWithPassword } from '../matrix/login/password.ts';
import type { Job } from '../matrix/queue.ts';
import { logout } from '../matrix/sessions.ts';
import type { LoginWork } from '../preflight.ts';
import type { Secret } from '../secret.ts';
import type { StorePlan } from '../store.ts';
import { prepareFile, type PreparedFile } from '../vault/atomic-file.ts';
import { dropEntry, writeEntry, type JournalEntry } from '../vault/journal.ts';
import type { Lock } from '../vault/lock.ts';
import { StoreError } from '../vault/store-error.ts';
import { localFailure } from './run-codes.ts';
import type { World } from './world.ts';

/** What a slot needs of the homeserver and of the run. */
export interface SlotContext {
  readonly client: HttpClient;
  readonly homeserver: Homeserver;
  readonly world: World;
  readonly lock: Lock;
}

/** A token that is stored. */
export interface Stored {
  readonly credential: Credential;
  /** Entries of this run whose outcome is not clear: their devices are to be removed. */
  readonly abandoned: readonly JournalEntry[];
}

/** What a slot keeps between two attempts. */
interface SlotState {
  /** The fixed device has been logged out, so that no older token of it is alive. */
  cleared: boolean;
  readonly abandoned: JournalEntry[];
}

/** Makes the job that logs one service in and stores its token. */
export function createSlot(work: LoginWork, context: SlotContext): Job<Stored> {
  const { definition } = work.action;
  const state: SlotState = { cleared: false, abandoned: [] };
  return {
    name: definition.name,
    userId: definition.userId,
    attempt: () => attempt(work, context, state),
  };
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
  const ready = await reserve(work, context);
  if (isFailure(ready)) return ready;
  try {
    const entry = await logIn(work, context, state);
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
async function reserve(work: LoginWork, { lock }: SlotContext): Promise<Reserved | Failure> {
  try {
    const plan = await work.planStore();
    const file = await prepareFile(work.action.target.file, {
      reserve: plan.reserve,
      basedOn: plan.current,
      verifyBeforeRename: () => lock.check(),
    });
    return { plan, file };
  } catch (error) {
    return localFailure('STORE_FAILED', error, 'nothing was sent');
  }
}

interface LoggedIn {
  readonly credential: Credential;
  readonly entry: JournalEntry;
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
  return endSession(first.credential.accessToken, first.entry, work, context);
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
    return localFailure('STORE_FAILED', error, 'nothing was sent');
  }
  context.world.progress({
    kind: 'login',
    server: context.homeserver.serverName,
    userId: definition.userId,
  });
  const result = await loginWithPassword(context.client, context.homeserver, {
    userId: definition.userId,
    password: work.password.secret,
    deviceId: device,
    displayName: definition.displayName,
  });
  if (!isFailure(result)) return { credential: result, entry };
  await settleFailure(result, entry, work, context, state);
  return result;
}

function makeEntry(
  device: string,
  work: LoginWork,
  { homeserver, world }: SlotContext,
): JournalEntry {
  const { definition, target } = work.action;
  return {
    id: `${definition.name.slice(0, 40)}-${randomBytes(8).toString('hex')}`,
    host: definition.host.name,
    service: definition.name,
    user_id: definition.userId,
    device_id: device,
    base_url: homeserver.baseUrl,
    target: target.file,
    at: world.now(),
  };
}

/** After a failed login: the entry is dropped only if it is proved that no session is left. */
async function settleFailure(
  failure: Failure,
  entry: JournalEntry,
  work: LoginWork,
  context: SlotContext,
  state: SlotState,
): Promise<void> {
  if (failure.session === undefined) {
    if (failure.maybeExecuted) state.abandoned.push(entry);
    else await dropQuietly(work.folder, entry);
    return;
  }
  const { accessToken, deviceId } = failure.session;
  if (accessToken !== null && (await endSession(accessToken, entry, work, context)) === null)
    return;
  state.abandoned.push(entry);
  if (deviceId === null || deviceId === entry.device_id) return;
  const other = { ...makeEntry(deviceId, work, context), at: entry.at };
  await writeEntry(work.folder, other).catch(() => null);
  state.abandoned.push(other);
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
    const undone = await endSession(credential.accessToken, entry, work, context);
    return undone === null
      ? localFailure('STORE_FAILED', error, 'the new session was logged out')
      : localFailure(
          'STORE_FAILED',
          error,
          `its session ${entry.device_id} could not be logged out`,
        );
  }
  context.world.progress({ kind: 'stored', service: name, file: work.action.target.shown });
  await dropQuietly(work.folder, entry);
  return null;
}

/** How often a logout is sent before it is left to the next run. */
const LOGOUT_TRIES = 3;
const LOGOUT_PAUSE_MS = 1000;

/** Logs a session out that nobody wants, and drops its entry. Gives null where it is gone. */
async function endSession(
  accessToken: Secret,
  entry: JournalEntry,
  work: LoginWork,
  { client, homeserver, world }: SlotContext,
): Promise<Failure | null> {
  for (let tries = 1; ; tries++) {
    const result = await logout(client, homeserver, accessToken);
    if (!isFailure(result)) {
      await dropQuietly(work.folder, entry);
      return null;
    }
    if (tries >= LOGOUT_TRIES || result.scope !== 'retry') return { ...result, scope: 'user' };
    await world.sleep(Math.max(LOGOUT_PAUSE_MS * tries, result.retryAfterMs ?? 0));
  }
}

/** An entry too many costs the next run a question; it is no reason to fail. */
async function dropQuietly(folder: string, entry: JournalEntry): Promise<void> {
  await dropEntry(folder, entry).catch((error: unknown) => {
    if (!(error instanceof StoreError)) throw error;
  });
}
