// How everything here is measured: the ways to do one job run in turn, A B A B …, so that whatever
// else the machine does meets all of them; times are compared within a round.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { childrenCpuMs } from './children-cpu.ts';

const run = promisify(execFile);
const GNU_TIME = '/usr/bin/time';
const MOST_OUTPUT = 1_000_000;

/** A command that is ready to run. */
export interface Command {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Gives true if this standard output is that of a job well done. */
  readonly isDone: (stdout: string) => boolean;
}

/** One way to do a job. */
export interface Way {
  readonly name: string;
  /** Sets the job up; not measured. */
  readonly prepare: () => Promise<Command>;
}

/** What was measured of one way. */
export interface Measured {
  readonly name: string;
  /** Wall time in ms, one a round. */
  readonly ms: readonly number[];
  /** CPU time of all its processes in ms, one a round; empty where there is no /proc. */
  readonly cpuMs: readonly number[];
  /** Peak memory of its largest process in KiB, one a run; empty where GNU time is missing. */
  readonly peakKib: readonly number[];
}

/** What each benchmark is given. */
export interface Bench {
  /** Pairs of quick commands; slow ones are run less often. */
  readonly rounds: number;
  /** A folder that is removed afterwards. */
  readonly scratch: string;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

export interface MeasureOptions extends Pick<Bench, 'rounds' | 'scratch' | 'signal'> {
  /** Runs for memory, which differs little from one to the next. */
  readonly memoryRuns: number;
}

/**
 * Runs each way once as a warm-up, then all of them in turn, then under GNU time for memory. Throws
 * where a command fails or its output is not that of the job.
 */
export async function measure(
  ways: readonly Way[],
  options: MeasureOptions,
): Promise<readonly Measured[]> {
  const all = ways.map((way) => ({
    way,
    ms: [] as number[],
    cpuMs: [] as number[],
    peakKib: [] as number[],
  }));
  for (const { way } of all) await timed(way, options);
  for (let round = 0; round < options.rounds; round += 1) {
    for (const { way, ms, cpuMs } of all) {
      const time = await timed(way, options);
      ms.push(time.ms);
      if (time.cpuMs !== null) cpuMs.push(time.cpuMs);
    }
  }
  for (let count = 0; existsSync(GNU_TIME) && count < options.memoryRuns; count += 1) {
    for (const { way, peakKib } of all) peakKib.push(await peakOf(way, options));
  }
  return all.map(({ way, ...measured }) => ({ name: way.name, ...measured }));
}

async function timed(
  way: Way,
  options: MeasureOptions,
): Promise<{ readonly ms: number; readonly cpuMs: number | null }> {
  const command = await way.prepare();
  const cpuBefore = childrenCpuMs();
  const start = performance.now();
  const { stdout } = await execute(command.argv, command.cwd, options);
  const ms = performance.now() - start;
  const cpuAfter = childrenCpuMs();
  expectDone(way, command, stdout);
  return { ms, cpuMs: cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore };
}

async function peakOf(way: Way, options: MeasureOptions): Promise<number> {
  const command = await way.prepare();
  const note = join(options.scratch, 'peak');
  const argv = [GNU_TIME, '-f', '%M', '-o', note, ...command.argv];
  const { stdout } = await execute(argv, command.cwd, options);
  expectDone(way, command, stdout);
  return Number(await readFile(note, 'utf8'));
}

function expectDone(way: Way, command: Command, stdout: string): void {
  // The output is not shown: it may hold tokens.
  if (!command.isDone(stdout)) throw new Error(`${way.name} did not do its job`);
}

/** Runs a command in an environment of its own. */
export function execute(
  [file = '', ...args]: readonly string[],
  cwd: string,
  { scratch, signal }: Pick<Bench, 'scratch' | 'signal'>,
): Promise<{ stdout: string }> {
  // No NODE_EXTRA_CA_CERTS, which costs more than the start of Node, no settings of the operator.
  const env = { PATH: process.env['PATH'], HOME: scratch, LC_ALL: 'C.UTF-8' };
  return run(file, args, { cwd, env, signal, maxBuffer: MOST_OUTPUT });
}
