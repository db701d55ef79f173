// A project on a small disk of its own that is full when a login arrives, or before. Runs as a process:
// node provision-small-disk.js login|start, in TMPDIR. Prints a `SmallDiskResult` as JSON.
import { statfsSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reportOf } from './provision-project.ts';
import type { Report } from './provision-project.ts';
import { assertConverged, servicesFor } from './provision-services.ts';

export interface SmallDiskResult {
  readonly exitCode: number | null;
  readonly report: Report;
  /** The requests of that run. */
  readonly requests: number;
  /** The exit code of the next run, with room again; everything is in its place then. */
  readonly next: number | null;
}

const FILLER = join(tmpdir(), 'filler');
const when = process.argv[2] ?? '';
const cleanups: (() => unknown)[] = [];

process.stdout.write(JSON.stringify(await play()));
for (const clean of cleanups.toReversed()) await clean();

async function play(): Promise<SmallDiskResult> {
  const services = await servicesFor(
    { after: (clean) => cleanups.push(clean) },
    {
      names: ['news'],
      onRequest: ({ method }) => {
        if (when === 'login' && method === 'POST') fillDisk();
      },
    },
  );
  const { project, homeserver } = services;
  if (when === 'start') fillDisk();
  const run = await project.run(['--json']);
  const requests = homeserver.requests.length;
  await rm(FILLER);
  const { exitCode } = await project.run();
  await assertConverged(services);
  return { exitCode: run.exitCode, report: reportOf(run), requests, next: exitCode };
}

function fillDisk(): void {
  const { bavail, bsize } = statfsSync(tmpdir());
  writeFileSync(FILLER, Buffer.alloc(bavail * bsize), { flag: 'a' });
}
