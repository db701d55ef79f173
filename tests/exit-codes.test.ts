import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodeOf } from '../src/report.ts';
import type { Report } from '../src/report.ts';
import { blankOutcome } from '../src/report/types.ts';
import type { OutcomeWord } from '../src/report/types.ts';

interface Case {
  readonly outcomes?: readonly OutcomeWord[];
  readonly leftover?: true;
  readonly interrupted?: Report['interrupted'];
  readonly run: number;
  readonly check: number;
  readonly detailed: number;
}

/** What the design says: 5 before 1 before 4 before 3; a signal before all. */
const CASES: readonly Case[] = [
  { run: 0, check: 0, detailed: 0 },
  { outcomes: ['ok', 'skipped'], run: 0, check: 0, detailed: 0 },
  { outcomes: ['ok', 'changed'], run: 0, check: 0, detailed: 2 },
  { outcomes: ['ok', 'unknown'], run: 0, check: 0, detailed: 2 },
  { outcomes: ['ok'], leftover: true, run: 1, check: 0, detailed: 2 },
  { outcomes: ['changed', 'deferred'], run: 3, check: 0, detailed: 2 },
  { outcomes: ['deferred', 'unreachable'], run: 4, check: 0, detailed: 0 },
  { outcomes: ['deferred', 'unreachable', 'failed'], run: 1, check: 0, detailed: 0 },
  { outcomes: ['unreachable'], leftover: true, run: 1, check: 0, detailed: 2 },
  { outcomes: ['failed'], interrupted: 'SIGINT', run: 130, check: 130, detailed: 130 },
  { outcomes: ['ok'], interrupted: 'SIGTERM', run: 143, check: 143, detailed: 143 },
  { outcomes: ['changed'], interrupted: 'SIGHUP', run: 129, check: 129, detailed: 129 },
];

for (const one of CASES) {
  const { outcomes = [], leftover, interrupted = null } = one;
  const what = [outcomes.join(', ') || 'nothing', leftover && 'a session left', interrupted];
  test(`exit codes of ${what.filter(Boolean).join(' and ')}`, () => {
    const report = (check: boolean): Report => ({
      task: 'provision',
      check,
      outcomes: outcomes.map((outcome) => ({
        ...blankOutcome({
          host: 'h',
          service: 's',
          defined_at: { file: 'vars.yml', line: 1, column: 1 },
        }),
        outcome,
      })),
      leftovers: leftover
        ? [{ host: 'h', service: 's', user_id: '@u:d', device_id: 'D', message: '' }]
        : [],
      notes: [],
      interrupted,
    });
    assert.equal(exitCodeOf(report(false)), one.run);
    assert.equal(exitCodeOf(report(false), { detailed: true }), one.run);
    assert.equal(exitCodeOf(report(true)), one.check);
    assert.equal(exitCodeOf(report(true), { detailed: true }), one.detailed);
  });
}
