import { EXIT, exitCodeOf, type Report } from '../src/report.ts';
import { renderReport } from './formats.ts';
import type { Options } from './options.ts';

/** Prints a report in the format that was asked for and gives its exit code. */
export async function printReport(report: Report, options: Options): Promise<number> {
  const exitCode = exitCodeOf(report, { detailed: options.detailedExitcode });
  const text = await renderReport(report, exitCode, options);
  const error = await new Promise<NodeJS.ErrnoException | null | undefined>((resolve) => {
    process.stdout.write(text, resolve);
  });
  // A pipe whose reader is gone is no error of ours: what was done is stored.
  if (error === null || error === undefined || error.code === 'EPIPE') return exitCode;
  process.stderr.write(`matrix-tokens: error: the report cannot be written (${error.code})\n`);
  return exitCode === EXIT.converged ? EXIT.failed : exitCode;
}
