// The text of a case in tests/cli: a comment whose first line names the case, commands one a line,
// then files, each after a line `-- path --`.
//
// A word is what stands between spaces, or anything between single quotes ('' is one quote). `$NAME`
// and `${NAME}` stand for a value of the case, in commands and in files; unknown names stay. A line
// that begins with `! ` must fail. A command that goes on in the next line ends with a backslash.

export interface ScriptLine {
  /** Counts from 1. */
  readonly number: number;
  readonly text: string;
  readonly negated: boolean;
  readonly command: string;
  readonly args: readonly string[];
}

export interface Script {
  /** The first line of the comment at the top. */
  readonly title: string;
  readonly lines: readonly ScriptLine[];
  /** By path, relative to the folder that commands run in. */
  readonly files: ReadonlyMap<string, string>;
}

const FILE_HEAD = /^-- (\S.*?) --$/;

/** Reads the text of a case. Throws an Error for one without a title. */
export function parseScript(text: string): Script {
  const [head = '', ...sections] = splitSections(text);
  const title = /^# (.+)$/m.exec(head)?.[1];
  if (title === undefined) throw new Error('a case begins with a comment that names it');
  const files = new Map<string, string>();
  for (const section of sections) {
    const end = section.indexOf('\n');
    const path = FILE_HEAD.exec(section.slice(0, end))?.[1] ?? '';
    files.set(path, section.slice(end + 1));
  }
  return { title, lines: parseLines(head), files };
}

/** Replaces `$NAME` and `${NAME}` where the name is known. */
export function substitute(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(
    /\$(?:([A-Z][A-Z0-9_]*)|\{([A-Z][A-Z0-9_]*)\})/g,
    (whole, bare?: string, braced?: string) => values.get(bare ?? braced ?? '') ?? whole,
  );
}

function splitSections(text: string): string[] {
  const sections: string[] = [''];
  for (const line of text.split(/(?<=\n)/)) {
    if (FILE_HEAD.test(line.trimEnd())) sections.push(line);
    else sections[sections.length - 1] += line;
  }
  return sections;
}

function parseLines(head: string): ScriptLine[] {
  const lines: ScriptLine[] = [];
  let number = 0;
  let pending = '';
  for (const raw of head.split('\n')) {
    number += 1;
    if (pending === '' && (raw.trim() === '' || raw.startsWith('#'))) continue;
    pending += raw.replace(/\\$/, ' ');
    if (raw.endsWith('\\')) continue;
    lines.push(parseLine(pending, number));
    pending = '';
  }
  return lines;
}

function parseLine(text: string, number: number): ScriptLine {
  const words = splitWords(text);
  const negated = words[0] === '!';
  const [command = '', ...args] = negated ? words.slice(1) : words;
  return { number, text: text.trim(), negated, command, args };
}

function splitWords(text: string): string[] {
  const words = text.match(/(?:'(?:[^']|'')*'|[^\s'])+/g) ?? [];
  return words.map((word) =>
    word.replaceAll(/'((?:[^']|'')*)'/g, (_whole, inner: string) => inner.replaceAll("''", "'")),
  );
}
