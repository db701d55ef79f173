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
      const removed = await removeLock(resolve(file));
      if (removed === null) {
        process.stderr.write(`matrix-tokens: error: ${file}: there is no lock\n`);
        exitCode = EXIT.failed;
        continue;
      }
      const whose =
        typeof removed === 'object'
          ? `the lock of process ${removed.pid} on ${removed.host}`
          : 'a damaged lock, which names no holder';
      process.stdout.write(`${file}: removed ${whose}\n`);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      process.stderr.write(`matrix-tokens: error: ${error.message}\n`);
      exitCode = EXIT.failed;
    }
  }
  return exitCode;
}
