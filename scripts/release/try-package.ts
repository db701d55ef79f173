// The npm package as its users have it: installed into an empty place, and run by its name.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { doJob, withJob } from '../main-job.ts';
import { runCommand } from './command.ts';
import type { Surroundings } from './command.ts';

const PROVISION = 'matrix-tokens provision -i inventory.yml --vault-password-file vault_pass';

/** Installs the package for all users of a machine, below a folder. Gives the folder with its command. */
export async function installPackage(
  file: string,
  folder: string,
  surroundings: Surroundings,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const install = ['npm', 'install', '--global', '--prefix', folder, '--offline', '--no-audit'];
  await runCommand([...install, file], { cwd: folder }, surroundings);
  return join(folder, 'bin');
}

/** Does the main job with the command. */
export async function tryPackage(bin: string, surroundings: Surroundings): Promise<void> {
  await withJob(async (job) => {
    const provision = async (...more: string[]): Promise<void> => {
      const place = { cwd: job.folder, bin: [bin] };
      await runCommand([...PROVISION.split(' '), ...more], place, surroundings);
    };
    await doJob(job, { look: () => provision('--check', '--diff'), run: () => provision() });
  });
}
