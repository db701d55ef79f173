// A rekey on a small disk of its own that is full. Runs as a process in TMPDIR; prints a
// `SmallDiskResult` as JSON.
import { statfsSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reportOf } from './provision-project.ts';
import type { Report } from './provision-project.ts';
import { makeRekeyProject, passwordsOf } from './rekey-project.ts';

export interface SmallDiskResult {
  readonly exitCode: number | null;
  readonly report: Report;
  /** Which password each file has then, and after the next run, with room again. */
  readonly full: readonly string[];
  readonly next: readonly string[];
}

/** As much as is left: enough for a lock and a part of the files. */
const LEFT = 12 * 4096;
const FILLER = join(tmpdir(), 'filler');
const ARGS = ['--new-vault-id', 'prod@new_pass'];
const cleanups: (() => unknown)[] = [];

process.stdout.write(JSON.stringify(await play()));
for (const clean of cleanups.toReversed()) await clean();

async function play(): Promise<SmallDiskResult> {
  const rekey = await makeRekeyProject({ after: (clean) => cleanups.push(clean) });
  const { bavail, bsize } = statfsSync(tmpdir());
  writeFileSync(FILLER, Buffer.alloc(bavail * bsize - LEFT));
  const run = await rekey.project.run([...ARGS, '--json'], { task: 'rekey' });
  const full = await passwordsOf(rekey);
  await rm(FILLER);
  await rekey.project.run(ARGS, { task: 'rekey' });
  const next = await passwordsOf(rekey);
  return { exitCode: run.exitCode, report: reportOf(run), full, next };
}
