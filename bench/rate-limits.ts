// (d) Many logins against the limits that servers have by default. Clocks are moved on instead of
// waited for, that of the homeserver along with ours; everything else is the real thing.
import assert from 'node:assert/strict';
import type { HomeserverOptions } from '../scripts/homeserver/homeserver.ts';
import { HOST, servicesFor } from '../tests/helpers/provision-services.ts';
import { provisionInside, skippingClock } from '../tests/helpers/provision-world.ts';
import type { Bench } from './measure.ts';

interface Server extends Pick<HomeserverOptions, 'software' | 'pauseBeforeLimitedMs'> {
  readonly name: string;
  readonly per_second: number;
  readonly burst_count: number;
}

const SERVERS: readonly Server[] = [
  { name: 'Synapse', per_second: 0.003, burst_count: 5, pauseBeforeLimitedMs: 500 },
  {
    name: 'Synapse as matrix-docker-ansible-deploy sets it up',
    per_second: 0.17,
    burst_count: 3,
    pauseBeforeLimitedMs: 500,
  },
  {
    name: 'Matrix Authentication Service',
    per_second: 3 / 60,
    burst_count: 3,
    software: 'mas',
  },
];
const COUNTS = [8, 12, 30] as const;

interface Trial {
  readonly seconds: number;
  /** What no client can do without: the last login has to wait for its turn. */
  readonly leastSeconds: number;
  readonly refused: number;
  readonly pauses: number;
}

/** Prints, for each server, the time over the least possible, and how many requests were refused. */
export async function rateLimits(bench: Bench): Promise<void> {
  bench.say(
    '| logins on | logins | time : least | refused | pauses |\n| --- | --- | --- | --- | --- |',
  );
  const totals: string[] = [];
  for (const server of SERVERS) {
    for (const count of COUNTS) {
      if (bench.signal.aborted) return;
      const trial = await measureTrial(server, count);
      const ratio = (trial.seconds / trial.leastSeconds).toFixed(3);
      bench.say(`| ${server.name} | ${count} | ${ratio} | ${trial.refused} | ${trial.pauses} |`);
      totals.push(`${Math.round(trial.seconds)} s`);
    }
  }
  bench.say(`\nby the clocks: ${totals.join(', ')}\n`);
}

async function measureTrial(server: Server, count: number): Promise<Trial> {
  const cleanups: (() => unknown)[] = [];
  const clock = skippingClock();
  const { name: _name, per_second, burst_count, ...options } = server;
  try {
    const services = await servicesFor(
      { after: (clean) => void cleanups.unshift(clean) },
      {
        ...options,
        names: Array.from({ length: count }, (_, index) => `bot_${index + 1}`),
        rcLogin: { address: { per_second, burst_count } },
        now: clock.now,
      },
    );
    const vars = `host_vars/${HOST}/vars.yml`;
    const text = await services.project.read(vars);
    await services.project.write(vars, `${text}matrix_tokens_max_wait: 86400\n`);
    const start = clock.now();
    const { report, waits } = await provisionInside(services, { clock });
    const seconds = (clock.now() - start) / 1000;
    assert.ok(report.outcomes.every(({ outcome }) => outcome === 'changed'));
    const refused = services.homeserver.requests.filter(({ status }) => status === 429).length;
    const leastSeconds = (count - burst_count) / per_second;
    return { seconds, leastSeconds, refused, pauses: waits.length };
  } finally {
    for (const clean of cleanups) await clean();
  }
}
