import { EXIT, exitCodeOf, formatJson, formatText, type Report } from '../src/report.ts';
import type { Options } from './options.ts';
import { styleFor } from './style.ts';

/** Prints a report in the format that was asked for and gives its exit code. */
export async function printReport(report: Report, options: Options): Promise<number> {
  const exitCode = exitCodeOf(report, { detailed: options.detailedExitcode });
  const style = styleFor(process.stdout, process.env);
  const text =
    options.format === 'json'
      ? formatJson(report, exitCode)
      : formatText(report, style, { diff: options.diff });
  const error = await new Promise<NodeJS.ErrnoException | null | undefined>((resolve) => {
    process.stdout.write(text, resolve);
  });
  // A pipe whose reader is gone is no error of ours: what was done is stored.
  if (error === null || error === undefined || error.code === 'EPIPE') return exitCode;
  process.stderr.write(`matrix-tokens: error: the report cannot be written (${error.code})\n`);
  return exitCode === EXIT.converged ? EXIT.failed : exitCode;
}
