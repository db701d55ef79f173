// Synapse's login rate limits: leaky buckets by address, by account (only counted once the password
// was right) and by account for failed attempts (which then refuse the right password too).

export interface RateLimit {
  readonly per_second: number;
  readonly burst_count: number;
}

/** @see Synapse's configuration manual, `rc_login` */
export interface LoginRateLimits {
  readonly address?: RateLimit;
  readonly account?: RateLimit;
  readonly failed_attempts?: RateLimit;
}

export interface Limiter {
  /** Counts one action. Gives null if it is allowed, else the time to wait in ms; it is then not counted. */
  readonly take: (key: string) => number | null;
  /** As `take`, but counts nothing. */
  readonly peek: (key: string) => number | null;
}

export interface LoginLimiters {
  readonly address: Limiter;
  readonly account: Limiter;
  readonly failedAttempts: Limiter;
}

interface Bucket {
  /** Actions since the bucket was last empty. */
  readonly actions: number;
  /** When it was last empty, in ms. */
  readonly since: number;
}

/** Gives the three limiters; one that is not configured allows everything. `now` is in ms. */
export function loginLimiters(limits: LoginRateLimits, now: () => number): LoginLimiters {
  return {
    address: limiter(limits.address, now),
    account: limiter(limits.account, now),
    failedAttempts: limiter(limits.failed_attempts, now),
  };
}

function limiter(limit: RateLimit | undefined, now: () => number): Limiter {
  if (limit === undefined) return { take: () => null, peek: () => null };
  const buckets = new Map<string, Bucket>();
  const look = (key: string): { bucket: Bucket; waitMs: number | null } => {
    const bucket = leaked(buckets.get(key), limit, now());
    return { bucket, waitMs: waitFor(bucket, limit, now()) };
  };
  return {
    peek: (key) => look(key).waitMs,
    take: (key) => {
      const { bucket, waitMs } = look(key);
      if (waitMs === null) buckets.set(key, { ...bucket, actions: bucket.actions + 1 });
      return waitMs;
    },
  };
}

function leaked(bucket: Bucket | undefined, limit: RateLimit, now: number): Bucket {
  if (bucket === undefined) return { actions: 0, since: now };
  return fill(bucket, limit, now) < 0 ? { actions: 0, since: now } : bucket;
}

function waitFor(bucket: Bucket, limit: RateLimit, now: number): number | null {
  if (fill(bucket, limit, now) <= limit.burst_count - 1) return null;
  const freeAt =
    bucket.since + ((bucket.actions - limit.burst_count + 1) * 1000) / limit.per_second;
  return Math.max(0, Math.floor(freeAt - now));
}

function fill(bucket: Bucket, limit: RateLimit, now: number): number {
  return bucket.actions - ((now - bucket.since) / 1000) * limit.per_second;
}
