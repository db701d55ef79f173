// What `npm test` prints: pure text from outcomes, at most 80 columns but for failures and reasons.
import { basename } from 'node:path';
import { inspect } from 'node:util';
import type { FileOutcome, TestOutcome } from './test-file.ts';

const COLUMNS = 80;
const SLOWEST = 10;

type Counted = Pick<TestOutcome, 'state'>;

interface Named extends TestOutcome {
  readonly subject: string;
}

/** One line for a file: its subject, what came of its tests, how long it took. */
export function fileLine(outcome: FileOutcome): string {
  const { tests } = outcome;
  const [failed, skipped] = [count(tests, 'failed'), count(tests, 'skipped')];
  const counts = [
    `${count(tests, 'passed')} passed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ].join(', ');
  const mark = failed > 0 ? 'FAIL' : 'ok  ';
  return inColumns(
    `${mark} ${subjectOf(outcome.file)}`,
    `${counts} ${seconds(outcome.durationMs)}`,
  );
}

/** What the tests of a file have to say, a line each, below the file's own. */
export function notesText({ notes }: FileOutcome): string {
  return notes.map((note) => `       ${note}\n`).join('');
}

/** Every failed test of a file in full, with what the file printed; empty if none failed. */
export function failureText(outcome: FileOutcome): string {
  const failed = outcome.tests.filter((test) => test.state === 'failed');
  if (failed.length === 0) return '';
  const texts = failed.map((test) => {
    const error = typeof test.error === 'string' ? test.error : inspect(test.error, { depth: 10 });
    return `--- ${subjectOf(outcome.file)}: ${test.name}\n${error}\n`;
  });
  const output =
    outcome.output.trim() === '' ? '' : `--- its output\n${outcome.output.trimEnd()}\n`;
  return `${texts.join('')}${output}`;
}

/** The end of the report: skipped tests by reason, the slowest tests, failed tests, the counts. */
export function summaryText(outcomes: readonly FileOutcome[]): string {
  const tests = outcomes.flatMap((outcome) =>
    outcome.tests.map((test): Named => ({ ...test, subject: subjectOf(outcome.file) })),
  );
  const failed = tests.filter((test) => test.state === 'failed');
  const sections = [
    skippedText(tests.filter((test) => test.state === 'skipped')),
    slowestText(tests),
    section(
      'failed',
      failed.map((test) => `${test.subject}: ${test.name}`),
    ),
  ];
  return `${sections.join('')}\n${closingLine(tests)}\n`;
}

/** `N passed, N failed, N skipped` */
export function closingLine(tests: readonly Counted[]): string {
  const [passed, failed] = [count(tests, 'passed'), count(tests, 'failed')];
  return `${passed} passed, ${failed} failed, ${count(tests, 'skipped')} skipped`;
}

function skippedText(skipped: readonly Named[]): string {
  const byReason = new Map<string, number>();
  for (const { reason, subject } of skipped) {
    const key = reason === '' ? `${subject}: no reason given` : reason;
    byReason.set(key, (byReason.get(key) ?? 0) + 1);
  }
  return section(
    'skipped',
    [...byReason].map(([reason, tests]) => `${tests} ${tests === 1 ? 'test' : 'tests'}: ${reason}`),
  );
}

function slowestText(tests: readonly Named[]): string {
  const slowest = tests
    .filter((test) => test.state !== 'skipped')
    .toSorted((a, b) => b.durationMs - a.durationMs)
    .slice(0, SLOWEST);
  return section(
    `the ${slowest.length} slowest`,
    slowest.map((test) =>
      fitted(`${seconds(test.durationMs)} ${test.subject}: ${test.name}`, COLUMNS - 2),
    ),
  );
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\n${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function inColumns(left: string, right: string): string {
  const room = COLUMNS - right.length - 1;
  return `${fitted(left, room).padEnd(room)} ${right}`;
}

function fitted(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`.padStart(7);
}

function subjectOf(file: string): string {
  return basename(file).replace(/\.test\.js$/, '');
}

function count(tests: readonly Counted[], state: TestOutcome['state']): number {
  return tests.filter((test) => test.state === state).length;
}
