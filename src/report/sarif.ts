// The report as SARIF 2.1.0, which code scanning shows at the lines that it is about.
// @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
import { FAULT_CODES, type Fault, type Position } from '../errors.ts';
import { asciiJson } from './ascii.ts';
import { hideInFaults, hideInReport } from './hidden.ts';
import { REKEY_WAITS, type Outcome, type OutcomeWord, type Report } from './types.ts';

type Level = 'error' | 'warning' | 'note';

interface Result {
  readonly rule: string;
  readonly level: Level;
  readonly message: string;
  readonly at: Position | null;
}

/** Rules of services without a code of their own. */
const OWN_RULES: Readonly<Record<string, string>> = {
  TOKEN_MISSING: 'a service has no access token yet',
  TOKEN_STORED: 'a service got an access token',
  SESSION_LEFT: 'a session of an earlier login waits to be removed',
  VALUE_NOT_REKEYED: 'a value is not under the new vault password yet',
  VALUE_REKEYED: 'a value was encrypted again under the new vault password',
};

const LEVELS: Readonly<Partial<Record<OutcomeWord, Level>>> = {
  changed: 'note',
  deferred: 'warning',
  failed: 'error',
  unknown: 'note',
  unreachable: 'error',
};

export interface SarifRun {
  readonly version: string;
  readonly exitCode: number;
}

/** Gives a report as SARIF in JSON, with a final newline. */
export function formatSarif(given: Report, run: SarifRun): string {
  const report = hideInReport(given);
  return toSarif(
    [
      ...report.outcomes.flatMap((one) => resultOf(one, report)),
      ...report.leftovers.map((one) => ({
        rule: 'SESSION_LEFT',
        level: report.check ? ('warning' as const) : ('error' as const),
        message: `${one.host}: ${one.service}: ${one.user_id}, device ${one.device_id}: ${one.message}`,
        at: null,
      })),
      ...(report.damaged ?? []).map((path) => ({
        rule: 'SESSION_LEFT',
        level: 'error' as const,
        message: `a damaged journal entry: ${path}`,
        at: null,
      })),
      ...(report.rekeyWaits === true
        ? [
            {
              rule: 'REKEY_UNFINISHED',
              level: 'warning' as const,
              message: REKEY_WAITS,
              at: null,
            },
          ]
        : []),
    ],
    run,
  );
}

/** Gives bad input as SARIF in JSON, with a final newline. */
export function formatFaultsSarif(faults: readonly Fault[], run: SarifRun): string {
  return toSarif(
    hideInFaults(faults).map(({ code, at = null, found, wanted, fix }) => ({
      rule: code,
      level: 'error' as const,
      message: [found, wanted && `wanted: ${wanted}`, fix && `fix: ${fix}`]
        .filter(Boolean)
        .join('\n'),
      at,
    })),
    run,
  );
}

function resultOf(one: Outcome, { task, check }: Report): Result[] {
  const isPending = check && one.outcome === 'changed';
  const level = isPending ? 'warning' : LEVELS[one.outcome];
  if (level === undefined) return [];
  const [pending, done] =
    task === 'rekey'
      ? (['VALUE_NOT_REKEYED', 'VALUE_REKEYED'] as const)
      : (['TOKEN_MISSING', 'TOKEN_STORED'] as const);
  const hint = one.hint === null ? '' : `\n${one.hint}`;
  const message = `${one.host}: ${one.service}: ${one.message}${hint}`;
  return [{ rule: one.code ?? (isPending ? pending : done), level, message, at: one.defined_at }];
}

function toSarif(results: readonly Result[], { version, exitCode }: SarifRun): string {
  const rules = [...new Set(results.map(({ rule }) => rule))];
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'matrix-tokens', version, rules: rules.map(describeRule) } },
        columnKind: 'utf16CodeUnits',
        // A run that found something has done its job; one that broke prints no report.
        invocations: [{ executionSuccessful: true, exitCode }],
        results: results.map((one) => ({
          ruleId: one.rule,
          ruleIndex: rules.indexOf(one.rule),
          level: one.level,
          message: { text: one.message },
          ...(one.at === null ? {} : { locations: [{ physicalLocation: placeOf(one.at) }] }),
        })),
      },
    ],
  };
  return asciiJson(log, 2);
}

function describeRule(id: string): object {
  const known: Readonly<Record<string, string>> = { ...OWN_RULES, ...FAULT_CODES };
  const text = known[id];
  return { id, ...(text === undefined ? {} : { shortDescription: { text } }) };
}

function placeOf({ file, line, column }: Position): object {
  // Half of a surrogate pair has no place in a URI.
  const path = Buffer.from(file).toString().split('/').map(encodeURIComponent).join('/');
  const uri = file.startsWith('/') ? `file://${path}` : path;
  const region = line === 0 ? {} : { region: { startLine: line, startColumn: column } };
  return { artifactLocation: { uri }, ...region };
}
