import type { Position } from '../errors.ts';

/** Gives the position of an offset (in UTF-16 code units) in a text. */
export type Locate = (offset: number) => Position;

/** Prepares positions in one text, whose lines end with LF or CRLF. */
export function createLocate(text: string, file: string): Locate {
  const starts = [0];
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) {
    starts.push(end + 1);
  }
  return (offset) => {
    const index = findLine(starts, offset);
    return { file, line: index + 1, column: offset - (starts[index] ?? 0) + 1 };
  };
}

function findLine(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
