// The queue of one homeserver. What it keeps to:
// - at most 4 requests in flight, 1 after the first refusal by a rate limit;
// - one pause for all: no request while it lasts, and it ends only when what was in flight has;
// - at most one refused request a pause: what refusals teach of the pace is kept to from then on;
// - waits that the homeserver asks for count against one budget for all runs of the queue; what
//   would go beyond it is deferred, and after two deferred in a row so is the rest, unasked;
// - every job ends exactly once, and what is in flight is never given up.
import {
  FAILURE_CODES,
  homeserverFailure,
  isFailure,
  withoutRetry,
  type Failure,
  type RetryRule,
} from './failure.ts';
import { FAILURE_HINTS } from './hints.ts';
import { forecastOf, tellForecast } from './queue-forecast.ts';
import {
  awaitSlot,
  beginPace,
  isAffordable,
  noteRefusal,
  pauseFor,
  sitOutPause,
  type Pace,
  type PaceOptions,
} from './queue-pace.ts';
import { backoffMs } from './retry-timing.ts';
import { noteGranted, noteSent, probableInterval } from './slots.ts';

const MOST_IN_FLIGHT = 4;
const MOST_DEFERRED_IN_A_ROW = 2;

export type QueueOptions = PaceOptions;

export interface Job<T> {
  /** For progress: who is waited for. */
  readonly name: string;
  /** Whom the job is for. Default: the name. */
  readonly userId?: string;
  /** Which jobs fail for the same reason as this one. Default: all. */
  readonly group?: string;
  /** Sends one request; called again for a retry. A throw ends the run when nothing is in flight. */
  readonly attempt: () => Promise<T | Failure>;
}

/** What a run is told about its jobs. */
export interface RunOptions {
  /** Each job logs somebody in, and so is slowed down by the rate limit of logins. */
  readonly areLogins?: boolean;
  /** How many logins come in later runs, for forecasts. */
  readonly later?: number;
}

export interface Queue {
  /** Runs jobs; the results stand in the order of the jobs. Runs of one queue follow each other. */
  readonly run: <T>(
    jobs: readonly Job<T>[],
    options?: RunOptions,
  ) => Promise<readonly (T | Failure)[]>;
  /** Milliseconds from one login to the next, as far as refusals have taught it; null: not at all. */
  readonly intervalMs: () => number | null;
}

/** Makes the queue of a homeserver, whose budget and pace all runs share. */
export function createQueue(options: QueueOptions): Queue {
  const pace = beginPace(options);
  let last: Promise<unknown> = Promise.resolve();
  return {
    run<T>(jobs: readonly Job<T>[], about: RunOptions = {}): Promise<readonly (T | Failure)[]> {
      const results = last.then(() => runJobs(jobs, pace, about));
      last = results.catch(() => undefined);
      return results;
    },
    intervalMs: () => probableInterval(pace.slots),
  };
}

/** Runs jobs on a queue of their own. */
export function runQueue<T>(
  jobs: readonly Job<T>[],
  options: QueueOptions,
  about: RunOptions = {},
): Promise<readonly (T | Failure)[]> {
  return createQueue(options).run(jobs, about);
}

interface Task<T> {
  readonly index: number;
  readonly job: Job<T>;
  /** Requests that failed in a way that is retried after a backoff. */
  backoffs: number;
  last: Failure | null;
  /** When it was last started, and whether that was after the first refusal. */
  sentAt: number;
  isPaced: boolean;
}

interface Run<T> {
  readonly pace: Pace;
  readonly about: RunOptions;
  readonly waiting: Task<T>[];
  readonly inFlight: Set<Promise<void>>;
  readonly results: Map<number, T | Failure>;
  /** What the jobs that wait get without a request. */
  verdict: Failure | null;
  deferredInARow: number;
  /** What the jobs of a group that wait get without a request. */
  readonly groupVerdicts: Map<string | undefined, Failure>;
  /** By group, the last job that ended, if its failure may not be that of its user. */
  readonly suspects: Map<string | undefined, Suspect>;
  thrown: { readonly error: unknown } | null;
}

interface Suspect {
  readonly code: string;
  readonly userId: string;
}

async function runJobs<T>(
  jobs: readonly Job<T>[],
  pace: Pace,
  about: RunOptions,
): Promise<readonly (T | Failure)[]> {
  const run: Run<T> = {
    pace,
    about,
    waiting: jobs.map((job, index) => ({
      index,
      job,
      backoffs: 0,
      last: null,
      sentAt: 0,
      isPaced: false,
    })),
    inFlight: new Set(),
    results: new Map(),
    verdict: null,
    deferredInARow: 0,
    groupVerdicts: new Map(),
    suspects: new Map(),
    thrown: null,
  };
  while (startWhatMay(run)) {
    if (run.inFlight.size > 0) await Promise.race(run.inFlight);
    else await waitOut(run, jobs.length);
  }
  if (run.thrown !== null) throw run.thrown.error;
  return jobs.map((_job, index) => resultOf(run, index));
}

async function waitOut<T>(run: Run<T>, jobs: number): Promise<void> {
  const { pace, about } = run;
  const total = jobs + (about.later ?? 0);
  const counted = { total, done: run.results.size };
  const forecast = about.areLogins === true ? forecastOf(pace, counted) : null;
  tellForecast(pace, forecast);
  await sitOutPause(pace, namesOf(run), forecast);
}

function namesOf<T>(run: Run<T>): string[] {
  return run.waiting.map((task) => task.job.name);
}

function resultOf<T>(run: Run<T>, index: number): T | Failure {
  const result = run.results.get(index);
  if (result === undefined) throw new Error(`job ${index} ended without a result`);
  return result;
}

/** Starts what may be started, and tells whether there is anything to wait for. */
function startWhatMay<T>(run: Run<T>): boolean {
  if (run.pace.options.signal?.aborted === true) run.verdict = interrupted();
  giveVerdicts(run);
  if (run.thrown !== null) run.waiting.length = 0;
  if (run.about.areLogins === true && run.waiting.length > 0) awaitSlot(run.pace);
  while (run.pace.pause === null && run.inFlight.size < mostInFlight(run)) {
    const task = run.waiting.shift();
    if (task === undefined) break;
    start(run, task);
  }
  return run.waiting.length > 0 || run.inFlight.size > 0;
}

function mostInFlight<T>(run: Run<T>): number {
  return run.pace.isLimited ? 1 : MOST_IN_FLIGHT;
}

function start<T>(run: Run<T>, task: Task<T>): void {
  const { slots, options, isLimited } = run.pace;
  task.sentAt = options.now();
  task.isPaced = isLimited;
  if (run.about.areLogins === true) noteSent(slots, task.sentAt);
  const flight = attempt(run, task).finally(() => run.inFlight.delete(flight));
  run.inFlight.add(flight);
}

async function attempt<T>(run: Run<T>, task: Task<T>): Promise<void> {
  try {
    take(run, task, await task.job.attempt());
  } catch (error) {
    run.thrown ??= { error };
  }
}

function take<T>(run: Run<T>, task: Task<T>, outcome: T | Failure): void {
  const retry = isFailure(outcome) ? outcome.retry : undefined;
  if (!isFailure(outcome) || retry === undefined) return finish(run, task, outcome);
  task.last = outcome;
  if (retry.kind === 'rate_limit') takeRefusal(run, task, outcome);
  else takeTrouble(run, task, outcome, retry);
}

function takeRefusal<T>(run: Run<T>, task: Task<T>, failure: Failure): void {
  const ms = noteRefusal(run.pace, failure, task.sentAt);
  if (!isAffordable(run.pace, ms)) return finish(run, task, deferred(run, failure, ms));
  pauseFor(run.pace, ms, { code: failure.code, isAsked: true });
  putBack(run, task);
}

function takeTrouble<T>(
  run: Run<T>,
  task: Task<T>,
  failure: Failure,
  retry: Extract<RetryRule, { kind: 'backoff' }>,
): void {
  const asked = failure.retryAfterMs ?? 0;
  task.backoffs += 1;
  if (task.backoffs >= retry.requests || !isAffordable(run.pace, asked)) {
    return finish(run, task, withoutRetry(failure));
  }
  const ms = Math.max(asked, backoffMs(task.backoffs, run.pace.options.random));
  pauseFor(run.pace, ms, { code: failure.code, isAsked: asked > 0 });
  putBack(run, task);
}

/** Back to its place, so that jobs keep their order. */
function putBack<T>(run: Run<T>, task: Task<T>): void {
  const place = run.waiting.findIndex((other) => other.index > task.index);
  run.waiting.splice(place < 0 ? run.waiting.length : place, 0, task);
}

function finish<T>(run: Run<T>, task: Task<T>, outcome: T | Failure): void {
  const failure = isFailure(outcome) ? outcome : null;
  const isDeferred = failure?.outcome === 'deferred';
  // What was sent before a refusal says nothing of the time after it.
  if (!isDeferred && run.pace.pause === null) run.pace.refusals = 0;
  if (!isDeferred && task.isPaced) noteGranted(run.pace.slots, run.pace.options.now());
  run.deferredInARow = isDeferred ? run.deferredInARow + 1 : 0;
  const isRepeated = failure !== null && repeatsSuspect(run, task, failure);
  noteSuspect(run, task, failure);
  const result = isRepeated ? { ...failure, scope: 'homeserver' as const } : outcome;
  run.results.set(task.index, result);
  if (isFailure(result) && isRepeated) run.groupVerdicts.set(task.job.group, result);
  else if (isFailure(result) && result.scope === 'homeserver') run.verdict ??= result;
  if (run.deferredInARow >= MOST_DEFERRED_IN_A_ROW) run.verdict ??= restDeferred(failure);
}

function repeatsSuspect<T>(run: Run<T>, task: Task<T>, failure: Failure): boolean {
  const suspect = run.suspects.get(task.job.group);
  if (failure.onRepeat === undefined || suspect === undefined) return false;
  return suspect.code === failure.code && suspect.userId !== userOf(task);
}

function noteSuspect<T>(run: Run<T>, task: Task<T>, failure: Failure | null): void {
  const { group } = task.job;
  if (failure?.onRepeat === undefined) run.suspects.delete(group);
  else run.suspects.set(group, { code: failure.code, userId: userOf(task) });
}

function userOf<T>({ job }: Task<T>): string {
  return job.userId ?? job.name;
}

/** Gives the jobs that wait what is known of all of them, or of their group. */
function giveVerdicts<T>(run: Run<T>): void {
  const rest: Task<T>[] = [];
  for (const task of run.waiting) {
    const verdict = run.verdict ?? run.groupVerdicts.get(task.job.group);
    const maybeExecuted = task.last?.maybeExecuted ?? false;
    if (verdict === undefined) rest.push(task);
    // The session of another user is none of theirs.
    else run.results.set(task.index, { ...verdict, maybeExecuted, session: undefined });
  }
  run.waiting.splice(0, run.waiting.length, ...rest);
}

function deferred<T>(run: Run<T>, failure: Failure, ms: number): Failure {
  const allowed = Math.round(run.pace.options.maxWaitMs / 1000);
  const wait = `${Math.ceil(ms / 1000)} s to wait are beyond the ${allowed} s allowed`;
  const message = `${failure.message}; ${wait}`;
  return { ...withoutRetry(failure), outcome: 'deferred', message, retryAfterMs: ms };
}

function restDeferred(failure: Failure | null): Failure {
  const message = 'not tried: the rate limit of the homeserver refused those before';
  const hint = FAILURE_HINTS.M_LIMIT_EXCEEDED;
  const rest = homeserverFailure('M_LIMIT_EXCEEDED', { message, hint });
  return { ...rest, outcome: 'deferred', retryAfterMs: failure?.retryAfterMs ?? null };
}

function interrupted(): Failure {
  const message = FAILURE_CODES.INTERRUPTED;
  const failure = homeserverFailure('INTERRUPTED', { message, hint: FAILURE_HINTS.INTERRUPTED });
  return { ...failure, scope: 'user' };
}
