// What the role's task returns to Ansible: names, states and files, never a secret.
import type { Fault } from '../errors.ts';
import { formatPosition } from '../errors.ts';
import { exitCodeOf } from './exit-code.ts';
import { orderFaults } from './faults.ts';
import { asciiJson, withoutSecrets } from './ascii.ts';
import { hideInReport } from './hidden.ts';
import type { Leftover, Outcome, Report } from './types.ts';

export interface PlayResultOptions {
  readonly diff: boolean;
  readonly failOnDeferred: boolean;
  /** Whether trouble makes it a failed result. */
  readonly fail: boolean;
  /** Files that the role loads for later tasks. */
  readonly load: readonly { readonly own: boolean }[];
  /** In check mode, what later tasks get in place of tokens. */
  readonly standIns: readonly object[];
}

/** Gives a result as a line of JSON in ASCII. */
export function formatPlayResult(given: Report, options: PlayResultOptions): string {
  const report = inWordsOfPlay(hideInReport(given));
  const changed = report.outcomes.filter(({ outcome }) => outcome === 'changed');
  const isPending = report.check && report.leftovers.length > 0;
  const trouble = findTrouble(report, options);
  const failed = options.fail && trouble.length > 0;
  const said = {
    // In the role failing is a task of its own, so that what was stored is loaded and its handlers
    // are notified.
    ...(failed ? { failed } : {}),
    changed: changed.length > 0 || isPending,
    msg: failed ? [summary(report), ...trouble].join('\n') : summary(report),
    services: report.outcomes,
    sessions_left: report.leftovers,
    trouble,
    warnings: [...report.notes, ...findWarnings(report, options)],
    exit_code: exitCodeOf(report),
    ...(options.diff ? { diff: changed.flatMap(diffOf) } : {}),
  };
  // What the role works with stays as it is, should a password be part of a path.
  const used = {
    changed_services: given.outcomes
      .filter(({ outcome }) => outcome === 'changed')
      .map(({ service }) => service),
    load: options.load,
    stand_ins: report.check ? options.standIns : [],
  };
  const next = findNext({ ...used, trouble: failed ? [] : trouble });
  return asciiJson({ result: { ...said, ...used, next } });
}

/** A play has no options: what the command line has one for stands in vars. */
function inWordsOfPlay(report: Report): Report {
  const reword = (text: string): string =>
    text
      .replaceAll(/--max-wait (\d+) \(in vars: (\w+)\)/g, '$2: $1')
      .replaceAll(/--max-wait \(in vars: (\w+)\)/g, '$1');
  return {
    ...report,
    outcomes: report.outcomes.map((one) => ({ ...one, hint: one.hint && reword(one.hint) })),
    notes: report.notes.map(reword),
  };
}

/** Gives the names of the role's task files that have something to do; failing comes last. */
function findNext(result: {
  readonly load: readonly { readonly own: boolean }[];
  readonly stand_ins: readonly object[];
  readonly trouble: readonly string[];
}): string[] {
  const { load, stand_ins: standIns, trouble } = result;
  return [
    ...(load.some(({ own }) => own) ? ['load_own'] : []),
    ...(load.some(({ own }) => !own) ? ['load_by_hand'] : []),
    ...(standIns.length > 0 ? ['stand_in'] : []),
    ...(trouble.length > 0 ? ['fail'] : []),
  ];
}

/** Gives the result for bad input: nothing was tried for this host. */
export function formatPlayFaults(faults: readonly Fault[]): string {
  const sorted = orderFaults(faults);
  return resultLine({
    failed: true,
    changed: false,
    msg: [...sorted.map(describeFault), 'nothing was tried for this host'].join('\n'),
    exit_code: 5,
  });
}

/** Gives the result for a bug, or for a run that could not be. */
export function formatPlayFailure(msg: string): string {
  return resultLine({ failed: true, changed: false, msg });
}

/** Gives something to be shown while the task runs; the level is that of `-v`, below 0 always. */
export function formatPlayMessage(text: string, level: number): string {
  return asciiJson(withoutSecrets({ say: text, level }));
}

function resultLine(result: object): string {
  return asciiJson(withoutSecrets({ result }));
}

function summary({ outcomes, check }: Report): string {
  const wanted = outcomes.filter(({ outcome }) => outcome !== 'skipped').length;
  const changed = outcomes.filter(({ outcome }) => outcome === 'changed').length;
  if (wanted === 0) return 'no service wants a token';
  const isOne = wanted === 1;
  if (changed > 0) {
    const services = isOne ? 'service' : 'services';
    return `${changed} of ${wanted} ${services} ${check ? 'would get' : 'got'} a token`;
  }
  const none = check ? 'no service would get a token' : 'no service got a new token';
  const isSettled = outcomes.every(({ outcome }) => outcome === 'ok' || outcome === 'skipped');
  if (!isSettled) return `${none}, though ${wanted} ${isOne ? 'wants' : 'want'} one`;
  return `${none}: ${isOne ? 'the one that wants one has it' : `the ${wanted} that want one have it`}`;
}

function findTrouble(report: Report, { failOnDeferred }: PlayResultOptions): string[] {
  if (report.check) return [];
  const bad = report.outcomes.filter(
    ({ outcome }) =>
      outcome === 'failed' ||
      outcome === 'unreachable' ||
      (outcome === 'deferred' && failOnDeferred),
  );
  return [
    ...bad.map(describeOutcome),
    ...report.leftovers.map(describeLeftover),
    ...(report.damaged ?? []).map((path) => `the journal entry ${path} is damaged`),
    ...(report.interrupted === null ? [] : [`${report.interrupted}: the rest was not tried`]),
  ];
}

function findWarnings(report: Report, { failOnDeferred }: PlayResultOptions): string[] {
  const said = report.outcomes.filter(
    ({ outcome }) => outcome === 'unknown' || (outcome === 'deferred' && !failOnDeferred),
  );
  return [...said, ...(report.check ? report.leftovers : [])].map((one) =>
    'outcome' in one ? describeOutcome(one) : describeLeftover(one),
  );
}

function describeOutcome({ service, user_id, outcome, message, code, hint }: Outcome): string {
  const who = user_id === null ? service : `${service} => ${user_id}`;
  const why = code === null ? message : `${message} [${code}]`;
  return `${outcome}: ${who}: ${why}${hint === null ? '' : `; ${hint.replaceAll('\n', ' ')}`}`;
}

function describeLeftover({ service, user_id, device_id, message }: Leftover): string {
  return `a session waits to be removed: ${service} => ${user_id} device ${device_id}: ${message}`;
}

function describeFault({ code, at, found, wanted, fix }: Fault): string {
  const place = at === undefined ? '' : `${formatPosition(at)}: `;
  const further = [
    wanted === undefined ? '' : `\n  wanted: ${wanted}`,
    fix === undefined ? '' : `\n  fix: ${fix.replaceAll('\n', '\n       ')}`,
  ];
  return `${place}${found} [${code}]${further.join('')}`;
}

/** Names only: a length, a prefix or a hash would already say something of the token. */
function diffOf({ file, variables }: Outcome): object[] {
  if (file === null) return [];
  const after = variables.map((name) => `${name}: <redacted>\n`).join('');
  return [{ before_header: file, after_header: file, before: '', after }];
}
