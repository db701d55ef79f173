// Makes cases of the shapes in splice-shapes.ts, and checks what became of their bytes.
import * as fc from 'fast-check';
import type { NewValue, PathValue } from '../../src/yaml/new-data.ts';
import { INNER } from './splice-shapes.ts';
import type { Shape } from './splice-shapes.ts';

export interface SpliceCase {
  readonly shape: Shape;
  readonly text: string;
  /** The text with NUL for what a value takes the place of, and without the lines that go with it. */
  readonly marked: string;
  readonly values: readonly PathValue[];
}

const ENVELOPE = '$ANSIBLE_VAULT;1.2;AES256;zz\nzz6162\nzz6364\nzz\n';

/** Other entries; `¤` is a number of their own, and `@` a step of their own indentation. */
const ENTRIES = [
  'k¤: 1',
  '# c¤',
  '',
  'k¤: "q: r" # c',
  "k¤: 's''t'",
  'k¤:',
  'k¤: ~',
  'k¤:   0644    # mode',
  'k¤: |\n@text\n@@more\n\n@end',
  'k¤: >-\n@folded\n@lines',
  'k¤: |+\n@keep\n\n',
  'k¤: |2\n@@two\n@text',
  'k¤: [1, 2]',
  'k¤: {x: 1, "y": [2]}',
  'k¤: {\n@x: 1, # c\n@y: 2\n@}',
  'k¤:\n- 1\n- m: 2\n  n: 3',
  'k¤:\n@- 1\n@# c\n@-\n@@x: 1',
  'k¤:\n@p:\n@@q: 1\n@@# c',
  'k¤: !vault |\n@$ANSIBLE_VAULT;1.1;AES256\n@61626364',
  'k¤: "multi\n@line"',
  'k¤: plain\n@over\n\n@lines',
  'k¤: &a¤ {x: 1}\nl¤: *a¤\nm¤:\n@<<: *a¤\n@y: 2',
  'k¤: !unsafe "{{ x }}"',
  'k¤: !unsafe [a, "{{ b }}"]',
  'k¤: 2024-01-01 ',
  '"quoted ¤": 1',
  '1¤: int',
  '# matrix-tokens: service=other¤ user_id=@x:y device_id=D',
  '@# deep ¤',
  'k¤: # nothing yet\n@# todo',
  'k¤: "{{ reference }}"',
];

type Choose = <T>(options: readonly T[]) => T;

const HEADS = ['', '---\n', '# head\n', '---\n# x\n', '%YAML 1.1\n---\n', '\n# head\n\n'] as const;
const TAILS = ['', '...\n', '# end\n', '\n\n', '  # e\n', '\n# end\n...\n# bye\n'] as const;

/** Cases of one shape. They shrink to its simplest form. */
export function casesOf(shape: Shape): fc.Arbitrary<SpliceCase> {
  const numbers = fc.array(fc.nat(9999), { minLength: 60, maxLength: 60, size: 'max' });
  return numbers.map((stream) => build(shape, chooser(stream)));
}

function chooser(stream: readonly number[]): Choose {
  let next = 0;
  return (options) => {
    const index = (stream[next % stream.length] ?? 0) % options.length;
    next += 1;
    const option = options[index];
    if (option === undefined) throw new RangeError('nothing to choose from');
    return option;
  };
}

function build(shape: Shape, choose: Choose): SpliceCase {
  const kind = choose(['vault', 'unsafe'] as const);
  const newline = choose(['\n', '\n', '\r\n']);
  const step = choose(['  ', '    ', '   ']);
  const isCut = choose([false, false, false, true]);
  const [mark, head, tail] = shape.isWhole
    ? ['', '', '']
    : [choose(['', '', '', '\ufeff']), choose(HEADS), choose(TAILS)];
  const chosen = shape.template.replaceAll(/‹([^‹›]*)›/g, (_, options: string) =>
    choose(options.split('¦')),
  );
  const body = fill(chosen, step, choose);
  const whole = `${mark}${head}${body}${tail}`;
  const template = (isCut ? whole.replace(/\n$/, '') : whole).replaceAll('\n', newline);
  return {
    shape,
    text: template.replaceAll(/[⟦⟧⟪⟫]/g, ''),
    marked: template.replaceAll(/⟪[^⟫]*⟫/g, '').replaceAll(/⟦[^⟧]*⟧/g, '\0'),
    values: (shape.paths ?? INNER).map((path, index) => ({ path, value: newValue(kind, index) })),
  };
}

function newValue(kind: NewValue['kind'], index: number): NewValue {
  return { kind, text: kind === 'vault' ? ENVELOPE : `zz_value${index}` };
}

function fill(template: string, step: string, choose: Choose): string {
  let count = 0;
  const lines = template.split('\n').map((line) => {
    const [, marks = '', { length: indent } = '', rest = ''] = /^([⟪⟫]*)(@*)(.*)$/.exec(line) ?? [];
    if (rest !== '%') return marks + step.repeat(indent) + rest;
    const entries = Array.from({ length: choose([0, 0, 1, 1, 2, 3]) }, () => {
      count += 1;
      return entryText(choose(ENTRIES), count, step, step.repeat(indent));
    });
    return entries.length === 0 ? null : entries.join('\n');
  });
  return lines.filter((line) => line !== null).join('\n');
}

function entryText(entry: string, count: number, step: string, margin: string): string {
  const lines = entry.replaceAll('¤', `${count}`).split('\n');
  return lines.map((line) => place(line, step, margin)).join('\n');
}

function place(line: string, step: string, margin: string): string {
  const indent = /^@*/.exec(line)?.[0].length ?? 0;
  const text = line.slice(indent);
  return text === '' ? '' : margin + step.repeat(indent) + text;
}

/**
 * Gives the first line of the new text that is neither an old one nor new, or null: all old lines are
 * there, in their order, with a value or nothing in the place of each NUL.
 */
export function firstChangedLine(marked: string, next: string): string | null {
  const old = marked.split(/(?<=\n)/);
  let done = 0;
  for (const line of next.split(/(?<=\n)/)) {
    const one = old[done];
    if (one !== undefined && isSameLine(one, line)) done += 1;
    else if (!line.includes('zz')) return line;
  }
  return done === old.length || marked === '' ? null : (old[done] ?? '');
}

const IN_ITS_PLACE = String.raw`(?: ?!vault \|| ?!unsafe "zz_value\d"|[^\n]*zz[^\n]*|,?)`;

function isSameLine(old: string, now: string): boolean {
  // Only the last line of a text can lack its line end, and gets one where something follows.
  if (old === now || (!old.endsWith('\n') && old === now.replace(/\r?\n$/, ''))) return true;
  if (!old.includes('\0')) return false;
  const parts = old.split('\0').map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&'));
  const end = old.endsWith('\n') ? '' : '(?:\\r?\\n)?';
  return new RegExp(`^${parts.join(IN_ITS_PLACE)}${end}$`).test(now);
}
