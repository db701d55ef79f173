// The task validate: like a dry run, but it says of itself that it only looks.
import { validate } from '../src/validate.ts';
import type { Options } from './options.ts';
import { printReport } from './print.ts';
import { makeWorld } from './world.ts';

/** Runs the task and gives the exit code. Throws InputError. */
export async function runValidate(options: Options): Promise<number> {
  const { world } = makeWorld(options);
  return printReport(await validate(options, world), options);
}
