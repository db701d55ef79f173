// `npm run fuzz`: runs the fuzz targets, with more than a million cases in all; `npm run fuzz -- ini
// splice --runs 5000` picks and sets. What fails is made as small as it gets and printed, so that it can
// be pasted into tests/fuzz-regressions.test.ts; the seed and path printed run it again.
import { parseArgs } from 'node:util';
import * as fc from 'fast-check';
import { FUZZ_TARGETS } from '../tests/helpers/fuzz-targets.ts';
import type { FuzzTarget } from '../tests/helpers/fuzz.ts';

interface Settings {
  readonly targets: readonly FuzzTarget[];
  /** How many cases each target has; null: as many as it says itself. */
  readonly runs: number | null;
  readonly seed: number;
  readonly path: string | undefined;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function readSettings(argv: string[]): Settings {
  const options = {
    runs: { type: 'string' },
    seed: { type: 'string' },
    path: { type: 'string' },
  } as const;
  const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true });
  const known = FUZZ_TARGETS.map(({ name }) => name);
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Error(`no such target: ${unknown.join(', ')} (${known.join(', ')})`);
  }
  const isPicked = ({ name }: FuzzTarget): boolean =>
    positionals.length === 0 || positionals.includes(name);
  return {
    targets: FUZZ_TARGETS.filter(isPicked),
    runs: values.runs === undefined ? null : wholeNumber('runs', values.runs),
    seed:
      values.seed === undefined
        ? Math.trunc(Math.random() * 2 ** 31)
        : wholeNumber('seed', values.seed),
    path: values.path,
  };
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0) return number;
  throw new Error(`--${name} wants a whole number`);
}

/** Gives how many cases there were; throws an Error that holds the smallest one that fails. */
async function runTarget(target: FuzzTarget, settings: Settings): Promise<number> {
  const counts = new Map<string, number>();
  const property = target.property((word) => counts.set(word, (counts.get(word) ?? 0) + 1));
  const begun = performance.now();
  const { runs, seed, path } = settings;
  const result = await fc.check(property, {
    numRuns: runs ?? target.runs,
    seed,
    ...(path === undefined ? {} : { path }),
  });
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  const words = [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
  say(`${target.name.padEnd(12)} ${result.numRuns} cases in ${seconds} s: ${words}`);
  if (!result.failed) return result.numRuns;
  throw new Error(describeFailure(target, result));
}

function describeFailure({ name, about }: FuzzTarget, result: fc.RunDetails<unknown>): string {
  const { counterexample, errorInstance, seed, counterexamplePath } = result;
  const [shown] = Array.isArray(counterexample) ? (counterexample as unknown[]) : [counterexample];
  return [
    `${name} (${about}) fails for`,
    typeof shown === 'string' ? JSON.stringify(shown) : fc.stringify(shown),
    errorInstance instanceof Error ? String(errorInstance.stack) : String(errorInstance),
    `again: npm run fuzz -- ${name} --seed ${seed} --path ${counterexamplePath ?? ''}`,
  ].join('\n');
}

async function main(argv: string[]): Promise<void> {
  const settings = readSettings(argv);
  say(`seed ${settings.seed}`);
  let cases = 0;
  const failures: string[] = [];
  for (const target of settings.targets) {
    try {
      cases += await runTarget(target, settings);
    } catch (error) {
      failures.push((error as Error).message);
      say(`\n${(error as Error).message}\n`);
    }
  }
  if (failures.length > 0) throw new Error(`${failures.length} targets fail`);
  say(`${cases} cases, none fails`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`fuzz: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
