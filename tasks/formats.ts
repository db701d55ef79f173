// The formats of the report: what is printed, and what goes into a file beside.
import { appendFileSync } from 'node:fs';
import type { Fault } from '../src/errors.ts';
import {
  EXIT,
  formatFaultsJson,
  formatJson,
  formatText,
  PLAIN,
  type Report,
} from '../src/report.ts';
import { fitFor } from './lines.ts';
import type { Options } from './options.ts';
import { styleFor } from './style.ts';
import { VERSION } from './version.ts';

/** Gives the report as it is printed. With `github`, writes the summary of the step, too. */
export async function renderReport(
  report: Report,
  exitCode: number,
  { format, diff }: Pick<Options, 'format' | 'diff'>,
): Promise<string> {
  switch (format) {
    case 'text':
      return fitFor(
        { format },
        formatText(report, styleFor(process.stdout, process.env), { diff }),
      );
    case 'json':
      return formatJson(report, exitCode);
    case 'github': {
      const { formatGithub, formatGithubSummary } = await import('../src/report/github.ts');
      writeSummary(formatGithubSummary(report, exitCode));
      return fitFor({ format }, formatText(report, PLAIN, { diff })) + formatGithub(report);
    }
    case 'junit': {
      const { formatJunit } = await import('../src/report/junit.ts');
      return formatJunit(report, exitCode);
    }
    case 'sarif': {
      const { formatSarif } = await import('../src/report/sarif.ts');
      return formatSarif(report, { version: VERSION, exitCode });
    }
  }
}

/** Gives what is printed on stdout for bad input, which stderr tells people. */
export async function renderFaults(
  faults: readonly Fault[],
  { task, check, format }: Pick<Options, 'task' | 'check' | 'format'>,
): Promise<string> {
  switch (format) {
    case 'text':
      return '';
    case 'json':
      return formatFaultsJson(faults, { task, check, exitCode: EXIT.badInput });
    case 'github': {
      const { formatFaultsGithub, formatFaultsGithubSummary } =
        await import('../src/report/github.ts');
      writeSummary(formatFaultsGithubSummary(faults));
      return formatFaultsGithub(faults);
    }
    case 'junit': {
      const { formatFaultsJunit } = await import('../src/report/junit.ts');
      return formatFaultsJunit(faults);
    }
    case 'sarif': {
      const { formatFaultsSarif } = await import('../src/report/sarif.ts');
      return formatFaultsSarif(faults, { version: VERSION, exitCode: EXIT.badInput });
    }
  }
}

/** A summary that cannot be written is no reason to fail: what it says is printed as well. */
function writeSummary(text: string): void {
  const file = process.env['GITHUB_STEP_SUMMARY'] ?? '';
  if (file === '') return;
  try {
    appendFileSync(file, text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    process.stderr.write(`warning: the summary of the step cannot be written (${code})\n`);
  }
}
