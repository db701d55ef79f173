// One crash at one call, and the runs after it.
import { addCounts, NONE } from './crash-counts.ts';
import type { Counts } from './crash-counts.ts';
import type { Fixture } from './crash-fixture.ts';
import { REKEY_ARGS } from './crash-rekey.ts';
import type { Scenario } from './crash-scenarios.ts';
import type { RunOptions } from './provision-project.ts';
import { watchRun, withoutNonces } from './watch-calls.ts';
import type { Watch } from './watch-calls.ts';

export interface Tried {
  /** The call at which it happened, without what is random in it; null: the run ended before. */
  readonly point: string | null;
  readonly counts: Counts;
  /** What went wrong with the runs after it; null: nothing. */
  readonly trouble: string | null;
}

/** How a shell names the end by SIGKILL. */
const KILLED = 137;

/** The exit code where a homeserver did not answer. */
const UNREACHABLE = 4;

/** How many times faster the clock goes then. */
const SPEED = 20;

/** Every so many points the last run is the program itself; else it runs in this process. */
const PROGRAM_EVERY = 16;

/** Makes the trouble at the call of this number (from 1 on), runs again to the end, and counts. */
export async function tryPoint(fixture: Fixture, scenario: Scenario, at: number): Promise<Tried> {
  await fixture.reset(scenario);
  const watch = watchOf(fixture, scenario, at);
  const options = optionsOf(scenario);
  const args = [...argsOf(scenario), '--json'];
  const { run, point } = await watchRun(fixture.project, watch, args, options);
  if (point === null) return { point, counts: NONE, trouble: null };
  const untrue = run.exitCode === KILLED ? [] : await fixture.findUntrue(run);
  await fixture.disk?.comeBack();
  const counts = [{ ...NONE, ...(await fixture.countDamage()), untrue: untrue.length }];
  if (scenario.thenUnreachable === true) {
    await fixture.runUnreachable();
    counts.push(fixture.countEmpty());
  }
  const failed = await fixture.recover(at % PROGRAM_EVERY === 0 ? 'program' : 'inside');
  counts.push(await fixture.count());
  return {
    point: withoutNonces(point),
    counts: counts.reduce(addCounts),
    trouble: [...untrue, ...(failed === null ? [] : [failed])].join('\n') || null,
  };
}

function watchOf(
  { disk }: Fixture,
  { match, blow, onwards, disk: kind }: Scenario,
  at: number,
): Watch {
  return {
    at,
    match: match ?? /^/,
    blow: blow ?? (kind === 'full' ? 'none' : 'SIGKILL'),
    onwards: onwards ?? false,
    ...(disk === null ? {} : { before: disk.trouble }),
  };
}

function argsOf({ task }: Scenario): readonly string[] {
  return task === 'rekey' ? REKEY_ARGS : [];
}

/** A run may have to wait: until a lost login must have ended, or before it tries again. */
function optionsOf(scenario: Scenario): Pick<RunOptions, 'preload' | 'task'> {
  const { blow, disk, isUnreachable, task } = scenario;
  const waits = isUnreachable === true || disk === 'full' || (blow ?? 'SIGKILL') !== 'SIGKILL';
  return {
    ...(task === undefined ? {} : { task }),
    ...(waits && task === undefined ? { preload: { speed: SPEED } } : {}),
  };
}

/** Gives how many of the calls come before the first one that is tried. */
export function passedOver(names: readonly string[], { name, from }: Scenario): number {
  if (from === undefined) return 0;
  const index = names.findIndex((call) => from.test(call));
  if (index === -1) throw new Error(`${name}: no call is like ${from.source}`);
  return index;
}

/** Gives the names of the calls of a run that nothing happens to. */
export async function listPoints(fixture: Fixture, scenario: Scenario): Promise<string[]> {
  const { match, name, isUnreachable = false } = scenario;
  await fixture.reset(scenario);
  const args = argsOf(scenario);
  const { calls, run } = await watchRun(fixture.project, {}, args, optionsOf(scenario));
  if (run.exitCode !== (isUnreachable ? UNREACHABLE : 0))
    throw new Error(`${name}: ${run.exitCode}\n${run.stderr}${run.stdout}`);
  return calls.filter((call) => match?.test(call) ?? true).map(withoutNonces);
}
