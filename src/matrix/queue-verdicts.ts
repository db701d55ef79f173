// What jobs get without a request, since it is known what would come of it.
import { FAILURE_CODES, homeserverFailure, withoutRetry, type Failure } from './failure.ts';
import { FAILURE_HINTS } from './hints.ts';
import type { Pace } from './queue-pace.ts';
import type { Run, Task } from './queue-run.ts';

/** Tells whether a failure is the same as that of the user before, of the same group. */
export function repeatsSuspect<T>(run: Run<T>, task: Task<T>, failure: Failure): boolean {
  const suspect = run.groups.suspects.get(task.job.group);
  if (failure.onRepeat === undefined || suspect === undefined) return false;
  return suspect.code === failure.code && suspect.userId !== userOf(task);
}

/** Notes whether the next one who fails like this means that the homeserver is at fault. */
export function noteSuspect<T>(run: Run<T>, task: Task<T>, failure: Failure | null): void {
  const { group } = task.job;
  if (failure?.onRepeat === undefined) run.groups.suspects.delete(group);
  else run.groups.suspects.set(group, { code: failure.code, userId: userOf(task) });
}

/** Gives whom a task is for. */
export function userOf<T>({ job }: Task<T>): string {
  return job.userId ?? job.name;
}

/** Gives the jobs that wait what is known of all of them, or of their group. */
export function giveVerdicts<T>(run: Run<T>): void {
  const rest: Task<T>[] = [];
  for (const task of run.waiting) {
    const verdict = run.verdict ?? groupVerdict(run, task);
    const maybeExecuted = task.last?.maybeExecuted ?? false;
    if (verdict === undefined) rest.push(task);
    // The session of another user is none of theirs.
    else run.results.set(task.index, { ...verdict, maybeExecuted, session: undefined });
  }
  run.waiting.splice(0, run.waiting.length, ...rest);
}

/** Of a failure that one user was given, the others had nothing but the reason. */
function groupVerdict<T>({ groups }: Run<T>, { job }: Task<T>): Failure | undefined {
  const verdict = groups.verdicts.get(job.group);
  if (verdict === undefined) return undefined;
  return { ...verdict, message: `not tried, since others failed so: ${verdict.message}` };
}

/** Gives the failure of a job whose wait is more than the budget allows. */
export function deferred<T>(run: Run<T>, failure: Failure, ms: number): Failure {
  const message = `${failure.message}; ${beyond(run.pace, ms)}`;
  return { ...withoutRetry(failure), outcome: 'deferred', message, retryAfterMs: ms };
}

function beyond({ options, spentMs }: Pace, ms: number): string {
  const allowed = Math.round(options.maxWaitMs / 1000);
  const wait = `${Math.ceil(ms / 1000)} s to wait are beyond the ${allowed} s allowed`;
  return spentMs === 0 ? wait : `${wait}, of which ${Math.ceil(spentMs / 1000)} s are used up`;
}

/** Gives what all that wait get where the pace is known, and the next one is not let through in time. */
export function tooSlow(pace: Pace, ms: number): Failure {
  const message = `not tried: the homeserver limits logins, and ${beyond(pace, ms)}`;
  const hint = FAILURE_HINTS.M_LIMIT_EXCEEDED;
  const failure = homeserverFailure('M_LIMIT_EXCEEDED', { message, hint });
  return { ...failure, outcome: 'deferred', retryAfterMs: ms };
}

/** Gives what the others get once the budget is used up. */
export function restDeferred(failure: Failure | null): Failure {
  const message = 'not tried: the rate limit of the homeserver refused those before';
  const hint = FAILURE_HINTS.M_LIMIT_EXCEEDED;
  const rest = homeserverFailure('M_LIMIT_EXCEEDED', { message, hint });
  return { ...rest, outcome: 'deferred', retryAfterMs: failure?.retryAfterMs ?? null };
}

/** Gives what those get that were not begun before the signal. */
export function interrupted(): Failure {
  const message = FAILURE_CODES.INTERRUPTED;
  const failure = homeserverFailure('INTERRUPTED', { message, hint: FAILURE_HINTS.INTERRUPTED });
  return { ...failure, scope: 'user' };
}
