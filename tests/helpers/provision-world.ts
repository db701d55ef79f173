// The main job inside of the test's own process, on a clock that a wait moves on at once: for what
// would take minutes otherwise. Everything else is real.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { provision } from '../../src/provision.ts';
import type { ProvisionOptions } from '../../src/provision.ts';
import type { Progress, World } from '../../src/provision/world.ts';
import type { Report } from '../../src/report.ts';
import { readJournal } from '../../src/vault/journal.ts';
import { FILES, readStored } from './provision-services.ts';
import type { Services } from './provision-services.ts';

/** A clock that waits move on at once; a homeserver may go by it, too. */
export interface SkippingClock {
  skipped: number;
  /** Milliseconds since the epoch, and what was skipped. */
  readonly now: () => number;
}

/** Makes a clock that shows the time. */
export function skippingClock(): SkippingClock {
  const clock: SkippingClock = { skipped: 0, now: () => Date.now() + clock.skipped };
  return clock;
}

export interface InsideOptions {
  /** Default: one of its own. */
  readonly clock?: SkippingClock;
  readonly signal?: AbortSignal;
  /** Takes real time while the clock moves on by so many milliseconds. */
  readonly meanwhile?: (ms: number) => Promise<void>;
  readonly onProgress?: (event: Progress) => void;
  /** As with -e. */
  readonly extraVars?: readonly string[];
  /** What the run finds in its environment. */
  readonly env?: World['env'];
  readonly connectTo?: ProvisionOptions['connectTo'];
  readonly maxWait?: number;
}

export interface Inside {
  readonly report: Report;
  /** Every wait, in milliseconds. */
  readonly waits: readonly number[];
}

/** Runs `provision` on the services. */
export async function provisionInside(
  { project }: Pick<Services, 'project'>,
  options: InsideOptions = {},
): Promise<Inside> {
  const { signal = new AbortController().signal, meanwhile, onProgress } = options;
  const clock = options.clock ?? skippingClock();
  const { extraVars = [], connectTo, maxWait, env = {} } = options;
  const waits: number[] = [];
  const world: World = {
    cwd: project.folder,
    env,
    now: clock.now,
    sleep: async (ms) => {
      waits.push(ms);
      await meanwhile?.(ms);
      clock.skipped += ms;
    },
    random: () => 0,
    signal,
    run: () => Promise.reject(new Error('nothing is to be run')),
    prompt: null,
    log: () => {},
    warn: () => {},
    progress: (event) => onProgress?.(event),
  };
  const report = await provision(
    {
      inventory: ['inventory.yml'],
      limit: undefined,
      extraVars,
      playbookDir: undefined,
      services: [],
      check: false,
      lockTimeout: undefined,
      maxWait,
      ...(connectTo === undefined ? {} : { connectTo }),
      vaultPasswordFiles: ['vault_pass'],
      vaultIds: [],
      askVaultPass: false,
      encryptVaultId: undefined,
    },
    world,
  );
  return { report, waits };
}

/** Gives `outcome CODE` of a service. */
export function outcomeOf({ report }: Inside, service: string): string {
  const one = report.outcomes.find((outcome) => outcome.service === service);
  return [one?.outcome, one?.code].filter((word) => word !== null).join(' ');
}

/** Fails if a session is open that no file and no journal entry knows, or a stored token is dead. */
export async function assertNothingLost({ project, homeserver, names }: Services): Promise<void> {
  const { entries } = await readJournal(join(project.folder, FILES));
  const known = new Set(entries.map((entry) => entry.device_id));
  for (const name of names) {
    const file = join(project.folder, FILES, `${name}.yml`);
    if (!existsSync(file) || !readFileSync(file, 'utf8').includes('# matrix-tokens: ')) continue;
    const stored = await readStored(project, name);
    assert.ok(homeserver.state.sessions.has(stored.accessToken), 'the stored token works');
    known.add(stored.deviceId);
  }
  for (const { device } of homeserver.state.sessions.values()) {
    assert.ok(known.has(device.deviceId), `${device.deviceId} is a session that nobody knows`);
  }
}
