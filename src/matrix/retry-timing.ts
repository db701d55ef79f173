// How long to wait before a request is sent again: what the Retry-After header says, then what
// `retry_after_ms` in the body says, then a backoff of our own.

/** Waits are never counted longer than this: about 24.8 days, the most that a timer can hold. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;
const LONGEST_BACKOFF_MS = 60_000;

/** What of an answer tells how long to wait. */
export interface WaitAdvice {
  readonly retryAfter: string | null;
  readonly json: Readonly<Record<string, unknown>> | null;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
}

/**
 * Gives the milliseconds that the server asks to wait, or null if it says nothing that can be used:
 * a wait of 0 or a date that has passed is no advice.
 * @see https://spec.matrix.org/v1.19/client-server-api/#rate-limiting
 */
export function askedWaitMs(advice: WaitAdvice): number | null {
  return headerWaitMs(advice.retryAfter, advice.receivedAt) ?? bodyWaitMs(advice.json);
}

/**
 * Gives when the server lets the next request through, as milliseconds from its answer: the header
 * only knows seconds, and a body that says the same says it more exactly. Null: it says nothing.
 */
export function freeIn(advice: WaitAdvice): { least: number; most: number } | null {
  const header = headerWaitMs(advice.retryAfter, advice.receivedAt);
  const body = bodyWaitMs(advice.json);
  if (header === null) return body === null ? null : { least: body, most: body };
  const isSame = body !== null && body <= header && header - body < 1000;
  return isSame ? { least: body, most: body } : { least: Math.max(0, header - 1000), most: header };
}

/**
 * Gives 1 s, 2 s, 4 s … for the first, second, third … attempt, at most a minute, plus up to a
 * quarter of it. `random` gives numbers from 0 up to 1.
 */
export function backoffMs(attempt: number, random: () => number): number {
  const base = Math.min(1000 * 2 ** (attempt - 1), LONGEST_BACKOFF_MS);
  return Math.round(base * (1 + random() / 4));
}

function headerWaitMs(header: string | null, now: number): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header)) return positive(Number(header) * 1000);
  // Date.parse() makes a date of nearly everything: only what prints the same again is one.
  const date = new Date(header);
  if (Number.isNaN(date.getTime()) || date.toUTCString() !== header) return null;
  return positive(date.getTime() - now);
}

function bodyWaitMs(json: WaitAdvice['json']): number | null {
  const wait = json?.['retry_after_ms'];
  return typeof wait === 'number' && Number.isInteger(wait) ? positive(wait) : null;
}

function positive(ms: number): number | null {
  return ms > 0 ? Math.min(ms, LONGEST_WAIT_MS) : null;
}
