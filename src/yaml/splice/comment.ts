// An older comment of the same kind: where one stands, it gets the new text, and stays where it is.
import type { Source } from './source.ts';
import { replace } from './work.ts';
import type { Work } from './work.ts';

/** Replaces the last older comment, which is the one that counts. Without one the new one waits. */
export function replaceComment(
  work: Work,
  { comment, olderComment }: { readonly comment: string; readonly olderComment: string },
): void {
  const { text } = work.source;
  for (
    let at = text.lastIndexOf(olderComment);
    at !== -1;
    at = text.lastIndexOf(olderComment, at - 1)
  ) {
    const end = endOfComment(text, at);
    if (isWholeLine(work.source, at)) {
      replace(work, at, end, comment);
      work.comment = null;
      return;
    }
    if (at === 0) return;
  }
}

function endOfComment(text: string, start: number): number {
  const line = text.slice(start).search(/\r?\n/);
  return line === -1 ? text.length : start + line;
}

/** The same text inside a value is no comment. */
function isWholeLine({ text, scalars }: Source, offset: number): boolean {
  const before = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset);
  return before.trim() === '' && !scalars.some(([start, end]) => start < offset && offset < end);
}
