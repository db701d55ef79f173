import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { askedWaitMs, backoffMs, freeIn } from '../src/matrix/retry-timing.ts';

const NOW = Date.parse('2026-11-23T04:00:00Z');

function asked(retryAfter: string | null, retryAfterMs?: unknown): number | null {
  const json = retryAfterMs === undefined ? null : { retry_after_ms: retryAfterMs };
  return askedWaitMs({ retryAfter, json, receivedAt: NOW });
}

test('the Retry-After header wins over retry_after_ms', () => {
  assert.equal(asked('2', 90_000), 2000);
});

test('retry_after_ms counts where there is no header', () => {
  assert.equal(asked(null, 1500), 1500);
});

test('a future date in Retry-After is honoured', () => {
  assert.equal(asked('Mon, 23 Nov 2026 04:00:30 GMT'), 30_000);
});

test('a Retry-After that is neither seconds nor an exact date is passed over', () => {
  const wrong = [
    '-3',
    '1.5',
    'abc',
    '',
    '2 ',
    '+2',
    '0x10',
    '2026-11-23T05:00:00Z',
    'Tue, 23 Nov 2026 05:00:00 GMT',
    'Mon, 23 Nov 2026 05:00:00 CET',
  ];
  for (const header of wrong) assert.equal(asked(header, 700), 700, header);
});

test('a wait of nothing, or until a time that has passed, is no advice', () => {
  assert.equal(asked('0', 800), 800);
  assert.equal(asked('Mon, 23 Nov 2026 03:59:59 GMT', 800), 800);
  assert.equal(asked('Mon, 23 Nov 2026 04:00:00 GMT'), null);
  assert.equal(asked(null, 0), null);
});

test('a retry_after_ms that is no whole number of milliseconds is passed over', () => {
  for (const wrong of [-1, 1.5, '1500', null, [1], Number.NaN]) {
    assert.equal(asked(null, wrong), null, String(wrong));
  }
});

test('a wait is never longer than a timer can hold', () => {
  assert.equal(asked('9'.repeat(400)), 2 ** 31 - 1);
  assert.equal(asked(null, Number.MAX_SAFE_INTEGER), 2 ** 31 - 1);
});

test('when the next request is let through is known as exactly as the homeserver says it', () => {
  const free = (retryAfter: string | null, retryAfterMs?: unknown): unknown =>
    freeIn({ retryAfter, json: { retry_after_ms: retryAfterMs }, receivedAt: NOW });
  const exact = { least: 1500, most: 1500 };
  assert.deepEqual(free(null, 1500), exact);
  // Synapse rounds up for the header.
  assert.deepEqual(free('2', 1500), exact);
  assert.deepEqual(free('2'), { least: 1000, most: 2000 });
  assert.deepEqual(free('2', 90_000), { least: 1000, most: 2000 });
  assert.deepEqual(free('1'), { least: 0, most: 1000 });
  assert.equal(free(null), null);
});

test('the backoff doubles from a second up to a minute, with up to a quarter on top', () => {
  const bases = [1, 2, 3, 4, 5, 6, 7, 8, 30].map((attempt) => backoffMs(attempt, () => 0));
  assert.deepEqual(bases, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  assert.equal(
    backoffMs(1, () => 0.999_999),
    1250,
  );
});

test('whatever a server sends, the wait is null or a positive number of milliseconds', () => {
  const header = fc.option(fc.oneof(fc.string(), fc.integer().map(String), fc.date().map(String)));
  fc.assert(
    fc.property(header, fc.jsonValue(), (retryAfter, value) => {
      const wait = asked(retryAfter, value);
      assert.ok(wait === null || (wait > 0 && wait < 2 ** 31), String(wait));
    }),
  );
});
