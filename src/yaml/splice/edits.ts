// Changes of a text, gathered first and made at once.

/** Text that takes the place of what stands from `start` to `end`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Of several insertions at one place, those that belong to the line above come first. */
  readonly isAbove?: true;
}

/** Makes the changes. Those at one place are made in their order. Throws TypeError if two overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = '';
  let done = 0;
  for (const edit of edits.toSorted(compare)) {
    if (edit.start < done) throw new TypeError('two changes of the same text');
    result += text.slice(done, edit.start) + edit.text;
    done = edit.end;
  }
  return result + text.slice(done);
}

function compare(a: Edit, b: Edit): number {
  return a.start - b.start || rank(a) - rank(b) || a.end - b.end;
}

function rank(edit: Edit): number {
  return edit.isAbove === true ? 1 : 0;
}

/** Gives the edit that puts whole lines at the begin of a line, or at the end of the text. */
export function insertLines(
  text: string,
  edits: readonly Edit[],
  place: { readonly start: number; readonly end?: number; readonly isAbove?: true },
  lines: readonly string[],
): Edit {
  const { start, end = start, isAbove } = place;
  const newline = newlineAt(text, start);
  const glue = start === 0 || endsWithNewline(text, edits, start) ? '' : newline;
  const body = lines.map((line) => line + newline).join('');
  return { start, end, text: glue + body, ...(isAbove && { isAbove }) };
}

function endsWithNewline(text: string, edits: readonly Edit[], offset: number): boolean {
  const before = edits.findLast((edit) => edit.end === offset && edit.text !== '');
  return (before?.text ?? text.slice(0, offset)).endsWith('\n');
}

/** Gives the line end in use before an offset: that of the line above, or else of the first line. */
function newlineAt(text: string, offset: number): string {
  const above = text.lastIndexOf('\n', offset - 1);
  const at = above === -1 ? text.indexOf('\n') : above;
  return at > 0 && text[at - 1] === '\r' ? '\r\n' : '\n';
}
