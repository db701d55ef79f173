// Contacts the homeservers: logs in, stores, and removes what earlier runs left behind.
import type { WaitingSession } from '../assess.ts';
import { isFailure, type Failure } from '../matrix/failure.ts';
import type { Queue } from '../matrix/queue.ts';
import type { LoginWork, SweepWork, Work } from '../preflight.ts';
import type { Outcome } from '../report/types.ts';
import { adviseOn, adviseOnLimit } from './advice.ts';
import { lostCreation, type Created } from './creations.ts';
import {
  openHomeservers,
  settingsKey,
  type OpenHomeserver,
  type OpenOptions,
} from './homeservers.ts';
import type { Locks } from './locks.ts';
import { chooseFor, type ChosenLogin } from './logins.ts';
import { creationNotes, credentialNotes, removedNote } from './notes.ts';
import { failedOutcome, storedOutcome } from './outcomes.ts';
import { sessionKey } from './session-key.ts';
import { createSlot, type Slot, type Stored } from './slot.ts';
import { createSweep, type SweepRequest, type Swept } from './sweep.ts';

/** What came of the work. */
export interface Performed {
  readonly outcomes: readonly Outcome[];
  readonly notes: readonly string[];
  /** Why sessions of a service could not be removed, by `sessionKey`. */
  readonly reasons: ReadonlyMap<string, string>;
}

/** Does the work, the homeservers side by side. */
export async function performWork(
  work: Work,
  locks: Locks,
  options: OpenOptions,
): Promise<Performed> {
  const settings = [...work.logins, ...work.sweeps].map(
    ({ action }) => action.definition.homeserver,
  );
  const opened = await openHomeservers(settings, options);
  try {
    const parts = await Promise.allSettled(
      groupByQueue(work, opened).map((group) => performGroup(group, locks, options)),
    );
    return joinParts(parts);
  } finally {
    for (const one of opened.values()) if (!isFailure(one)) await one.client.close();
  }
}

interface Item<T> {
  readonly work: T;
  readonly server: OpenHomeserver | Failure;
}

interface Group {
  /** Null: none of these homeservers answered. */
  readonly queue: Queue | null;
  readonly logins: Item<LoginWork>[];
  readonly sweeps: Item<SweepWork>[];
}

function groupByQueue(
  work: Work,
  opened: ReadonlyMap<string, OpenHomeserver | Failure>,
): readonly Group[] {
  const groups = new Map<Queue | null, Group>();
  const place = (
    one: LoginWork | SweepWork,
  ): { server: OpenHomeserver | Failure; group: Group } => {
    const server = opened.get(settingsKey(one.action.definition.homeserver));
    if (server === undefined) throw new Error('a homeserver was not opened');
    const queue = isFailure(server) ? null : server.queue;
    const group = groups.get(queue) ?? { queue, logins: [], sweeps: [] };
    groups.set(queue, group);
    return { server, group };
  };
  for (const login of work.logins) {
    const { server, group } = place(login);
    group.logins.push({ work: login, server });
  }
  for (const sweep of work.sweeps) {
    const { server, group } = place(sweep);
    group.sweeps.push({ work: sweep, server });
  }
  return [...groups.values()];
}

async function performGroup(group: Group, locks: Locks, options: OpenOptions): Promise<Performed> {
  const outcomes: Outcome[] = [];
  const notes: string[] = [];
  const sweeps: SweepItem[] = [];
  let later = group.logins.length;
  for (const round of roundsOf(group.logins, locks)) {
    later -= round.length;
    const results = await runLogins({ items: round, later }, group.queue, locks, options);
    for (const { item, login, result, created } of results) {
      notes.push(...creationNotes(item.work, created));
      if (isFailure(result)) {
        const advice = await adviseOn(result, item.work, item.server);
        outcomes.push(failedOutcome(item.work, result, { login, advice }));
        continue;
      }
      outcomes.push(storedOutcome(item.work, login, created));
      notes.push(...credentialNotes(item.work, result));
      sweeps.push(...sweepAfter(item, login, result));
    }
  }
  for (const { work } of group.sweeps) notes.push(...creationNotes(work, createdBefore(work)));
  notes.push(...(await limitNotes(group, outcomes)));
  sweeps.push(...group.sweeps.map((item) => sweepOfPresent(item)));
  const swept = await runSweeps(sweeps, group.queue, options);
  return { outcomes, notes: [...notes, ...swept.notes], reasons: swept.reasons };
}

/** A run that ended before it told of a user may have had its token stored. */
function createdBefore({ sessions }: SweepWork): Created | null {
  return lostCreation(
    sessions.map(({ entry }) => entry),
    'probable',
  );
}

/** Said once, however many are deferred. */
async function limitNotes(group: Group, outcomes: readonly Outcome[]): Promise<string[]> {
  const [first] = group.logins;
  const { length } = outcomes.filter(({ outcome }) => outcome === 'deferred');
  if (length === 0 || first === undefined || isFailure(first.server)) return [];
  return [await adviseOnLimit(first.work, first.server, length)];
}

/** Two services of one file follow each other: each extends what the one before it wrote. */
function roundsOf(items: readonly Item<LoginWork>[], locks: Locks): Item<LoginWork>[][] {
  const rounds: Item<LoginWork>[][] = [];
  const counts = new Map<string | undefined, number>();
  for (const item of items) {
    // The real path: links make one file of two names.
    const file = locks.of(item.work.action)?.target;
    const index = counts.get(file) ?? 0;
    counts.set(file, index + 1);
    (rounds[index] ??= []).push(item);
  }
  return rounds;
}

interface LoginResult {
  readonly item: Item<LoginWork>;
  readonly login: ChosenLogin | Failure;
  readonly result: Stored | Failure;
  /** Its user, if that was missing. */
  readonly created: Created | null;
}

/** Who cannot be logged in at all is not sent through the queue: that says nothing of the others. */
async function runLogins(
  { items, later }: { readonly items: readonly Item<LoginWork>[]; readonly later: number },
  queue: Queue | null,
  locks: Locks,
  { world }: OpenOptions,
): Promise<LoginResult[]> {
  const results: LoginResult[] = [];
  const jobs: {
    readonly result: Pick<LoginResult, 'item' | 'login'>;
    readonly job: Slot;
  }[] = [];
  for (const item of items) {
    const { work, server } = item;
    const login = loginOf(item);
    if (isFailure(server) || isFailure(login)) {
      const result = isFailure(server) ? server : failureOf(login);
      results.push({ item, login, result, created: null });
      continue;
    }
    const lock = locks.of(work.action);
    if (lock === undefined) throw new Error('a file without its lock was to be written');
    world.log(`${work.action.definition.name}: ${login.why}`);
    jobs.push({
      result: { item, login },
      job: createSlot(work, { ...server, world, lock, login }),
    });
  }
  const about = { areLogins: true, later };
  const done =
    queue === null
      ? []
      : await queue.run<Stored>(
          jobs.map(({ job }) => job),
          about,
        );
  return [
    ...results,
    ...jobs.flatMap(({ result, job }, index) => {
      const one = done[index];
      return one === undefined ? [] : [{ ...result, result: one, created: job.created(one) }];
    }),
  ];
}

function loginOf({ work, server }: Item<LoginWork | SweepWork>): ChosenLogin | Failure {
  if (isFailure(server)) return server;
  return chooseFor(work.action.definition, work.secrets, server.homeserver);
}

function failureOf(one: OpenHomeserver | ChosenLogin | Failure): Failure {
  if (isFailure(one)) return one;
  throw new Error('nothing has failed here');
}

interface SweepItem {
  readonly request: SweepRequest;
  readonly key: string;
  readonly server: OpenHomeserver | Failure;
}

function sweepAfter(
  { work, server }: Item<LoginWork>,
  login: ChosenLogin | Failure,
  stored: Stored,
): SweepItem[] {
  const { definition } = work.action;
  const own = stored.abandoned.map((entry): WaitingSession => ({ entry, folder: work.folder }));
  const sessions = [...work.sessions, ...own];
  if (sessions.length === 0) return [];
  const key = sessionKey({ host: definition.host.name, service: definition.name });
  const request: SweepRequest = {
    service: definition.name,
    userId: definition.userId,
    accessToken: stored.credential.accessToken,
    login,
    sessions,
  };
  return [{ request, key, server }];
}

function sweepOfPresent(item: Item<SweepWork>): SweepItem {
  const { work, server } = item;
  const { definition } = work.action;
  return {
    key: sessionKey({ host: definition.host.name, service: definition.name }),
    server,
    request: {
      service: definition.name,
      userId: definition.userId,
      accessToken: work.accessToken,
      login: work.secrets.size === 0 ? null : loginOf(item),
      sessions: work.sessions,
    },
  };
}

async function runSweeps(
  items: readonly SweepItem[],
  queue: Queue | null,
  { world }: OpenOptions,
): Promise<{ notes: string[]; reasons: ReadonlyMap<string, string> }> {
  const notes: string[] = [];
  const reasons = new Map<string, string>();
  const jobs = items.map(({ request, server }) =>
    isFailure(server)
      ? { name: request.service, attempt: () => Promise.resolve(server) }
      : createSweep(request, { ...server, world }),
  );
  const results = queue === null ? [] : await queue.run<Swept>(jobs);
  for (const [index, item] of items.entries()) {
    const result = results[index] ?? failureOf(item.server);
    if (isFailure(result)) reasons.set(item.key, result.message);
    else notes.push(...result.removed.map((device) => removedNote(device, item.request)));
  }
  return { notes, reasons };
}

function joinParts(parts: readonly PromiseSettledResult<Performed>[]): Performed {
  const bug = parts.find((part) => part.status === 'rejected');
  if (bug !== undefined) throw bug.reason;
  const done = parts.flatMap((part) => (part.status === 'fulfilled' ? [part.value] : []));
  return {
    outcomes: done.flatMap((part) => part.outcomes),
    notes: done.flatMap((part) => part.notes),
    reasons: new Map(done.flatMap((part) => [...part.reasons])),
  };
}
