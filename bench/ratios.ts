// Figures as ratios: they mean the same on another machine, which milliseconds do not.
import type { Measured } from './measure.ts';

/** Of an even number of values the mean of the two in the middle. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return (
    ((sorted[Math.ceil(half) - 1] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2
  );
}

/**
 * Gives a table row: how many times as long, and as large, one way is as another. Median and smallest
 * are those of the pairs of one round. Under load the fastest against the fastest and the CPU time say
 * most: others were in the way of every pair.
 */
export function ratioRow(one: Measured, other: Measured): string {
  const pairs = one.ms.map((ms, round) => ms / (other.ms[round] ?? Number.NaN));
  const cells = [
    median(pairs),
    Math.min(...pairs),
    Math.min(...one.ms) / Math.min(...other.ms),
    mean(one.cpuMs) / mean(other.cpuMs),
    median(one.peakKib) / median(other.peakKib),
  ];
  return tableRow([`${one.name} : ${other.name}`, ...cells.map(formatRatio)]);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Gives the first two lines of a table of ratios. */
export function ratioHead(title: string): string {
  const columns = ['median', 'smallest', 'fastest : fastest', 'CPU time', 'peak memory'];
  return `${tableRow([title, ...columns])}\n${tableRow(['---', ...columns.map(() => '---')])}`;
}

/** Gives a line with each way's fastest run, mean CPU time and median memory, for orientation. */
export function absoluteLine(all: readonly Measured[]): string {
  const parts = all.map(({ name, ms, cpuMs, peakKib }) => {
    const cpu = cpuMs.length > 0 ? `, ${Math.round(mean(cpuMs))} ms of CPU` : '';
    const memory = peakKib.length > 0 ? `, ${Math.round(median(peakKib) / 1024)} MiB` : '';
    return `${name} ${Math.round(Math.min(...ms))} ms${cpu}${memory}`;
  });
  return `fastest of ${all[0]?.ms.length ?? 0}: ${parts.join('; ')}`;
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** Two digits that count, whichever of the two is the larger one. */
function formatRatio(ratio: number): string {
  if (Number.isNaN(ratio)) return '–';
  return ratio.toFixed(ratio < 0.1 ? 3 : 2);
}
