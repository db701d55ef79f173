// What `npm run test:crash` prints and puts into the docs: pure text from results.
import { addCounts, isNone, NONE } from '../tests/helpers/crash-counts.ts';
import type { Counts } from '../tests/helpers/crash-counts.ts';
import type { Tried } from '../tests/helpers/crash-point.ts';

/** What came of one scenario. */
export interface Row {
  readonly name: string;
  /** How many calls trouble was made at. */
  readonly points: number;
  /** How many of them were the expected ones: threads may do things in another order. */
  readonly asExpected: number;
  readonly counts: Counts;
  readonly bad: readonly Tried[];
}

const WORDS: Readonly<Record<keyof Counts, string>> = {
  closed: 'files and values that do not decrypt',
  lost: 'values lost, tokens missing or dead',
  tokens: 'tokens on the homeserver that no file holds',
  devices: 'devices on the homeserver that no file holds',
  temp: 'temp files, journal entries and empty folders left',
  locks: 'stale locks left',
  clear: 'secrets in clear in a file',
  untrue: 'sentences of a run that were not true',
};
const NAMES = Object.keys(NONE) as (keyof Counts)[];
const WIDTH = 60;

/** Makes a row of what was tried. */
export function rowOf(name: string, tried: readonly Tried[], expected: readonly string[]): Row {
  const reached = tried.filter(({ point }) => point !== null);
  return {
    name,
    points: reached.length,
    asExpected: tried.filter(({ point }, index) => point === expected[index]).length,
    counts: tried.map(({ counts }) => counts).reduce(addCounts, NONE),
    bad: tried.filter(({ counts, trouble }) => trouble !== null || !isNone(counts)),
  };
}

/** The line above the rows. */
export function headText(): string {
  return `${'trouble at each call'.padEnd(WIDTH)} points  bad\n`;
}

/** One scenario in a line of at most 80 columns. */
export function rowText({ name, points, bad }: Row): string {
  return `${name.padEnd(WIDTH)} ${String(points).padStart(6)} ${String(bad.length).padStart(4)}\n`;
}

/** Every point that went wrong, in full. */
export function troubleText({ bad }: Row): string {
  return bad
    .map(({ point, counts, trouble }) => {
      const wrong = NAMES.filter((name) => counts[name] > 0);
      const what = wrong.map((name) => `${counts[name]} ${WORDS[name]}`).join(', ');
      return `  at ${point ?? 'the end'}: ${what}\n${trouble === null ? '' : `${trouble}\n`}`;
    })
    .join('');
}

/** All counts, added up. */
export function countsText(rows: readonly Row[]): string {
  const total = totalOf(rows);
  const lines = NAMES.map(
    (name) => `${WORDS[name].padEnd(WIDTH)} ${String(total.counts[name]).padStart(6)}`,
  );
  return `\n${rowText(total)}\n${lines.join('\n')}\n`;
}

/** The same as Markdown, in the form that prettier gives it. */
export function docsText(rows: readonly Row[]): string {
  const total = totalOf(rows);
  const scenarios = [...rows, total].map(({ name, points }) => [name, String(points)] as const);
  const counts = NAMES.map((name) => [WORDS[name], String(total.counts[name])] as const);
  return [
    table(['trouble at each call', 'points'], scenarios),
    table(['counted when the next run has ended', 'all points'], counts),
  ].join('\n');
}

function totalOf(rows: readonly Row[]): Row {
  return {
    name: 'all',
    points: sum(rows.map((row) => row.points)),
    asExpected: sum(rows.map((row) => row.asExpected)),
    counts: rows.map((row) => row.counts).reduce(addCounts, NONE),
    bad: rows.flatMap((row) => row.bad),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((one, two) => one + two, 0);
}

type Pair = readonly [left: string, right: string];

function table(head: Pair, rows: readonly Pair[]): string {
  const widths = [0, 1].map((column) => {
    return Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length));
  }) as [number, number];
  const line = ([left, right]: Pair): string => {
    return `| ${left.padEnd(widths[0])} | ${right.padStart(widths[1])} |\n`;
  };
  const rule = `| ${'-'.repeat(widths[0])} | ${'-'.repeat(widths[1] - 1)}: |\n`;
  return `${line(head)}${rule}${rows.map(line).join('')}`;
}
