// What a run says, held against what is true: a run that goes on after a fault has to tell which file
// changed, which session is open and what waits in the journal.
import type { Report } from './provision-project.ts';

/** What a run said. */
export interface Said {
  readonly exitCode: number | null;
  /** Null: none that could be read. */
  readonly report: Report | null;
  readonly stderr: string;
}

/** What is true after it. */
export interface Truth {
  /** Services whose stored token works. */
  readonly stored: readonly string[];
  /** Services of which a token stands in some file, whether it works or not. */
  readonly written: readonly string[];
  /** True if no file but those in state folders is another than before. */
  readonly isUnchanged: boolean;
  /** Logins that the run sent. */
  readonly logins: number;
  /** Devices with an open session that no file names. */
  readonly open: readonly string[];
  /** Those of them that this run has opened. */
  readonly opened: readonly string[];
  /** Devices in the journal. */
  readonly journalled: readonly string[];
}

/** Gives a sentence for each thing that the run said, or kept to itself, and that is not so. */
export function findUntrue({ exitCode, report, stderr }: Said, truth: Truth): string[] {
  if (report === null) return [`no report: exit code ${exitCode}, ${stderr}`];
  if (exitCode === 70) return [`a bug: ${stderr}`];
  return [
    ...untrueServices(report, truth),
    // Bad input: nothing was tried, and nothing is said of what waits.
    ...(exitCode === 5 ? [] : untrueSessions(report, truth)),
    ...untrueExitCode(report, exitCode, truth),
  ];
}

function untrueServices({ services }: Report, truth: Truth): string[] {
  const untrue: string[] = [];
  const claim = (isTrue: boolean, sentence: string): void => {
    if (!isTrue) untrue.push(sentence);
  };
  for (const { service, outcome, code, message } of services) {
    const isGood = outcome === 'ok' || outcome === 'changed' || code === 'STORE_UNSURE';
    const said = `${service} is ${outcome} (${code ?? '-'}): ${message}`;
    claim(truth.stored.includes(service) === isGood, said);
    claim(truth.written.includes(service) === isGood, `${said}: what is written`);
    const says = (words: string): boolean => message.includes(words);
    claim(!says('the file is as it was') || truth.isUnchanged, `${said}: the file`);
    claim(!says('nothing was sent') || truth.logins === 0, `${said}: ${truth.logins} logins`);
    claim(!says('was logged out') || truth.opened.length === 0, `${said}: open`);
    const device = /its session (\S+) could not be logged out/.exec(message)?.[1];
    claim(device === undefined || truth.journalled.includes(device), `${said}: journal`);
  }
  return untrue;
}

function untrueSessions({ sessions_left: left }: Report, truth: Truth): string[] {
  const told = left.map((session) => session.device_id);
  const silent = truth.open.filter((device) => !told.includes(device));
  const unknown = truth.open.filter((device) => !truth.journalled.includes(device));
  const forgotten = told.filter((device) => !truth.journalled.includes(device));
  return [
    ...silent.map((device) => `${device} is open, and nothing was said of it`),
    ...unknown.map((device) => `${device} is open, and not in the journal`),
    ...forgotten.map((device) => `${device} was said to wait, and is not in the journal`),
  ];
}

function untrueExitCode(report: Report, code: Said['exitCode'], { logins, open }: Truth): string[] {
  const isWhole = report.services.every(({ outcome }) => outcome === 'ok' || outcome === 'changed');
  const isGood = isWhole && report.sessions_left.length === 0 && open.length === 0;
  if (code === 0 && !isGood) return ['exit code 0, and not all is done'];
  return code === 5 && logins > 0 ? [`exit code 5 after ${logins} logins`] : [];
}
