/** So many columns fit on any terminal. */
export const WIDTH = 79;

/** Breaks a sentence at spaces into lines of a terminal, but for what stands in backticks. */
export function wrap(text: string, indent = '', further = indent): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.match(/(?:`[^`]*`|[^ `])+|`/g) ?? []) {
    const isFirst = line.trim() === '';
    if (!isFirst && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = further + word;
    } else {
      line += isFirst ? word : ` ${word}`;
    }
  }
  return [...lines, line];
}
