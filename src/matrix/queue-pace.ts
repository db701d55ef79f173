// The pace of one homeserver: its pause, its waiting budget, and how long a refusal makes everybody
// wait. A pause is one for all; another failure while it lasts only makes it longer.
import type { Failure } from './failure.ts';
import { backoffMs } from './retry-timing.ts';
import { beginSlots, earliestSlot, nextSlotAt, noteRefused, type Slots } from './slots.ts';

/** What can be said of the time that all logins take. */
export interface Forecast {
  /** All logins of this run on the homeserver. */
  readonly total: number;
  /** Those that have ended. */
  readonly done: number;
  /** Milliseconds from one to the next; null: nothing tells yet. */
  readonly everyMs: number | null;
  /** Milliseconds until the last one; null: nothing tells yet. */
  readonly aboutMs: number | null;
  /** How many of those that are left the waiting budget allows. */
  readonly affordable: number;
}

/** So many pauses as asked for in a row; a server that still refuses gets longer ones. */
const TRUSTED_PAUSES = 2;

export interface PauseInfo {
  /** How long the pause still lasts. */
  readonly ms: number;
  /** How many jobs wait for its end. */
  readonly remaining: number;
  readonly names: readonly string[];
  /** The code of the failure that made it necessary. */
  readonly code: string;
  /** What is known of the time until all are through; null: not looked at. */
  readonly forecast: Forecast | null;
}

export interface PaceOptions {
  /** The sum of all waits that the homeserver may ask for. */
  readonly maxWaitMs: number;
  /** Milliseconds. */
  readonly now: () => number;
  /** May end early, or reject, when the signal aborts. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Once aborted, nothing new is started. */
  readonly signal?: AbortSignal | undefined;
  /** Hears of a pause before it begins. */
  readonly onPause?: ((info: PauseInfo) => void) | undefined;
  /** Hears what refusals have taught, as soon as that is news. */
  readonly onForecast?: ((forecast: Forecast) => void) | undefined;
}

export interface Pace {
  readonly options: PaceOptions;
  /** True after the first refusal by a rate limit. */
  isLimited: boolean;
  pause: { readonly until: number; readonly code: string } | null;
  spentMs: number;
  /** Pauses in a row that ended in another refusal. */
  refusals: number;
  /** What refusals have taught of logins. */
  readonly slots: Slots;
  /** Whom refusals met: that of one user may be a limit of this user alone. */
  readonly refused: Set<string>;
  /** The forecast that was told last, and when. */
  told: { readonly forecast: Forecast; readonly at: number } | null;
}

/** Gives the pace of a homeserver that nothing was asked of yet. */
export function beginPace(options: PaceOptions): Pace {
  const slots = beginSlots();
  const refused = new Set<string>();
  return {
    options,
    isLimited: false,
    pause: null,
    spentMs: 0,
    refusals: 0,
    slots,
    refused,
    told: null,
  };
}

/** Notes a refusal by a rate limit, and gives the milliseconds to wait because of it. */
export function noteRefusal(
  pace: Pace,
  failure: Failure,
  { sentAt, user }: { readonly sentAt: number; readonly user: string },
): number {
  pace.isLimited = true;
  pace.refused.add(user);
  // Those that were in flight together are refused together: that is one refusal.
  if (pace.pause === null) pace.refusals += 1;
  noteRefused(pace.slots, { sentAt, at: pace.options.now() }, failure.freeIn ?? null);
  const asked = failure.retryAfterMs ?? null;
  if (asked === null) return quietWait(pace);
  if (pace.refusals <= TRUSTED_PAUSES) return asked;
  return Math.max(asked, backoffMs(pace.refusals - TRUSTED_PAUSES, pace.options.random));
}

/** Where a homeserver does not say how long to wait, what it has let through so far does. */
function quietWait(pace: Pace): number {
  const { now, random } = pace.options;
  const backoff = backoffMs(pace.refusals, random);
  const wait = (nextSlotAt(pace.slots) ?? 0) - now();
  return wait > 0 ? wait : backoff;
}

/** Begins a pause until the next login is probably let through, if that can be known and paid for. */
export function awaitSlot(pace: Pace): void {
  if (!pace.isLimited || pace.pause !== null) return;
  const ms = Math.ceil((nextSlotAt(pace.slots) ?? 0) - pace.options.now());
  if (ms <= 0 || !isAffordable(pace, ms)) return;
  pauseFor(pace, ms, { code: 'M_LIMIT_EXCEEDED', isAsked: true });
}

/**
 * Gives the least that the next login has to wait if the pace of all is known and the budget does not
 * allow that; null: it may be tried.
 */
export function unaffordableWait(pace: Pace): number | null {
  if (pace.pause !== null || pace.refused.size < 2) return null;
  const ms = Math.ceil((earliestSlot(pace.slots) ?? 0) - pace.options.now());
  return ms > 0 && !isAffordable(pace, ms) ? ms : null;
}

/** True if the budget allows a wait of so many milliseconds from now. */
export function isAffordable(pace: Pace, ms: number): boolean {
  return pace.spentMs + extensionMs(pace, ms) <= pace.options.maxWaitMs;
}

/** Begins a pause, or makes the one that is on longer; `isAsked`: at the cost of the budget. */
export function pauseFor(
  pace: Pace,
  ms: number,
  cause: { readonly code: string; readonly isAsked: boolean },
): void {
  const extension = extensionMs(pace, ms);
  if (cause.isAsked) pace.spentMs += extension;
  if (pace.pause !== null && extension === 0) return;
  pace.pause = { until: pace.options.now() + ms, code: cause.code };
}

/** Waits until the pause is over, or the signal aborts. `names`: who waits. */
export async function sitOutPause(
  pace: Pace,
  names: readonly string[],
  forecast: Forecast | null,
): Promise<void> {
  const { options, pause } = pace;
  if (pause === null) return;
  const ms = pause.until - options.now();
  if (ms > 0) {
    options.onPause?.({ ms, remaining: names.length, names, code: pause.code, forecast });
  }
  while (options.now() < pause.until) {
    if (options.signal?.aborted === true) return;
    await sleep(options, pause.until - options.now());
  }
  pace.pause = null;
}

/** By how much a pause from now would go beyond the one that is on. */
function extensionMs(pace: Pace, ms: number): number {
  const now = pace.options.now();
  return Math.max(0, now + ms - Math.max(now, pace.pause?.until ?? now));
}

async function sleep(options: PaceOptions, ms: number): Promise<void> {
  try {
    await options.sleep(ms, options.signal);
  } catch (error) {
    if (options.signal?.aborted !== true) throw error;
  }
}
