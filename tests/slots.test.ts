// How soon the queue finds a homeserver's pace, and what it says of it: on a clock that jumps, against
// the two kinds of rate limits that homeservers have (both let logins through in even slots).
// MATRIX_TOKENS_TEST_LIMITS=20000 tries as many limits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Failure } from '../src/matrix/failure.ts';
import { runQueue, type Job } from '../src/matrix/queue.ts';
import type { Forecast } from '../src/matrix/queue-pace.ts';
import {
  beginSlots,
  intervalBounds,
  nextSlotAt,
  noteGranted,
  noteRefused,
  noteSent,
  probableInterval,
} from '../src/matrix/slots.ts';
import { virtualClock, type VirtualClock } from './helpers/virtual-clock.ts';

interface Limit {
  readonly everyMs: number;
  readonly burst: number;
  /** What a refusal says of the time to wait: MAS says nothing, Dendrite has no header. */
  readonly says: 'header and body' | 'header' | 'body' | 'nothing';
  /** How much of the burst others have used up before, as a share. */
  readonly used: number;
  readonly latencyMs: number;
}

interface Trial {
  readonly ms: number;
  /** When the last login could have been let through at the earliest. */
  readonly leastMs: number;
  readonly refused: number;
  readonly forecasts: readonly Forecast[];
}

async function logIn(limit: Limit, count: number, maxWaitMs = 1e12): Promise<Trial> {
  const clock = virtualClock();
  const forecasts: Forecast[] = [];
  const server = { freeAt: limit.used * limit.burst * limit.everyMs, refused: 0 };
  const { freeAt } = server;
  const jobs = Array.from({ length: count }, (_, index): Job<string> => {
    return { name: `bot ${index}`, attempt: () => request(limit, clock, server) };
  });
  const { now, sleep } = clock;
  const options = {
    maxWaitMs,
    now,
    sleep,
    random: () => 0.5,
    onForecast: (one: Forecast) => void forecasts.push(one),
  };
  const results = await clock.run(runQueue(jobs, options, { areLogins: true }));
  if (maxWaitMs === 1e12) assert.ok(results.every((result) => result === 'ok'));
  const leastMs = Math.max(0, freeAt + (count - limit.burst) * limit.everyMs);
  return { ms: clock.now(), leastMs, refused: server.refused, forecasts };
}

/** The generic cell rate algorithm, which MAS uses; Synapse's bucket comes to the same. */
async function request(
  limit: Limit,
  clock: VirtualClock,
  server: { freeAt: number; refused: number },
): Promise<string | Failure> {
  await clock.sleep(limit.latencyMs);
  const base = Math.max(server.freeAt, clock.now());
  const waitMs = base - (limit.burst - 1) * limit.everyMs - clock.now();
  if (waitMs <= 0) server.freeAt = base + limit.everyMs;
  else server.refused += 1;
  await clock.sleep(limit.latencyMs);
  return waitMs <= 0 ? 'ok' : refusal(limit, Math.ceil(waitMs));
}

function refusal({ says }: Limit, ms: number): Failure {
  const seconds = Math.ceil(ms / 1000) * 1000;
  const exact = { least: ms, most: ms };
  const said = {
    'header and body': { retryAfterMs: seconds, freeIn: exact },
    header: { retryAfterMs: seconds, freeIn: { least: seconds - 1000, most: seconds } },
    body: { retryAfterMs: ms, freeIn: exact },
    nothing: { retryAfterMs: null, freeIn: null },
  }[says];
  return {
    kind: 'failure',
    scope: 'retry',
    outcome: 'deferred',
    code: 'M_LIMIT_EXCEEDED',
    message: 'too many',
    retry: { kind: 'rate_limit', otherwise: 'user' },
    maybeExecuted: false,
    ...said,
  };
}

const WHOLE = { used: 0, latencyMs: 50 } as const;
const SYNAPSE: Limit = { everyMs: 1000 / 0.003, burst: 5, says: 'header and body', ...WHOLE };
const PLAYBOOK: Limit = { everyMs: 1000 / 0.17, burst: 3, says: 'header and body', ...WHOLE };
const MAS: Limit = { everyMs: 20_000, burst: 3, says: 'nothing', ...WHOLE };

for (const [name, limit] of Object.entries({ SYNAPSE, PLAYBOOK, MAS })) {
  test(`the limits that servers have take no more than a twentieth longer than they must: ${name}`, async () => {
    for (const count of [8, 12, 30]) {
      const { ms, leastMs, refused } = await logIn(limit, count);
      assert.ok(ms >= leastMs && ms / leastMs <= 1.05, `${count}: ${ms / leastMs}`);
      assert.ok(refused <= (limit.says === 'nothing' ? 14 : 8), `${count}: ${refused} refused`);
    }
  });
}

const aLimit = fc.record({
  everyMs: fc.integer({ min: 3000, max: 400_000 }),
  burst: fc.integer({ min: 1, max: 6 }),
  says: fc.constantFrom<Limit['says']>('header and body', 'header', 'body', 'nothing'),
  used: fc.constantFrom(0, 0, 0.3, 0.9, 1),
  latencyMs: fc.integer({ min: 1, max: 150 }),
});

test('any limit: all are logged in soon after they can be, with few refusals', async () => {
  await fc.assert(
    fc.asyncProperty(aLimit, fc.integer({ min: 1, max: 25 }), async (limit, count) => {
      const { ms, leastMs, refused } = await logIn(limit, count);
      // Where nobody says how long the interval is, finding out may cost two of them, once.
      const spare = limit.says === 'nothing' ? 2 * limit.everyMs : 0.2 * limit.everyMs + 2000;
      const transport = 4 * limit.latencyMs * (count + refused);
      assert.ok(ms >= leastMs);
      // Without a burst whatever is late once stays late, and every refusal may be told too late.
      const isBare = limit.burst === 1;
      const most = isBare ? 1.6 * leastMs : leastMs;
      assert.ok(ms <= most + spare + transport, `${ms} of ${leastMs}`);
      // Up to three more are in flight when the first one is refused.
      const allowed = limit.says === 'nothing' ? 30 : 10 + count / 4;
      assert.ok(refused <= (isBare ? 30 + 2 * count : allowed), `${refused} refused`);
    }),
    { numRuns: Number(process.env['MATRIX_TOKENS_TEST_LIMITS'] ?? 200) },
  );
});

test('the first refusal tells the pace, before anybody waits', async () => {
  const { forecasts } = await logIn(PLAYBOOK, 12);
  const [first] = forecasts;
  assert.ok(first?.everyMs && first.aboutMs);
  assert.deepEqual([first.total, first.done, first.affordable], [12, 3, 9]);
  assert.ok(Math.abs(first.everyMs - PLAYBOOK.everyMs) < 200, `${first.everyMs}`);
  assert.ok(Math.abs(first.aboutMs - 9 * PLAYBOOK.everyMs) < 1500, `${first.aboutMs}`);
  assert.equal(forecasts.length, 1, 'what is no news is not told');
});

test('a homeserver that says nothing is told as that, and its pace once it shows', async () => {
  const { forecasts } = await logIn(MAS, 12);
  assert.deepEqual([forecasts[0]?.everyMs, forecasts[0]?.aboutMs], [null, null]);
  const last = forecasts.at(-1);
  assert.ok(last?.everyMs && Math.abs(last.everyMs - MAS.everyMs) < 4000, `${last?.everyMs}`);
});

test('a budget that does not last for all is told along with how many it lasts for', async () => {
  const { forecasts, refused } = await logIn(SYNAPSE, 12, 600_000);
  assert.equal(forecasts[0]?.affordable, 1);
  assert.ok(refused <= 6);
});

test('two refusals that tell the time give the interval, and then no third one is needed', () => {
  const slots = beginSlots();
  noteSent(slots, 0);
  noteRefused(slots, { sentAt: 1000, at: 1000 }, { least: 5000, most: 5000 });
  assert.equal(probableInterval(slots), 6000.5);
  assert.equal(nextSlotAt(slots), 6001);
  noteGranted(slots, 6050);
  assert.equal(nextSlotAt(slots), null, 'one alone tells no interval for sure');
  noteRefused(slots, { sentAt: 6100, at: 6100 }, { least: 5900, most: 5900 });
  noteGranted(slots, 12_100);
  const at = nextSlotAt(slots) ?? 0;
  assert.ok(at >= 17_950 && at < 18_250, `${at}`);
});

test('what contradicts everything before it is believed, and the rest forgotten', () => {
  const slots = beginSlots();
  noteSent(slots, 0);
  for (const at of [1000, 7000, 13_000]) {
    noteRefused(slots, { sentAt: at, at }, { least: 5000, most: 5000 });
    noteGranted(slots, at + 5000);
  }
  assert.ok((probableInterval(slots) ?? 0) > 5900);
  noteRefused(slots, { sentAt: 18_100, at: 18_100 }, { least: 333_000, most: 333_000 });
  assert.equal(slots.known.length, 1);
  assert.equal(intervalBounds(slots).most, Number.POSITIVE_INFINITY);
});

test('a clock that goes back, or any order of answers, never gives a time that is no number', () => {
  const event = fc.record({
    kind: fc.constantFrom('sent', 'granted', 'refused', 'told'),
    at: fc.integer({ min: -1e6, max: 1e9 }),
    least: fc.integer({ min: 0, max: 1e9 }),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      const slots = beginSlots();
      for (const { kind, at, least } of events) {
        if (kind === 'sent') noteSent(slots, at);
        else if (kind === 'granted') noteGranted(slots, at);
        else {
          const freeIn = kind === 'told' ? { least, most: least } : null;
          noteRefused(slots, { sentAt: at, at }, freeIn);
        }
        const [next, interval] = [nextSlotAt(slots), probableInterval(slots)];
        assert.ok(next === null || Number.isFinite(next));
        assert.ok(interval === null || (Number.isFinite(interval) && interval >= 0));
        assert.ok(slots.known.length <= 25);
      }
    }),
  );
});
