import { run } from 'node:test';

export interface TestOutcome {
  readonly name: string;
  readonly durationMs: number;
  readonly state: 'passed' | 'failed' | 'skipped';
  /** Why it was skipped; empty where no reason is given. */
  readonly reason: string;
  /** What was thrown; only of failed tests. */
  readonly error: unknown;
}

export interface FileOutcome {
  readonly file: string;
  readonly durationMs: number;
  readonly tests: readonly TestOutcome[];
  /** What tests have to say of themselves, such as how many cases they tried. */
  readonly notes: readonly string[];
  /** What the file wrote to standard output and error. */
  readonly output: string;
}

interface Finished {
  readonly name: string;
  readonly skip?: string | boolean;
  readonly details: {
    readonly duration_ms: number;
    readonly type?: string;
    readonly error?: Error;
  };
}

/** A test that takes longer hangs. Scripts that ask for more of one say how long it may take. */
const LONGEST_TEST_S = 480;
export const LONGEST_TEST_VARIABLE = 'MATRIX_TOKENS_LONGEST_TEST_S';

/** What Node itself says at the end of a file. */
const COUNT = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

/**
 * Runs one built test file in a process of its own and gives what came of it. A file that ends
 * badly outside of its tests, or that has none, counts as one failed test of the file's name.
 */
export async function runTestFile(file: string, signal: AbortSignal): Promise<FileOutcome> {
  const begun = performance.now();
  const tests: TestOutcome[] = [];
  const notes: string[] = [];
  let output = '';
  for await (const event of run({
    files: [file],
    concurrency: 1,
    timeout: Number(process.env[LONGEST_TEST_VARIABLE] ?? LONGEST_TEST_S) * 1000,
    signal,
  })) {
    if (event.type === 'test:stdout' || event.type === 'test:stderr') output += event.data.message;
    if (event.type === 'test:diagnostic' && !COUNT.test(event.data.message)) {
      notes.push(event.data.message);
    }
    if (event.type === 'test:pass') tests.push(...passed(event.data, file));
    if (event.type === 'test:fail') tests.push(...failed(event.data));
  }
  return { file, durationMs: performance.now() - begun, tests, notes, output };
}

function passed(data: Finished, file: string): TestOutcome[] {
  const { name, skip, details } = data;
  if (details.type === 'suite') return [];
  const base = { name, durationMs: details.duration_ms, reason: '', error: undefined };
  // The name of the file stands for the file itself.
  if (name === file)
    return [{ ...base, state: 'failed', error: 'there are no tests in this file' }];
  if (skip === undefined || skip === false) return [{ ...base, state: 'passed' }];
  return [{ ...base, state: 'skipped', reason: typeof skip === 'string' ? skip : '' }];
}

function failed({ name, details }: Finished): TestOutcome[] {
  const { error, duration_ms: durationMs } = details;
  const isOnlyParent =
    details.type === 'suite' ||
    (error !== undefined && 'failureType' in error && error.failureType === 'subtestsFailed');
  if (isOnlyParent) return [];
  return [{ name, durationMs, state: 'failed', reason: '', error: error?.cause ?? error }];
}
