// Tries scenarios, in a process of its own: takes `{ scenario, first, step }`, gives a `Done`.
import { getPriority, setPriority } from 'node:os';
import { listPoints, passedOver, tryPoint } from './crash-point.ts';
import type { Tried } from './crash-point.ts';
import { SCENARIOS } from './crash-scenarios.ts';
import type { Scenario } from './crash-scenarios.ts';
import { makeLocalFixture } from './crash-rekey.ts';
import { makeSynapseFixture } from './crash-synapse.ts';
import type { Cleanup } from './provision-project.ts';
import { sharedSynapse } from './synapse.ts';
import { EFFECTS } from './watch-calls.ts';

export interface Task {
  readonly scenario: string;
  /** Its points first, first + step, … counted from 1. */
  readonly first: number;
  readonly step: number;
  /** Also the calls without an effect, wherever all others are tried. */
  readonly isEvery: boolean;
}

export interface Done extends Task {
  readonly tried: readonly Tried[];
  /** The names of the points, as a run without trouble has them. */
  readonly expected: readonly string[];
}

const cleanups: (() => unknown)[] = [];

async function cleanUp(): Promise<void> {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
}

async function carryOut(task: Task): Promise<Done> {
  const scenario = scenarioOf(task);
  try {
    const fixture = await fixtureOf({ after: (clean) => cleanups.push(clean) }, scenario);
    const all = await listPoints(fixture, scenario);
    const tried: Tried[] = [];
    const expected: string[] = [];
    for (let at = passedOver(all, scenario) + task.first; at <= all.length; at += task.step) {
      tried.push(await tryPoint(fixture, scenario, at));
      expected.push(all[at - 1] ?? '');
    }
    return { ...task, tried, expected };
  } finally {
    await cleanUp();
  }
}

function scenarioOf({ scenario: wanted, isEvery }: Task): Scenario {
  const scenario = SCENARIOS.find(({ name }) => name === wanted);
  if (scenario === undefined) throw new Error(`no such scenario: ${wanted}`);
  if (!isEvery || scenario.match !== EFFECTS) return scenario;
  const { from: _all, ...whole } = scenario;
  return { ...whole, match: /^/ };
}

async function fixtureOf(t: Cleanup, scenario: Scenario) {
  if (scenario.homeserver === undefined) return makeLocalFixture(t, scenario);
  const synapse = await sharedSynapse();
  t.after(() => synapse.stop());
  return makeSynapseFixture(t, scenario, synapse);
}

// Whoever works on the machine meanwhile comes first.
setPriority(Math.min(19, getPriority() + 5));

process.on('SIGTERM', () => {
  void cleanUp().finally(() => process.exit(1));
});

process.on('message', (task: Task) => {
  carryOut(task).then(
    (done) => process.send?.(done),
    (error: unknown) => {
      process.stderr.write(`crash: ${task.scenario}: ${String(error)}\n`);
      process.exit(1);
    },
  );
});
