// What holds for the queue against any homeserver: one with a bucket of any size that advises well,
// badly or not at all, with any latency, any trouble, and a signal at any time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isFailure, type Failure, type RetryRule } from '../src/matrix/failure.ts';
import { runQueue, type Job, type QueueOptions } from '../src/matrix/queue.ts';
import type { PauseInfo } from '../src/matrix/queue-pace.ts';
import { virtualClock, type VirtualClock } from './helpers/virtual-clock.ts';

type Kind = 'ok' | 'wrong' | 'timeout' | 'bug' | 'down' | 'limit';

interface World {
  readonly burst: number;
  readonly secondsPerLogin: number;
  readonly advice: 'right' | 'none' | 'too_short';
  readonly maxWaitMs: number;
  /** Whether the queue learns from refusals. */
  readonly areLogins: boolean;
  /** What becomes of each job's requests that the bucket lets through, the last one again. */
  readonly jobs: readonly { readonly latencyMs: number; readonly kinds: readonly Kind[] }[];
  readonly abortAtMs: number | null;
}

interface SentRequest {
  readonly job: number;
  readonly start: number;
  end: number;
  kind: Kind | null;
  inFlightBefore: number;
}

interface Record {
  readonly requests: SentRequest[];
  readonly pauses: (PauseInfo & { readonly at: number })[];
  readonly results: readonly (string | Failure)[];
  abortedAt: number | null;
}

const RULES: { readonly [kind in Kind]?: RetryRule } = {
  limit: { kind: 'rate_limit', otherwise: 'user' },
  timeout: { kind: 'backoff', requests: 3, otherwise: 'homeserver' },
  bug: { kind: 'backoff', requests: 3, otherwise: 'user' },
};

function failureOf(kind: Kind, retryAfterMs: number | null): Failure {
  const retry = RULES[kind];
  const scope = retry !== undefined ? 'retry' : kind === 'down' ? 'homeserver' : 'user';
  const outcome = kind === 'limit' ? 'deferred' : 'failed';
  const code = kind === 'limit' ? 'M_LIMIT_EXCEEDED' : kind.toUpperCase();
  const base = { kind: 'failure', scope, outcome, code, message: kind, retry } as const;
  const freeIn = retryAfterMs === null ? null : { least: retryAfterMs, most: retryAfterMs };
  return { ...base, retryAfterMs, freeIn, maybeExecuted: kind === 'timeout' };
}

/** A leaky bucket: lets a request through, or gives the milliseconds until it would. */
function bucket(world: World, clock: VirtualClock): () => number {
  let level = 0;
  let last = 0;
  return () => {
    const perMs = 1 / (world.secondsPerLogin * 1000);
    level = Math.max(0, level - (clock.now() - last) * perMs);
    last = clock.now();
    if (level + 1 > world.burst + 1e-9) return Math.ceil((level + 1 - world.burst) / perMs);
    level += 1;
    return 0;
  };
}

function adviceFor(world: World, ms: number): number | null {
  if (world.advice === 'none') return null;
  return world.advice === 'right' ? ms : Math.ceil(ms / 3);
}

async function live(world: World): Promise<Record> {
  const clock = virtualClock();
  const ask = bucket(world, clock);
  const abort = new AbortController();
  const record: Record = { requests: [], pauses: [], results: [], abortedAt: null };
  let inFlight = 0;
  const jobs = world.jobs.map(({ latencyMs, kinds }, index): Job<string> => {
    let accepted = 0;
    return {
      name: `job${index}`,
      async attempt() {
        const request: SentRequest = {
          job: index,
          start: clock.now(),
          end: Number.POSITIVE_INFINITY,
          kind: null,
          inFlightBefore: inFlight,
        };
        record.requests.push(request);
        inFlight += 1;
        const wait = ask();
        const kind = wait > 0 ? 'limit' : (kinds[Math.min(accepted, kinds.length - 1)] ?? 'ok');
        if (wait === 0) accepted += 1;
        await clock.sleep(latencyMs);
        inFlight -= 1;
        request.end = clock.now();
        request.kind = kind;
        return kind === 'ok' ? 'ok' : failureOf(kind, wait > 0 ? adviceFor(world, wait) : null);
      },
    };
  });
  const options: QueueOptions = {
    maxWaitMs: world.maxWaitMs,
    now: clock.now,
    sleep: clock.sleep,
    random: () => 0.5,
    signal: abort.signal,
    onPause: (info) => record.pauses.push({ ...info, at: clock.now() }),
  };
  const running = runQueue(jobs, options, { areLogins: world.areLogins });
  if (world.abortAtMs !== null) {
    void clock.sleep(world.abortAtMs).then(() => {
      record.abortedAt = clock.now();
      abort.abort();
    });
  }
  return { ...record, results: await clock.run(running), abortedAt: record.abortedAt };
}

const aKind = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Kind>('ok') },
  { weight: 2, arbitrary: fc.constantFrom<Kind[]>('wrong', 'timeout', 'bug') },
);

function aWorld(
  kind: fc.Arbitrary<Kind>,
  abortAtMs: fc.Arbitrary<number | null>,
): fc.Arbitrary<World> {
  return fc.record({
    burst: fc.integer({ min: 1, max: 8 }),
    secondsPerLogin: fc.constantFrom(0.1, 1, 6, 20, 333),
    advice: fc.constantFrom('right' as const, 'none' as const, 'too_short' as const),
    maxWaitMs: fc.constantFrom(0, 5000, 60_000, 600_000),
    areLogins: fc.boolean(),
    jobs: fc.array(
      fc.record({
        latencyMs: fc.integer({ min: 1, max: 3000 }),
        kinds: fc.array(kind, { minLength: 1, maxLength: 3 }),
      }),
      { maxLength: 15 },
    ),
    abortAtMs,
  });
}

const aCalmWorld = aWorld(fc.constant('ok'), fc.constant(null));
const anyWorld = aWorld(
  fc.oneof({ weight: 20, arbitrary: aKind }, { weight: 1, arbitrary: fc.constant<Kind>('down') }),
  fc.option(fc.integer({ min: 0, max: 100_000 })),
);

/** Lives `world` as often as it takes, and checks what is recorded. */
async function always(
  world: fc.Arbitrary<World>,
  check: (record: Record, world: World) => void,
): Promise<void> {
  const property = fc.asyncProperty(world, async (world) => check(await live(world), world));
  await fc.assert(property, { numRuns: 150 });
}

function firstRefusal({ requests }: Record): number {
  const ends = requests.filter(({ kind }) => kind === 'limit').map(({ end }) => end);
  return Math.min(Number.POSITIVE_INFINITY, ...ends);
}

test('never more than four are in flight, and one after the first refusal', async () => {
  await always(anyWorld, (record) => {
    const limitedFrom = firstRefusal(record);
    for (const { start, inFlightBefore } of record.requests) {
      assert.ok(inFlightBefore < (start > limitedFrom ? 1 : 4));
    }
  });
});

test('no request is sent during a pause', async () => {
  await always(anyWorld, ({ requests, pauses, abortedAt }) => {
    for (const { at, ms } of pauses) {
      const end = Math.min(at + ms, abortedAt ?? Number.POSITIVE_INFINITY);
      for (const { start } of requests) assert.ok(start < at || start >= end);
    }
  });
});

test('every job ends exactly once, and as its last request did', async () => {
  await always(anyWorld, ({ requests, results }, world) => {
    assert.equal(results.length, world.jobs.length);
    for (const [index, result] of results.entries()) {
      const last = requests.findLast(({ job }) => job === index);
      assert.equal(result === 'ok', last?.kind === 'ok');
      if (isFailure(result)) assert.equal(result.retry, undefined);
    }
  });
});

test('a user who was refused or is done is not asked again', async () => {
  await always(anyWorld, ({ requests }) => {
    for (const [index, { job, kind }] of requests.entries()) {
      if (kind === 'limit' || kind === 'timeout' || kind === 'bug') continue;
      assert.ok(!requests.slice(index + 1).some((later) => later.job === job));
    }
  });
});

test('trouble is tried three times at most', async () => {
  await always(anyWorld, ({ requests }, world) => {
    for (const index of world.jobs.keys()) {
      const troubled = requests.filter(({ job, kind }) => {
        return job === index && (kind === 'timeout' || kind === 'bug');
      });
      assert.ok(troubled.length <= 3);
    }
  });
});

test('each pause meets one more refusal at most, unless that one is deferred', async () => {
  await always(aCalmWorld, ({ requests, pauses, results }) => {
    for (const [index, { at }] of pauses.entries()) {
      const next = pauses[index + 1]?.at ?? Number.POSITIVE_INFINITY;
      const refused = requests.filter(
        ({ start, kind }) => start > at && start < next && kind === 'limit',
      );
      const lasting = refused.filter(({ job }) => !isDeferred(results[job]));
      assert.ok(lasting.length <= 1);
    }
  });
});

function isDeferred(result: string | Failure | undefined): boolean {
  return isFailure(result) && result.outcome === 'deferred';
}

test('the pauses of a run never add up to more than the budget', async () => {
  await always(aCalmWorld, ({ pauses }, world) => {
    const sum = pauses.reduce((total, { ms }) => total + ms, 0);
    assert.ok(sum <= world.maxWaitMs, `${sum} of ${world.maxWaitMs}`);
  });
});

test('a server that advises well refuses once a login at most, after the first burst', async () => {
  await always(aCalmWorld, (record, world) => {
    if (world.advice !== 'right' || record.results.some(isDeferred)) return;
    const refused = record.requests.filter(({ kind }) => kind === 'limit');
    assert.ok(refused.length <= 3 + world.jobs.length);
  });
});

test('once all are logged in or deferred, nobody waits on', async () => {
  await always(aCalmWorld, ({ results }) => {
    for (const result of results) assert.ok(result === 'ok' || isDeferred(result));
  });
});

test('after the signal nothing is sent, and what was in flight keeps its result', async () => {
  await always(anyWorld, ({ requests, results, abortedAt }) => {
    if (abortedAt === null) return;
    for (const { start, end, job, kind } of requests) {
      assert.ok(start <= abortedAt);
      if (end > abortedAt && kind === 'ok') assert.equal(results[job], 'ok');
    }
  });
});
