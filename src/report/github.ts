// The report for GitHub Actions, whose runners Forgejo's are like: annotations where services are
// defined, and a summary of the step in Markdown.
// @see https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
import { formatPosition, type Fault, type Position } from '../errors.ts';
import { redact } from '../secret.ts';
import { hideInFaults, hideInReport } from './hidden.ts';
import { REKEY_WAITS, type Outcome, type OutcomeWord, type Report } from './types.ts';

type Level = 'error' | 'warning' | 'notice';

interface Annotation {
  readonly level: Level;
  readonly at: Position | null;
  readonly title: string;
  readonly message: string;
}

/** What deserves an annotation, by the outcome of a run that did something. */
const LEVELS: Readonly<Partial<Record<OutcomeWord, Level>>> = {
  changed: 'notice',
  deferred: 'warning',
  failed: 'error',
  unknown: 'notice',
  unreachable: 'error',
};

/** Gives a workflow command a line, with a final newline; empty where there is nothing to say. */
export function formatGithub(given: Report): string {
  const report = hideInReport(given);
  return toCommands([
    ...report.outcomes.flatMap((one) => annotateOutcome(one, report)),
    ...report.leftovers.map((one) => ({
      level: report.check ? ('warning' as const) : ('error' as const),
      at: null,
      title: `${one.host}: ${one.service}`,
      message: `session of ${one.user_id}, device ${one.device_id}: ${one.message}`,
    })),
    ...(report.damaged ?? []).map((path) => ({
      level: 'error' as const,
      at: null,
      title: 'damaged journal entry',
      message: path,
    })),
    ...(report.rekeyWaits === true
      ? [{ level: 'warning' as const, at: null, title: 'interrupted rekey', message: REKEY_WAITS }]
      : []),
  ]);
}

/** Gives bad input as workflow commands, with a final newline. */
export function formatFaultsGithub(faults: readonly Fault[]): string {
  return toCommands(
    hideInFaults(faults).map(({ at = null, code, found, wanted, fix }) => ({
      level: 'error' as const,
      at,
      title: code,
      message: [
        found,
        ...(wanted === undefined ? [] : [`wanted: ${wanted}`]),
        ...(fix === undefined ? [] : [`fix: ${fix}`]),
      ].join('\n'),
    })),
  );
}

/** Gives the summary of a step in Markdown, with a final newline. */
export function formatGithubSummary(given: Report, exitCode: number): string {
  const report = hideInReport(given);
  const title = report.check ? 'Matrix tokens (only looked)' : 'Matrix tokens';
  const rows = report.outcomes.map((one) => [
    one.outcome,
    one.host,
    one.service,
    one.user_id ?? '',
    one.code === null ? one.message : `${one.message} [${one.code}]`,
  ]);
  const table = [
    ['outcome', 'host', 'service', 'user', ''],
    Array.from({ length: 5 }, () => '---'),
  ];
  const lines = [
    `### ${title}: exit code ${exitCode}`,
    '',
    ...[...table, ...rows].map((cells) => `| ${cells.map(toCell).join(' | ')} |`),
    '',
  ];
  return `${lines.join('\n')}\n`;
}

/** Gives the summary of a step that ended with bad input, with a final newline. */
export function formatFaultsGithubSummary(faults: readonly Fault[]): string {
  const lines = hideInFaults(faults).map(({ at, code, found }) => {
    const place = at === undefined ? '' : `\`${formatPosition(at)}\` `;
    return `- ${place}${toCell(found)} [${code}]`;
  });
  return `### Matrix tokens: bad input, nothing was tried\n\n${lines.join('\n')}\n\n`;
}

function annotateOutcome(one: Outcome, { check }: Report): Annotation[] {
  const level = check && one.outcome === 'changed' ? 'warning' : LEVELS[one.outcome];
  if (level === undefined) return [];
  const code = one.code === null ? '' : ` [${one.code}]`;
  const hint = one.hint === null ? '' : `\n${one.hint}`;
  const message = `${one.user_id ?? one.service}: ${one.message}${code}${hint}`;
  return [
    { level, at: one.defined_at, title: `${one.outcome}: ${one.host} ${one.service}`, message },
  ];
}

function toCommands(annotations: readonly Annotation[]): string {
  const lines = annotations.map(({ level, at, title, message }) => {
    const place =
      at === null
        ? []
        : [
            ['file', at.file] as const,
            ...(at.line === 0 ? [] : [['line', at.line] as const, ['col', at.column] as const]),
          ];
    const properties = [...place, ['title', title] as const];
    const text = properties.map(([name, value]) => `${name}=${escapeProperty(String(value))}`);
    return `::${level} ${text.join(',')}::${escapeData(message)}\n`;
  });
  return lines.join('');
}

function escapeData(text: string): string {
  return redact(text)
    .replaceAll('##[', '# #[')
    .replaceAll('%', '%25')
    .replaceAll('\r', '%0D')
    .replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function toCell(text: string): string {
  return redact(text)
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\|`<>*_[\]]/g, String.raw`\$&`);
}
