// `npm test`: runs every built test file, or those whose names are given (`npm test -- vault-cipher`),
// two at a time. In CI (CI=true) a skipped test is a failure, since there everything is at hand.
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { prepareTestEnvironment } from './test-environment.ts';
import { runTestFile } from './test-file.ts';
import type { FileOutcome } from './test-file.ts';
import { failureText, fileLine, notesText, summaryText } from './test-report.ts';
import { runMain } from './run-main.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const AT_ONCE = 2;

/** Gives the sources of the test files, relative to the root; all of them if no name is given. */
function chooseSources(names: readonly string[]): string[] {
  const all = readdirSync(join(ROOT, 'tests')).filter((name) => name.endsWith('.test.ts'));
  const wanted = names.map(
    (name) => `${name.replace(/^.*\//, '').replace(/\.test\.[jt]s$/, '')}.test.ts`,
  );
  const unknown = wanted.filter((name) => !all.includes(name));
  if (unknown.length > 0) throw new Error(`no such test file: tests/${unknown.join(', tests/')}`);
  return (wanted.length > 0 ? wanted : all).map((name) => `tests/${name}`);
}

function builtFile(source: string): string {
  const file = join(ROOT, 'dist', source.replace(/\.ts$/, '.js'));
  if (!existsSync(file)) throw new Error(`${source} is not built`);
  return file;
}

async function runAll(files: readonly string[], signal: AbortSignal): Promise<FileOutcome[]> {
  const waiting = [...files];
  const outcomes: FileOutcome[] = [];
  const work = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      if (signal.aborted) return;
      const outcome = await runTestFile(file, signal);
      outcomes.push(outcome);
      process.stdout.write(`${fileLine(outcome)}\n${notesText(outcome)}${failureText(outcome)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcomes;
}

/** Gives the exit code. */
async function main(names: readonly string[], signal: AbortSignal): Promise<number> {
  const sources = chooseSources(names);
  const files = sources.map(builtFile);
  const log = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  const stop = await prepareTestEnvironment({ root: ROOT, sources, env: process.env, log });
  try {
    const outcomes = await runAll(files, signal);
    process.stdout.write(summaryText(outcomes));
    const states = new Set(outcomes.flatMap(({ tests }) => tests.map((test) => test.state)));
    const isBad = states.has('failed') || (process.env['CI'] === 'true' && states.has('skipped'));
    return isBad || signal.aborted ? 1 : 0;
  } finally {
    await stop();
  }
}

await runMain('test', main);
