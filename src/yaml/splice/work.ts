// What is gathered while the places of new data are looked for.
import type { Fault } from '../../errors.ts';
import type { Edit } from './edits.ts';
import { insertLines } from './edits.ts';
import { columnOf, startOfLine } from './places.ts';
import { refusal } from './refusals.ts';
import type { Refusal } from './refusals.ts';
import type { Source } from './source.ts';

export interface Work {
  readonly source: Source;
  readonly edits: Edit[];
  readonly faults: Fault[];
  /** A comment that is still to be put beside the first value; null: there is none, or it is placed. */
  comment: string | null;
}

/** Notes a change. */
export function replace(work: Work, start: number, end: number, text: string): void {
  work.edits.push({ start, end, text });
}

/** Notes that whole lines take the place of those from `start` to `end`. */
export function replaceLines(
  work: Work,
  [start, end]: readonly [number, number],
  lines: readonly string[],
): void {
  work.edits.push(insertLines(work.source.text, work.edits, { start, end }, lines));
}

/** Notes why something cannot be done; the search goes on, so that all reasons are found. */
export function refuse(work: Work, offset: number, kind: Refusal): void {
  work.faults.push(refusal(kind, work.source.locate(offset)));
}

/** Takes the comment, for the line above new keys. */
export function takeComment(work: Work, indent: number): string[] {
  const { comment } = work;
  work.comment = null;
  return comment === null ? [] : [' '.repeat(indent) + comment];
}

/**
 * Puts the comment above the line of a key. Not above the first line of a file: there it would say
 * that the file is ours. Gives the lines that have to stand below the key's value instead.
 */
export function placeComment(work: Work, keyOffset: number): string[] {
  const { text } = work.source;
  const start = startOfLine(text, keyOffset);
  const lines = takeComment(work, columnOf(text, keyOffset));
  if (start === 0 || lines.length === 0) return lines;
  work.edits.push(insertLines(text, work.edits, { start, isAbove: true }, lines));
  return [];
}
