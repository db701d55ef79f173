// Words of a line as a POSIX shell splits them, in the manner of Python's `shlex.split` with
// comments, which reads the host lines of INI inventories.

/** A word and where it begins in its line. */
export interface Word {
  readonly text: string;
  readonly offset: number;
}

const PLAIN = /[^ \t\r\n'"\\#]+/y;
const SINGLE = /'([^']*)'/y;
const DOUBLE = /"((?:[^"\\]|\\.)*)"/sy;

/**
 * Splits a line into words. `#` begins a comment, also within a word. Gives null for a quote that
 * is never closed and for a backslash at the end.
 * @see https://docs.python.org/3/library/shlex.html#parsing-rules
 */
export function splitWords(line: string): Word[] | null {
  const words: Word[] = [];
  for (let offset = skipBlanks(line, 0); isWord(line[offset]); offset = skipBlanks(line, offset)) {
    const start = offset;
    let text = '';
    while (isWord(line[offset])) {
      const part = readPart(line, offset);
      if (part === null) return null;
      text += part.text;
      offset = part.end;
    }
    words.push({ text, offset: start });
  }
  return words;
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && !' \t\r\n#'.includes(character);
}

function skipBlanks(line: string, offset: number): number {
  let end = offset;
  while (end < line.length && ' \t\r\n'.includes(line.charAt(end))) end += 1;
  return end;
}

function readPart(line: string, offset: number): { text: string; end: number } | null {
  if (line[offset] === '\\') {
    return offset + 1 < line.length ? { text: line.charAt(offset + 1), end: offset + 2 } : null;
  }
  for (const pattern of [PLAIN, SINGLE, DOUBLE]) {
    pattern.lastIndex = offset;
    const match = pattern.exec(line);
    if (match === null) continue;
    const text = pattern === DOUBLE ? unescape(match[1] ?? '') : (match[1] ?? match[0]);
    return { text, end: pattern.lastIndex };
  }
  return null;
}

/** In double quotes a backslash only escapes a quote or another backslash. */
function unescape(text: string): string {
  return text.replaceAll(/\\(["\\])/g, '$1');
}
