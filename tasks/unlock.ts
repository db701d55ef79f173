// The task unlock: for a lock whose holder cannot be proved dead, as one of another machine.
import { resolve } from 'node:path';
import { EXIT } from '../src/report.ts';
import { removeLock } from '../src/vault/lock.ts';
import { StoreError } from '../src/vault/store-error.ts';

/** Removes the locks of files and gives the exit code. */
export async function runUnlock(files: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.converged;
  for (const file of files) {
    try {
      const holder = await removeLock(resolve(file));
      const whose =
        holder === null
          ? 'no lock that names its holder'
          : `removed the lock of process ${holder.pid} on ${holder.host}`;
      process.stdout.write(`${file}: ${whose}\n`);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      process.stderr.write(`matrix-tokens: error: ${error.message}\n`);
      exitCode = EXIT.failed;
    }
  }
  return exitCode;
}
