// The task unlock: for a lock whose holder cannot be proved dead, as one of another machine.
import { resolve } from 'node:path';
import { InputError } from '../src/errors.ts';
import { EXIT } from '../src/report.ts';
import { removeLock } from '../src/vault/lock.ts';
import { StoreError } from '../src/vault/store-error.ts';

/** Removes the locks of files, but for those of runs that are at work, and gives the exit code. */
export async function runUnlock(files: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.converged;
  for (const file of files) {
    try {
      const removed = await removeLock(resolve(file), { keepAlive: true });
      if (removed === null) {
        process.stderr.write(`matrix-tokens: error: ${file}: there is no lock\n`);
        exitCode = Math.max(exitCode, EXIT.failed);
        continue;
      }
      const whose =
        typeof removed === 'object'
          ? `the lock of process ${removed.pid} on ${removed.host}`
          : 'a damaged lock, which names no holder';
      process.stdout.write(`${file}: removed ${whose}\n`);
    } catch (error) {
      if (error instanceof InputError) {
        process.stderr.write(`matrix-tokens: error: ${refusal(error)}\n`);
        exitCode = EXIT.badInput;
        continue;
      }
      if (!(error instanceof StoreError)) throw error;
      process.stderr.write(`matrix-tokens: error: ${error.message}\n`);
      exitCode = Math.max(exitCode, EXIT.failed);
    }
  }
  return exitCode;
}

function refusal({ faults }: InputError): string {
  return faults.map(({ found, fix }) => `${found}: ${fix ?? ''}`).join('\n');
}
