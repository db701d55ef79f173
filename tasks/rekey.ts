// The task rekey: argv in, report out.
import { rekey } from '../src/rekey.ts';
import type { Options } from './options.ts';
import { printReport } from './print.ts';
import { makeWorld } from './world.ts';

/** Runs the task and gives the exit code. Throws InputError. */
export async function runRekey(options: Options): Promise<number> {
  const { world, interruptedBy, close } = makeWorld(options);
  try {
    const report = await rekey(options, world);
    close();
    return await printReport({ ...report, interrupted: interruptedBy() }, options);
  } finally {
    close();
  }
}
