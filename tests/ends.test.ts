// What somebody is told who wants a run to end. What becomes of the run: tests/cli/signals.txt.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REQUEST_TIMEOUT_MS } from '../src/matrix/http.ts';
import { watchEnds } from '../tasks/ends.ts';

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const;

test('the first signal says how long it may take, and what a third one does, in one line', (t) => {
  const lines: string[] = [];
  const before = SIGNALS.map((name) => process.listeners(name));
  const { interruptedBy } = watchEnds((line) => lines.push(line));
  t.after(() => {
    for (const [index, name] of SIGNALS.entries()) {
      for (const one of process.listeners(name)) {
        if (before[index]?.includes(one) !== true) process.removeListener(name, one);
      }
    }
  });
  process.emit('SIGTERM');
  process.emit('SIGTERM');
  assert.equal(interruptedBy(), 'SIGTERM');
  const seconds = REQUEST_TIMEOUT_MS / 1000;
  assert.deepEqual(lines, [
    `SIGTERM: finishing requests in flight (up to ${seconds} s each); a third leaves at once`,
  ]);
  assert.ok((lines[0]?.length ?? 0) <= 80);
});
