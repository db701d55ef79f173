// `npm run bench`: prints ratios between our runs and the ways that people use today. It only tells:
// no figure makes it fail. `npm run bench -- logins --rounds 30` picks and sets.
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { logins } from './logins.ts';
import { manyHosts } from './many-hosts.ts';
import type { Bench } from './measure.ts';
import { nothingToDo } from './nothing-to-do.ts';
import { copyBundle } from './project.ts';
import { rateLimits } from './rate-limits.ts';

const BENCHMARKS: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  'nothing-to-do': nothingToDo,
  logins,
  'many-hosts': manyHosts,
  'rate-limits': rateLimits,
};
const ROUNDS = 20;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function loadText(): string {
  return `load ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} cores`;
}

function chosen(names: readonly string[]): ((bench: Bench) => Promise<void>)[] {
  const wanted = names.length > 0 ? names : Object.keys(BENCHMARKS);
  return wanted.map((name) => {
    const benchmark = BENCHMARKS[name];
    if (benchmark !== undefined) return benchmark;
    throw new Error(`no such benchmark: ${name} (${Object.keys(BENCHMARKS).join(', ')})`);
  });
}

function parseRounds(text: string | undefined): number {
  const rounds = Number(text ?? ROUNDS);
  if (Number.isInteger(rounds) && rounds > 0) return rounds;
  throw new Error('--rounds wants a whole number above 0');
}

async function main(argv: string[], signal: AbortSignal): Promise<void> {
  const options = { rounds: { type: 'string' } } as const;
  const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true });
  const benchmarks = chosen(positionals);
  const rounds = parseRounds(values.rounds);
  const scratch = await mkdtemp(join(tmpdir(), 'matrix-tokens-bench-'));
  say(`Node ${process.versions.node}, ${loadText()}; how many times as long and as large, A : B\n`);
  try {
    await copyBundle(scratch);
    for (const benchmark of benchmarks) await benchmark({ rounds, scratch, signal, say });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  say(loadText());
}

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    interrupted.abort();
  });
}
try {
  await main(process.argv.slice(2), interrupted.signal);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
