// What a run of a queue consists of.
import type { Failure } from './failure.ts';
import type { Pace } from './queue-pace.ts';

export interface Job<T> {
  /** For progress: who is waited for. */
  readonly name: string;
  /** Whom the job is for. Default: the name. */
  readonly userId?: string;
  /** Which jobs fail for the same reason as this one. Default: all. */
  readonly group?: string;
  /** All of its group prove themselves with one secret: one at a time, until one was let in. */
  readonly sharesSecret?: boolean;
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

/** One job with what has become of it so far. */
export interface Task<T> {
  readonly index: number;
  readonly job: Job<T>;
  /** Requests that failed in a way that is retried after a backoff. */
  backoffs: number;
  last: Failure | null;
  /** When it was last started, and whether that was after the first refusal. */
  sentAt: number;
  isPaced: boolean;
}

/** What is known of the jobs that fail for the same reason, by the name of their group. */
export interface Groups {
  /** What those that wait get without a request. */
  readonly verdicts: Map<string | undefined, Failure>;
  /** The last job that ended, if its failure may not be that of its user. */
  readonly suspects: Map<string | undefined, Suspect>;
  /** Those of which one was let in. */
  readonly proved: Set<string | undefined>;
}

/** A run of a queue. */
export interface Run<T> {
  readonly pace: Pace;
  readonly groups: Groups;
  readonly about: RunOptions;
  readonly waiting: Task<T>[];
  readonly inFlight: Map<Promise<void>, Task<T>>;
  readonly results: Map<number, T | Failure>;
  /** What the jobs that wait get without a request. */
  verdict: Failure | null;
  deferredInARow: number;
  thrown: { readonly error: unknown } | null;
}

interface Suspect {
  readonly code: string;
  readonly userId: string;
}
