// The words of a case about processes and what they print.
import assert from 'node:assert/strict';
import { copyFileSync, lchownSync, readFileSync, readdirSync, rmSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Ajv } from 'ajv';
import { reportSchema } from '../../src/report.ts';
import type { Case } from './cli-case.ts';
import { start } from './cli-process.ts';
import type { Finished } from './cli-process.ts';
import { ansiblePython } from './python.ts';

const TERMINAL = resolve(import.meta.dirname, '../../../tests/helpers/run_in_terminal.py');

const isReport = new Ajv().compile(reportSchema);

/** `exec PROGRAM …` runs one to its end; it must succeed. */
export async function exec(one: Case, args: readonly string[]): Promise<void> {
  take(one, await start(one, args).finished);
}

/** `exec-deaf PROGRAM …`: the same, with nobody at the other end of its stdout. */
export async function execDeaf(one: Case, args: readonly string[]): Promise<void> {
  take(one, await start(one, args, { deaf: true }).finished);
}

/** `terminal PROGRAM …`: the same on a terminal, where the lines of `type` are typed at prompts. */
export async function execInTerminal(one: Case, args: readonly string[]): Promise<void> {
  const command = [await ansiblePython(), '-I', TERMINAL, JSON.stringify(one.typed), ...args];
  one.typed.length = 0;
  take(one, await start(one, command).finished);
}

/** `start PROGRAM …` leaves it running; `finish` waits for its end. */
export function startOne(one: Case, args: readonly string[]): void {
  one.running = start(one, args);
}

/** `finish` takes what `start` left running to its end; it must succeed. */
export async function finishOne(one: Case): Promise<void> {
  if (one.running === null) throw new Error('nothing is running');
  const finished = await one.running.finished;
  one.running = null;
  take(one, finished);
}

/** Signals that come at once may be taken in any order; people press keys one after the other. */
const BETWEEN_SIGNALS_MS = 400;

/** `signal NAME` */
export async function signalOne(one: Case, [name = '']: readonly string[]): Promise<void> {
  if (one.running === null) throw new Error('nothing is running');
  one.running.kill(name as NodeJS.Signals);
  await setTimeout(BETWEEN_SIGNALS_MS);
}

/** `exit N`: the exit code of the last program. */
export function checkExit(one: Case, [code]: readonly string[]): void {
  assert.equal(lastOf(one).exitCode, Number(code));
}

/**
 * `stdout PATTERN`: a regular expression that matches somewhere, or would if no sentence were broken
 * into lines; ^ and $ are those of lines.
 */
export function checkStdout(one: Case, [pattern = '']: readonly string[]): void {
  checkMatch(lastOf(one).stdout, pattern);
}

/** `width N`: no line of what was printed is longer. */
export function checkWidth(one: Case, [columns]: readonly string[]): void {
  const { stdout, stderr } = lastOf(one);
  const lines = [...stdout.split('\n'), ...stderr.split('\n')];
  assert.deepEqual(
    lines.filter((line) => line.length > Number(columns)),
    [],
  );
}

/** `stderr PATTERN` */
export function checkStderr(one: Case, [pattern = '']: readonly string[]): void {
  checkMatch(lastOf(one).stderr, pattern);
}

/** `cmp stdout|stderr|FILE FILE`: the same text. */
export function compare(one: Case, [first = '', second = '']: readonly string[]): void {
  const found =
    first === 'stdout' || first === 'stderr'
      ? lastOf(one)[first]
      : readFileSync(join(one.work, first), 'utf8');
  assert.equal(found, readFileSync(join(one.work, second), 'utf8'));
}

/**
 * `json`: stdout is a report as the schema has it, in ASCII. `json PATH PATTERN`: and the value at
 * `services.0.outcome` matches.
 */
export function checkJson(one: Case, [path, pattern = '']: readonly string[]): void {
  const { stdout } = lastOf(one);
  const report: unknown = JSON.parse(stdout);
  assert(isReport(report), JSON.stringify(isReport.errors));
  assert.match(stdout, /^[\n -~]*$/);
  if (path === undefined) return;
  let value: unknown = report;
  for (const key of path.split('.')) value = (value as Record<string, unknown>)[key];
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  assert.match(text ?? 'undefined', new RegExp(`^(?:${pattern})$`));
}

/** `unprivileged`: from now on programs run as somebody who is not root, and own the work folder. */
export function dropPrivileges(one: Case): void {
  if (process.geteuid?.() !== 0) return;
  one.user = { uid: 65_534, gid: 65_534 };
  // The checkout may lie where only root can read.
  const program = join(one.folder, 'bin/matrix-tokens');
  const bundle = realpathSync(program);
  rmSync(program);
  copyFileSync(bundle, program);
  copyFileSync(process.execPath, join(one.folder, 'bin/node'));
  const below = readdirSync(one.folder, { recursive: true, encoding: 'utf8' });
  for (const path of ['', ...below]) lchownSync(join(one.folder, path), 65_534, 65_534);
}

function take(one: Case, finished: Finished): void {
  one.last = finished;
  const { exitCode, stdout, stderr } = finished;
  one.printed.push(stdout, stderr);
  one.transcript.push(stdout, stderr, `[exit ${exitCode}]`);
  assert.equal(exitCode, 0, `exit code ${exitCode}`);
}

function lastOf(one: Case): Finished {
  if (one.last === null) throw new Error('nothing has run yet');
  return one.last;
}

function checkMatch(text: string, pattern: string): void {
  const lines = text.replaceAll('\r', '');
  const unbroken = lines.replaceAll(/\n +(?! )/g, ' ');
  const wanted = new RegExp(pattern, 'm');
  if (!wanted.test(lines)) assert.match(unbroken, wanted);
}
