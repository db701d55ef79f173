// The task provision: argv in, report out.
import { provision } from '../src/provision.ts';
import type { Options } from './options.ts';
import { printReport } from './print.ts';
import { makeWorld } from './world.ts';

/** Runs the task and gives the exit code. Throws InputError. */
export async function runProvision(options: Options): Promise<number> {
  const { world, interruptedBy, close } = makeWorld(options);
  try {
    const report = await provision(options, world);
    close();
    return await printReport({ ...report, interrupted: interruptedBy() }, options);
  } finally {
    close();
  }
}
