// `npm run bench`: prints ratios between our runs and the ways that people use today. It only tells:
// no figure makes it fail. `npm run bench -- logins --rounds 30` picks and sets.
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { logins } from './logins.ts';
import { manyHosts } from './many-hosts.ts';
import { nothingToDo } from './nothing-to-do.ts';
import { copyBundle } from './project.ts';
import { rateLimits } from './rate-limits.ts';
import { scale } from './scale.ts';
import type { ScaleBench } from './scale.ts';
import { runMain } from '../scripts/run-main.ts';

type Benchmark = (bench: ScaleBench) => Promise<void>;

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  'nothing-to-do': nothingToDo,
  logins,
  'many-hosts': manyHosts,
  'rate-limits': rateLimits,
  scale,
};
/** Takes longer than all others together. */
const ONLY_BY_NAME = ['scale'];
const ROUNDS = 20;
const HOSTS = 200;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function loadText(): string {
  return `load ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} cores`;
}

function chosen(names: readonly string[]): Benchmark[] {
  const usual = Object.keys(BENCHMARKS).filter((name) => !ONLY_BY_NAME.includes(name));
  const wanted = names.length > 0 ? names : usual;
  return wanted.map((name) => {
    const benchmark = BENCHMARKS[name];
    if (benchmark !== undefined) return benchmark;
    throw new Error(`no such benchmark: ${name} (${Object.keys(BENCHMARKS).join(', ')})`);
  });
}

function parseCount(name: string, text: string | undefined, usual: number): number {
  const count = Number(text ?? usual);
  if (Number.isInteger(count) && count > 0) return count;
  throw new Error(`--${name} wants a whole number above 0`);
}

async function main(argv: string[], signal: AbortSignal): Promise<void> {
  const options = {
    rounds: { type: 'string' },
    hosts: { type: 'string' },
    page: { type: 'string' },
  } as const;
  const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true });
  const benchmarks = chosen(positionals);
  const rounds = parseCount('rounds', values.rounds, ROUNDS);
  const hosts = parseCount('hosts', values.hosts, HOSTS);
  const scratch = await mkdtemp(join(tmpdir(), 'matrix-tokens-bench-'));
  say(`Node ${process.versions.node}, ${loadText()}; how many times as long and as large, A : B\n`);
  try {
    await copyBundle(scratch);
    for (const benchmark of benchmarks)
      await benchmark({ rounds, hosts, page: values.page, scratch, signal, say });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  say(loadText());
}

await runMain('bench', main);
