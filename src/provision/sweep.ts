// Removes sessions that earlier logins left behind, with the token that is stored now. Nothing is
// removed that a file holds, and nothing is called absent that may still come into being.
import { randomBytes } from 'node:crypto';
import { isFailure, type Failure } from '../matrix/failure.ts';
import { REQUEST_TIMEOUT_MS } from '../matrix/http.ts';
import type { Job } from '../matrix/queue.ts';
import { cleanServerText } from '../matrix/server-text.ts';
import { listDevices, whoami } from '../matrix/sessions.ts';
import type { WaitingSession } from '../assess.ts';
import type { Secret } from '../secret.ts';
import { dropEntry, writeEntry } from '../vault/journal.ts';
import { keepEntry } from './abandon.ts';
import { endSession, type SessionContext } from './end-session.ts';
import type { ChosenLogin } from './logins.ts';
import { localFailure } from './run-codes.ts';

export interface SweepRequest {
  readonly service: string;
  readonly userId: string;
  readonly accessToken: Secret;
  /** How it logs in; null: it has nothing to log in with. */
  readonly login: ChosenLogin | Failure | null;
  readonly sessions: readonly WaitingSession[];
}

/** The device IDs of sessions that are gone now. */
export interface Swept {
  readonly removed: readonly string[];
}

/** Makes the job that removes the waiting sessions of one service. */
export function createSweep(request: SweepRequest, context: SessionContext): Job<Swept> {
  const state: SweepState = { waiting: [...request.sessions], removed: [] };
  return {
    name: request.service,
    userId: request.userId,
    attempt: () => sweep(request, state, context).catch(journalFailure),
  };
}

interface SweepState {
  waiting: WaitingSession[];
  readonly removed: string[];
}

async function sweep(
  request: SweepRequest,
  state: SweepState,
  context: SessionContext,
): Promise<Swept | Failure> {
  const stored = await dropStored(request, state, context);
  if (isFailure(stored)) return stored;
  while (state.waiting.length > 0) {
    const failure = await sweepListed(request, state, context);
    if (failure !== null) return failure;
    await waitForYoungest(state, context);
    if (context.world.signal.aborted) break;
  }
  return { removed: state.removed };
}

/** An entry whose device is that of the stored token was only not dropped in time. */
async function dropStored(
  { accessToken, userId }: SweepRequest,
  state: SweepState,
  { client, homeserver }: SessionContext,
): Promise<Failure | null> {
  const who = await whoami(client, homeserver, accessToken);
  if (isFailure(who)) return who;
  if (who.kind === 'dead') return deadToken();
  if (who.userId !== userId) return foreignToken(who.userId);
  const own = state.waiting.filter(({ entry }) => entry.device_id === who.deviceId);
  for (const session of own) await drop(session, state);
  return null;
}

async function sweepListed(
  request: SweepRequest,
  state: SweepState,
  context: SessionContext,
): Promise<Failure | null> {
  const devices = await listDevices(context.client, context.homeserver, request.accessToken);
  if (isFailure(devices)) return devices;
  const listed = state.waiting.filter(({ entry }) => devices.includes(entry.device_id));
  if (listed.length > 0) return remove(listed, request, state, context);
  const now = context.world.now();
  const absent = state.waiting.filter(({ entry }) => entry.at + REQUEST_TIMEOUT_MS <= now);
  for (const session of absent) await drop(session, state);
  return null;
}

/** A login that is younger than the request timeout may still be executed. */
async function waitForYoungest(
  state: SweepState,
  { world, homeserver }: SessionContext,
): Promise<void> {
  const times = state.waiting.map(({ entry }) => entry.at + REQUEST_TIMEOUT_MS - world.now());
  const ms = Math.max(0, ...times);
  if (ms === 0) return;
  world.progress({ kind: 'settle', server: homeserver.serverName, ms });
  await world.sleep(ms, world.signal);
}

async function remove(
  listed: readonly WaitingSession[],
  request: SweepRequest,
  state: SweepState,
  context: SessionContext,
): Promise<Failure | null> {
  const { login, userId, accessToken: token } = request;
  if (login === null) return noSecret();
  if (isFailure(login)) return login;
  const { method, secret } = login;
  const deviceIds = listed.map(({ entry }) => entry.device_id);
  const removal = { userId, token, secret: secret.secret, deviceIds };
  const answer = await method.abandon(context.client, context.homeserver, removal);
  if (isFailure(answer)) return answer;
  for (const session of listed) {
    if (answer.kind === 'not_offered') {
      const failure = await logOutAs(session, request, login, context);
      if (failure !== null) return failure;
    }
    await drop(session, state);
    state.removed.push(session.entry.device_id);
  }
  return null;
}

/** Where devices cannot be removed, a new login as that device ends its sessions with a logout. */
async function logOutAs(
  session: WaitingSession,
  request: SweepRequest,
  { method, secret }: ChosenLogin,
  context: SessionContext,
): Promise<Failure | null> {
  const { client, homeserver, world } = context;
  // This login is a login like any other: if its outcome is lost, it must not be judged too early.
  const renewed = {
    ...session.entry,
    id: `sweep-${randomBytes(8).toString('hex')}`,
    at: world.now(),
    created_as: undefined,
  };
  await writeEntry(session.folder, renewed);
  const login = await method.login(client, homeserver, {
    userId: request.userId,
    secret: secret.secret,
    deviceId: session.entry.device_id,
    displayName: null,
  });
  const opened = isFailure(login) ? login.session : undefined;
  const token = isFailure(login) ? opened?.accessToken : login.accessToken;
  if (token === undefined || token === null) {
    if (isFailure(login) && !login.maybeExecuted) await dropEntry(session.folder, renewed);
    if (opened !== undefined) await keepEntry(renewed, opened, session.folder);
    return isFailure(login) ? login : null;
  }
  const failure = await endSession(token, context);
  if (failure !== null) {
    if (opened !== undefined) await keepEntry(renewed, opened, session.folder);
    return failure;
  }
  await dropEntry(session.folder, renewed);
  return null;
}

async function drop(session: WaitingSession, state: SweepState): Promise<void> {
  await dropEntry(session.folder, session.entry);
  state.waiting = state.waiting.filter((one) => one !== session);
}

/** The journal cannot be written: what is still in it, the next run looks at again. */
function journalFailure(error: unknown): Failure {
  return localFailure('SESSION_LEFT', error, 'what was removed stays removed');
}

function sessionLeft(message: string): Failure {
  return {
    kind: 'failure',
    scope: 'user',
    outcome: 'failed',
    code: 'SESSION_LEFT',
    message,
    maybeExecuted: false,
  };
}

function deadToken(): Failure {
  return sessionLeft(
    'the stored token is not known to the homeserver, so nothing can be removed with it',
  );
}

function foreignToken(userId: string): Failure {
  const owner = cleanServerText(userId);
  return sessionLeft(`the stored token belongs to ${owner}, so nothing can be removed with it`);
}

function noSecret(): Failure {
  return sessionLeft('removing it wants the password of the user, and the service has none');
}
