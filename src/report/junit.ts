// The report as JUnit XML, which GitLab, Jenkins and others show: a suite a host, a test case a
// service. What makes the exit code of the run another one than 0 is a failure.
// @see https://github.com/jenkinsci/xunit-plugin (the schema that tests check it against)
import { formatPosition, type Fault } from '../errors.ts';
import { redact } from '../secret.ts';
import { EXIT } from './exit-code.ts';
import { hideInFaults, hideInReport } from './hidden.ts';
import { REKEY_WAITS, type Leftover, type Outcome, type Report } from './types.ts';

interface Case {
  readonly suite: string;
  readonly name: string;
  readonly kind: 'passed' | 'skipped' | 'failure' | 'error';
  /** The type of a failure or error. */
  readonly code: string;
  readonly message: string;
}

/** Gives a report as JUnit XML, with a final newline. */
export function formatJunit(given: Report, exitCode: number): string {
  const report = hideInReport(given);
  return toXml([
    ...report.outcomes.map((one) => caseOf(one, exitCode)),
    ...report.leftovers.map((one) => caseOfLeftover(one, report, exitCode)),
    ...(report.damaged ?? []).map((path) => caseOfDamaged(path, report, exitCode)),
    ...(report.rekeyWaits === true ? [caseOfRekey(report, exitCode)] : []),
  ]);
}

/** Gives bad input as JUnit XML, with a final newline. */
export function formatFaultsJunit(faults: readonly Fault[]): string {
  return toXml(
    hideInFaults(faults).map(({ at, code, found, wanted, fix }) => ({
      suite: 'input',
      name: at === undefined ? code : formatPosition(at),
      kind: 'error',
      code,
      message: [found, wanted && `wanted: ${wanted}`, fix && `fix: ${fix}`]
        .filter(Boolean)
        .join('\n'),
    })),
  );
}

function caseOf(one: Outcome, exitCode: number): Case {
  const hint = one.hint === null ? '' : `\n${one.hint}`;
  return {
    suite: one.host,
    name: one.service,
    kind: kindOf(one, exitCode),
    code: one.code ?? one.outcome,
    message: `${one.message}${hint}`,
  };
}

function kindOf({ outcome }: Outcome, exitCode: number): Case['kind'] {
  switch (outcome) {
    case 'ok':
      return 'passed';
    case 'skipped':
      return 'skipped';
    case 'changed':
    case 'unknown':
      return exitCode === EXIT.pending ? 'failure' : 'passed';
    case 'failed':
    case 'deferred':
      return 'failure';
    case 'unreachable':
      return 'error';
  }
}

function caseOfLeftover(one: Leftover, report: Report, exitCode: number): Case {
  return {
    suite: one.host,
    name: `${one.service}, session ${one.device_id}`,
    kind: kindOfSession(report, exitCode),
    code: 'SESSION_LEFT',
    message: `${one.user_id}: ${one.message}`,
  };
}

function caseOfDamaged(path: string, report: Report, exitCode: number): Case {
  const kind = kindOfSession(report, exitCode);
  return { suite: 'journal', name: path, kind, code: 'SESSION_LEFT', message: 'a damaged entry' };
}

function caseOfRekey(report: Report, exitCode: number): Case {
  return {
    suite: 'rekey',
    name: 'interrupted rekey',
    kind: kindOfSession(report, exitCode),
    code: 'REKEY_UNFINISHED',
    message: REKEY_WAITS,
  };
}

function kindOfSession({ check }: Report, exitCode: number): Case['kind'] {
  return check && exitCode !== EXIT.pending ? 'passed' : 'failure';
}

function toXml(cases: readonly Case[]): string {
  const parts = [...groupBySuite(cases)].map(([name, members]) => suiteXml(name, members));
  const body = `<testsuites name="matrix-tokens"${countsOf(cases)}>\n${parts.join('')}</testsuites>\n`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${body}`;
}

function groupBySuite(cases: readonly Case[]): ReadonlyMap<string, Case[]> {
  const suites = new Map<string, Case[]>();
  for (const one of cases) suites.set(one.suite, [...(suites.get(one.suite) ?? []), one]);
  return suites;
}

function suiteXml(name: string, cases: readonly Case[]): string {
  const head = `<testsuite name="${escape(name)}"${countsOf(cases)} skipped="${count(cases, 'skipped')}">`;
  return `  ${head}\n${cases.map(caseXml).join('')}  </testsuite>\n`;
}

function countsOf(cases: readonly Case[]): string {
  const [failures, errors] = [count(cases, 'failure'), count(cases, 'error')];
  return ` tests="${cases.length}" failures="${failures}" errors="${errors}"`;
}

function count(cases: readonly Case[], kind: Case['kind']): number {
  return cases.filter((one) => one.kind === kind).length;
}

function caseXml({ suite, name, kind, code, message }: Case): string {
  const head = `    <testcase classname="${escape(suite)}" name="${escape(name)}"`;
  if (kind === 'passed') return `${head}/>\n`;
  const short = escape(message.replace(/\n.*$/s, ''));
  const inside =
    kind === 'skipped'
      ? `<skipped message="${short}"/>`
      : `<${kind} type="${escape(code)}" message="${short}">${escape(message)}</${kind}>`;
  return `${head}>\n      ${inside}\n    </testcase>\n`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

/** XML has no place for control characters at all, and its own words are no secrets. */
function escape(text: string): string {
  return redact(text)
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
