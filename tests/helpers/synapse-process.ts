import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { synapsePython } from './python.ts';
import { writeSynapseConfig } from './synapse-config.ts';
import type { SynapseModule } from './synapse-config.ts';
import type { LoginRateLimits } from '../../scripts/homeserver/rate-limit.ts';

export interface SynapseProcess {
  readonly baseUrl: string;
  /** The file of its SQLite database. */
  readonly database: string;
  readonly stop: () => Promise<void>;
}

export interface SynapseProcessOptions {
  readonly serverName: string;
  readonly registrationSecret: string;
  readonly rcLogin: LoginRateLimits;
  readonly modules: readonly SynapseModule[];
  /** Further keys of homeserver.yaml. */
  readonly extra: object;
}

const RUNNER = resolve(import.meta.dirname, '../../../tests/helpers/run_synapse.py');
const STARTS = 3;
const READY_WITHIN_MS = 60_000;
const POLL_MS = 50;

/**
 * Starts a Synapse with an empty SQLite database on a free loopback port, in a temp folder of its
 * own, and waits until it answers. It ends with the calling process and does not keep it alive.
 */
export async function startSynapseProcess(options: SynapseProcessOptions): Promise<SynapseProcess> {
  const python = await synapsePython();
  let trouble = '';
  // Between finding a free port and Synapse's bind somebody else may take it.
  for (let start = 0; start < STARTS; start += 1) {
    const started = await tryStart(python, options);
    if (typeof started !== 'string') return started;
    trouble = started;
  }
  throw new Error(`Synapse does not start: ${trouble}`);
}

async function tryStart(
  python: string,
  options: SynapseProcessOptions,
): Promise<SynapseProcess | string> {
  const folder = await mkdtemp(join(tmpdir(), 'matrix-tokens-synapse-'));
  const port = await freePort();
  await writeSynapseConfig({ folder, port, ...options });
  const child = spawn(python, ['-I', RUNNER, folder], {
    cwd: folder,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const baseUrl = `http://127.0.0.1:${port}`;
  const stop = (): Promise<void> => stopChild(child, folder);
  if (await becomesReady(child, baseUrl)) {
    letProcessEnd(child);
    return { baseUrl, database: join(folder, 'homeserver.db'), stop };
  }
  const log = await readFile(join(folder, 'homeserver.log'), 'utf8').catch(() => 'no log written');
  await stop();
  return log.slice(-2000);
}

async function becomesReady(child: ChildProcess, baseUrl: string): Promise<boolean> {
  const patience = AbortSignal.timeout(READY_WITHIN_MS);
  while (!patience.aborted && child.exitCode === null && child.signalCode === null) {
    const answer = await fetch(`${baseUrl}/_matrix/client/versions`).catch(() => null);
    await answer?.arrayBuffer();
    // A foreign server that took the port would answer too: ours must still be alive.
    if (answer?.status === 200 && child.exitCode === null) return true;
    await sleep(POLL_MS);
  }
  return false;
}

async function stopChild(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.ref();
    child.stdin?.end();
    await ended;
  }
  await rm(folder, { recursive: true, force: true });
}

/** Lets the calling process end by itself; Synapse then sees its standard input close. */
function letProcessEnd(child: ChildProcess): void {
  child.unref();
  if (child.stdin !== null && 'unref' in child.stdin && typeof child.stdin.unref === 'function') {
    child.stdin.unref();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
