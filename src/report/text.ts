// The report for people: one line a service, in Ansible's manner, what matters most last.
import type { Fault } from '../errors.ts';
import { formatPosition } from '../errors.ts';
import { hideInFaults, hideInReport, hideInText, isSame, OWN_WORD_HIDDEN } from './hidden.ts';
import { WIDTH, wrap } from './wrap.ts';
import type { Leftover, Outcome, OutcomeWord, Report } from './types.ts';

export type Color = 'green' | 'yellow' | 'red' | 'cyan' | 'magenta' | 'bold';

export interface TextStyle {
  /** Puts a color around a text, or gives it back as it is. */
  paint(color: Color, text: string): string;
}

/** No color: for files, pipes and NO_COLOR. */
export const PLAIN: TextStyle = { paint: (_color, text) => text };

/** What is most in need of attention stands last. */
const ORDER: readonly OutcomeWord[] = [
  'skipped',
  'ok',
  'unknown',
  'changed',
  'deferred',
  'unreachable',
  'failed',
];

const COLORS: Readonly<Record<OutcomeWord, Color>> = {
  ok: 'green',
  changed: 'yellow',
  skipped: 'cyan',
  unknown: 'magenta',
  deferred: 'magenta',
  unreachable: 'red',
  failed: 'red',
};

/** Gives the whole report, with a final newline. */
export function formatText(report: Report, style: TextStyle, { diff = false } = {}): string {
  const hidden = hideInReport(report);
  return hideInText(hidden.notes, (notes) => layOut({ ...hidden, notes }, style, { diff }));
}

function layOut(report: Report, style: TextStyle, { diff }: { readonly diff: boolean }): string {
  const title = report.check ? 'MATRIX TOKENS [contacts nobody, writes nothing]' : 'MATRIX TOKENS';
  const lines = [
    banner(title),
    ...byImportance(report.outcomes).flatMap((one) => formatOutcome(one, report, style)),
    ...(diff ? report.outcomes.flatMap((one) => formatDiff(one, report, style)) : []),
    ...report.leftovers.flatMap((one) => formatLeftover(one, report, style)),
    ...report.notes.flatMap(formatNote),
    '',
    banner('RECAP'),
    ...formatRecap(report, style),
    ...formatNext(report).map((line) => style.paint('bold', line)),
  ];
  return `${lines.join('\n')}\n`;
}

function banner(title: string): string {
  return `${title} ${'*'.repeat(Math.max(3, WIDTH - title.length - 1))}`;
}

function byImportance(outcomes: readonly Outcome[]): readonly Outcome[] {
  return outcomes.toSorted((a, b) => ORDER.indexOf(a.outcome) - ORDER.indexOf(b.outcome));
}

function formatOutcome(one: Outcome, report: Report, style: TextStyle): string[] {
  const user = one.user_id === null || one.outcome === 'skipped' ? '' : ` => ${one.user_id}`;
  const head = `${one.outcome}: [${one.host}] ${one.service}${user}`;
  const isPlain =
    one.outcome === 'ok' || (one.outcome === 'changed' && !report.check && report.task !== 'rekey');
  const hint = one.hint === null ? [] : formatFix(one.hint, '    ');
  if (isPlain) return [style.paint(COLORS[one.outcome], head), ...hint];
  const code = one.code === null ? '' : ` [${one.code}]`;
  const short = ` (${one.message}${code})`;
  if (head.length + short.length <= WIDTH) {
    return [style.paint(COLORS[one.outcome], head) + short, ...hint];
  }
  return [
    style.paint(COLORS[one.outcome], head),
    ...wrap(`${one.message}${code}`, '    '),
    ...hint,
  ];
}

/** Names only: a length, a prefix or a hash would already say something of the token. */
function formatDiff(one: Outcome, { task }: Report, style: TextStyle): string[] {
  if (one.outcome !== 'changed' || one.file === null) return [];
  const gone = task === 'rekey' ? one.variables : [];
  return [
    `--- before: ${one.file}`,
    `+++ after: ${one.file}`,
    ...gone.map((name) => style.paint('red', `-${name}: <redacted>`)),
    ...one.variables.map((name) => style.paint('green', `+${name}: <redacted>`)),
  ];
}

function formatLeftover(one: Leftover, report: Report, style: TextStyle): string[] {
  const what = report.check ? 'a session waits to be removed' : 'a session was left behind';
  const head = `${what}: [${one.host}] ${one.service} => ${one.user_id} device ${one.device_id}`;
  const heads = wrap(head, '', '  ').map((line) => style.paint('red', line));
  return [...heads, ...wrap(one.message, '    ')];
}

/** As with what to do: what stands on lines of its own is to be copied. */
function formatNote(note: string): string[] {
  const [first = '', ...further] = note.split('\n');
  return [...wrap(`note: ${first}`, '', '  '), ...further.map((line) => `    ${line}`)];
}

function formatRecap(report: Report, style: TextStyle): string[] {
  const groups = new Map<string, Outcome[]>();
  for (const one of report.outcomes) {
    const name = one.server_name ?? one.host;
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  if (groups.size === 0) return ['no services are defined on the hosts of this run'];
  const width = Math.max(24, ...[...groups.keys()].map((name) => name.length));
  return [...groups].map(([name, outcomes]) => recapLine(name.padEnd(width), outcomes, style));
}

function recapLine(name: string, outcomes: readonly Outcome[], style: TextStyle): string {
  const always: readonly OutcomeWord[] = ['ok', 'changed', 'unreachable', 'failed', 'skipped'];
  const words = [...always, 'deferred', 'unknown'] as const;
  const counts = words.flatMap((word) => {
    const count = outcomes.filter((one) => one.outcome === word).length;
    if (count === 0) return always.includes(word) ? [`${word}=0`] : [];
    return [style.paint(COLORS[word], `${word}=${count}`)];
  });
  return `${name} : ${counts.join(' ')}`;
}

/** The next command to run, or what keeps it from being run; and what to do with what changed. */
function formatNext(report: Report): readonly string[] {
  const has = (word: OutcomeWord): boolean => report.outcomes.some((one) => one.outcome === word);
  const again = formatNextRun(report, has);
  if (report.check) return again ?? formatNextOfCheck(report, has);
  const done = has('changed') ? formatNextOfChanged(report) : [];
  if (again === null) return done.map((line, index) => `${index === 0 ? 'next: ' : INDENT}${line}`);
  return [...done.map((line, index) => `${index === 0 ? 'also: ' : INDENT}${line}`), ...again];
}

const INDENT = '      ';

/** Why the same command is to be run again; null: it need not be. */
function formatNextRun(
  { interrupted, check, leftovers }: Report,
  has: (word: OutcomeWord) => boolean,
): string[] | null {
  if (interrupted !== null)
    return ['next: run the same command again; what was obtained is stored'];
  if (check) return null;
  if (has('deferred')) return ['next: run the same command again later, for the deferred services'];
  if (has('failed') || has('unreachable') || leftovers.length > 0) {
    return ['next: mend what failed above and run the same command again'];
  }
  return null;
}

function formatNextOfChanged({ task, outcomes }: Report): readonly string[] {
  if (task === 'rekey') {
    const advice = 'give Ansible the new vault password, too; and the old one, as long as';
    return [advice, 'anything else has it'];
  }
  const changed = outcomes.filter((one) => one.outcome === 'changed');
  const tags = [...new Set(changed.flatMap((one) => one.install_tag ?? []))];
  const advice = 'run your playbook, so that the services get their new tokens';
  return tags.length === 0 ? [advice] : [advice, `(--tags=${tags.join(',')},start)`];
}

function formatNextOfCheck(report: Report, has: (word: OutcomeWord) => boolean): string[] {
  if (has('unknown')) return ['next: give the vault password to see what the closed files hold'];
  if (!has('changed') && report.leftovers.length === 0) return [];
  return report.task === 'validate'
    ? ['next: matrix-tokens provision, with the same options']
    : ['next: the same command without --check'];
}

/** Gives bad input for people, with a final newline; the count stands last. */
export function formatFaults(faults: readonly Fault[], style: TextStyle): string {
  const hidden = hideInFaults(faults);
  const notes = isSame(hidden, faults) ? [] : [OWN_WORD_HIDDEN];
  return hideInText(notes, (all) => layOutFaults(hidden, all, style));
}

function layOutFaults(
  faults: readonly Fault[],
  notes: readonly string[],
  style: TextStyle,
): string {
  const lines = faults.flatMap((fault) => {
    const place = fault.at === undefined ? 'matrix-tokens' : formatPosition(fault.at);
    const [first = '', ...further] = wrap(
      `${place}: error: ${fault.found} [${fault.code}]`,
      '',
      '  ',
    );
    return [
      first.replace(`${place}: error:`, `${place}: ${style.paint('red', 'error:')}`),
      ...further,
      ...(fault.wanted === undefined ? [] : wrap(`wanted: ${fault.wanted}`, '  ', '    ')),
      ...(fault.fix === undefined ? [] : formatFix(fault.fix, '  ')),
    ];
  });
  const count = faults.length === 1 ? '1 error' : `${faults.length} errors`;
  return `${[...lines, ...notes.flatMap(formatNote), `${count}; nothing was tried`].join('\n')}\n`;
}

/** What to do: commands stand on lines of their own and are never broken, to be copied. */
function formatFix(fix: string, indent: string): string[] {
  const [first = '', ...further] = fix.split('\n');
  const inner = `${indent}     `;
  return [...wrap(`fix: ${first}`, indent, inner), ...further.map((line) => inner + line)];
}
