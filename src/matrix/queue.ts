// The queue of one homeserver. What it keeps to:
// - at most 4 requests in flight, 1 after the first refusal by a rate limit, and 1 of those that share
//   a secret until one of them was let in: a wrong one is refused twice, whatever their number;
// - one pause for all: no request while it lasts, and it ends only when what was in flight has;
// - at most one refused request a pause: what refusals teach of the pace is kept to from then on;
// - waits that the homeserver asks for count against one budget for all runs of the queue; what
//   would go beyond it is deferred, and after two deferred in a row so is the rest, unasked;
// - every job ends exactly once, and what is in flight is never given up.
import { isFailure, withoutRetry, type Failure, type RetryRule } from './failure.ts';
import { forecastOf, tellForecast } from './queue-forecast.ts';
import {
  awaitSlot,
  beginPace,
  isAffordable,
  noteRefusal,
  pauseFor,
  sitOutPause,
  unaffordableWait,
  type PaceOptions,
} from './queue-pace.ts';
import type { Groups, Job, Run, RunOptions, Task } from './queue-run.ts';
import {
  deferred,
  giveVerdicts,
  interrupted,
  noteSuspect,
  repeatsSuspect,
  restDeferred,
  tooSlow,
  userOf,
} from './queue-verdicts.ts';
import { backoffMs } from './retry-timing.ts';
import { noteGranted, noteSent, probableInterval } from './slots.ts';

const MOST_IN_FLIGHT = 4;
const MOST_DEFERRED_IN_A_ROW = 2;

export type QueueOptions = PaceOptions;

export type { Job, RunOptions } from './queue-run.ts';

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
  const groups: Groups = { verdicts: new Map(), suspects: new Map(), proved: new Set() };
  let last: Promise<unknown> = Promise.resolve();
  return {
    run<T>(jobs: readonly Job<T>[], about: RunOptions = {}): Promise<readonly (T | Failure)[]> {
      const results = last.then(() => runJobs(jobs, { pace, groups, about }));
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

async function runJobs<T>(
  jobs: readonly Job<T>[],
  { pace, groups, about }: Pick<Run<T>, 'pace' | 'groups' | 'about'>,
): Promise<readonly (T | Failure)[]> {
  const run: Run<T> = {
    pace,
    groups,
    about,
    waiting: jobs.map((job, index) => ({
      index,
      job,
      backoffs: 0,
      last: null,
      sentAt: 0,
      isPaced: false,
    })),
    inFlight: new Map(),
    results: new Map(),
    verdict: null,
    deferredInARow: 0,
    thrown: null,
  };
  while (startWhatMay(run)) {
    if (run.inFlight.size > 0) await Promise.race(run.inFlight.keys());
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
  deferTooSlow(run);
  while (run.pace.pause === null && run.inFlight.size < mostInFlight(run)) {
    const place = run.waiting.findIndex((task) => mayStart(run, task));
    const [task] = place < 0 ? [] : run.waiting.splice(place, 1);
    if (task === undefined) break;
    start(run, task);
  }
  return run.waiting.length > 0 || run.inFlight.size > 0;
}

/** What is in flight may still be let through, and show another pace. */
function deferTooSlow<T>(run: Run<T>): void {
  if (run.about.areLogins !== true || run.inFlight.size > 0 || run.waiting.length === 0) return;
  const ms = unaffordableWait(run.pace);
  if (ms === null) return;
  run.verdict ??= tooSlow(run.pace, ms);
  giveVerdicts(run);
}

/** Of a secret that may be wrong, the next one is tried when it is known what came of the last. */
function mayStart<T>(run: Run<T>, { job }: Task<T>): boolean {
  if (job.sharesSecret !== true || run.groups.proved.has(job.group)) return true;
  return ![...run.inFlight.values()].some((other) => other.job.group === job.group);
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
  run.inFlight.set(flight, task);
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
  const ms = noteRefusal(run.pace, failure, { sentAt: task.sentAt, user: userOf(task) });
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
  if (failure === null) run.groups.proved.add(task.job.group);
  const result = isRepeated ? { ...failure, scope: 'homeserver' as const } : outcome;
  run.results.set(task.index, result);
  if (isFailure(result) && isRepeated) run.groups.verdicts.set(task.job.group, result);
  else if (isFailure(result) && result.scope === 'homeserver') run.verdict ??= result;
  if (run.deferredInARow >= MOST_DEFERRED_IN_A_ROW) run.verdict ??= restDeferred(failure);
}
