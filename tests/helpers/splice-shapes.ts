// Vars files as people keep them, of many shapes, around a place where a value belongs. What a shape
// leaves open is chosen at random: other entries and comments around the place, indentation, line
// ends, marks at both ends of the file.
//
// In a template `@` is one step of indentation, a line that ends with `%` is any number of other
// entries at its indentation, and `‹a¦b›` is one of both. ⟦…⟧ is what a value takes the place of, ⟪…⟫
// are whole lines that go with it. Everything that is new holds the letters `zz`.
import * as fc from 'fast-check';
import type { NewValue, PathValue } from '../../src/yaml/new-data.ts';
import type { Refusal } from '../../src/yaml/splice/refusals.ts';

type Path = PathValue['path'];

export interface Shape {
  readonly name: string;
  readonly template: string;
  /** Default: token and device ID in the inner map. */
  readonly paths?: readonly Path[];
  /** Why it is refused; without it, it is not. */
  readonly refused?: Refusal;
  /** Default: `vars.yml`. */
  readonly file?: string;
  /** Nothing may stand around it: JSON, or a whole file in braces. */
  readonly isWhole?: true;
}

export interface SpliceCase {
  readonly shape: Shape;
  readonly text: string;
  /** The text with NUL for what a value takes the place of, and without the lines that go with it. */
  readonly marked: string;
  readonly values: readonly PathValue[];
}

const ENVELOPE = '$ANSIBLE_VAULT;1.2;AES256;zz\nzz6162\nzz6364\nzz\n';

const INNER: readonly Path[] = [
  ['zz_bots', 'zz_rss', 'zz_token'],
  ['zz_bots', 'zz_rss', 'zz_device'],
];
const TOKEN: readonly Path[] = [['zz_bots', 'zz_rss', 'zz_token']];
const TOP: readonly Path[] = [['zz_token'], ['zz_device']];

const IN_BLOCK = (lines: string): string =>
  `%\nzz_bots:\n@%\n@zz_rss:\n@@%\n${lines}\n@@%\n@%\n%\n`;

/** At least twenty shapes; the first choice in each is the simplest. */
export const SHAPES: readonly Shape[] = [
  { name: 'keys at the top', template: '%\na: 1\n%\n', paths: TOP },
  { name: 'an empty file', template: '‹¦# c\n¦---\n¦\n\n¦---\n# c\n›', paths: TOP, isWhole: true },
  { name: 'a key in a map', template: IN_BLOCK('@@user: a‹¦ # c›') },
  { name: 'a missing inner map', template: '%\nzz_bots:\n@%\n@other: ‹1¦x\n@@y¦{}›\n@%\n%\n' },
  { name: 'a missing outer map', template: '%\nother:\n@%\n@x: 1\n@%\n%\n' },
  {
    name: 'a plain placeholder',
    template: IN_BLOCK('@@zz_token:‹ ¦   ›⟦‹TODO¦TOKEN_HERE¦~¦null¦x y›⟧‹¦ ¦ # c¦\t# c›'),
    paths: TOKEN,
  },
  {
    name: 'a quoted placeholder',
    template: IN_BLOCK(
      '@@‹zz_token¦"zz_token"¦\'zz_token\'›: ⟦‹""¦\'\'¦"TODO"¦\'a b\'¦"x: # y"›⟧‹¦ # c›',
    ),
    paths: TOKEN,
  },
  { name: 'no value', template: IN_BLOCK('@@zz_token:⟦⟧‹¦ ¦ # c¦\n@@@# deeper›'), paths: TOKEN },
  {
    name: 'a value on a line of its own',
    template: IN_BLOCK('@@zz_token:‹ # c¦›\n@@@⟦‹TODO¦"TODO"¦x\n@@@y›⟧‹¦ # d›'),
    paths: TOKEN,
  },
  {
    name: 'a block of text as the value',
    template: IN_BLOCK(
      '@@zz_token: ⟦‹|¦>-¦|+¦|2-›⟧‹¦ # c›\n⟪@@@‹TODO¦TODO\n\n@@@more›\n⟫‹¦\n¦\n\n›@@z: 1',
    ),
    paths: TOKEN,
  },
  {
    name: 'both values',
    template: IN_BLOCK('@@zz_device: ⟦x⟧‹ # c¦›\n@@%\n@@zz_token: ⟦TODO⟧‹¦ # d›'),
  },
  {
    name: 'an old vault value',
    template: IN_BLOCK(
      '@@zz_token: ‹¦&a ›⟦!vault |⟧‹¦ # c›\n⟪@@@$ANSIBLE_VAULT;1.1;AES256\n@@@6162\n⟫‹¦\n›@@z: 1',
    ),
    paths: TOKEN,
  },
  {
    name: 'a value of several lines',
    template: IN_BLOCK('@@zz_token: ⟦‹"a\n@@@b"¦\'a\n\n@@@b\'¦a\n@@@b\n@@@c›⟧‹¦ # c›'),
    paths: TOKEN,
  },
  {
    name: 'a tagged value',
    template: IN_BLOCK('@@zz_token: ⟦!!str ‹TODO¦"x"›⟧‹¦ # c›'),
    paths: TOKEN,
  },
  {
    name: 'an alias as the value',
    template: `anchor: &zz_a ‹TODO¦"x"›\n${IN_BLOCK('@@zz_token: ⟦*zz_a⟧‹¦ # c›')}`,
    paths: TOKEN,
  },
  { name: 'an anchor nobody uses', template: IN_BLOCK('@@zz_token: &zz_u ⟦TODO⟧'), paths: TOKEN },
  {
    name: 'comments that go on below',
    template: IN_BLOCK('@@zz_token: ⟦TODO⟧   # c\n@@               # d\n@@# e'),
    paths: TOKEN,
  },
  {
    name: 'a key without a map',
    template: '%\nzz_bots:\n@%\n@zz_rss:⟦‹¦ ~¦ null¦ {}¦ { }›⟧‹¦ # c¦\n@@# deeper›\n@%\n%\n',
  },
  { name: 'an outer key without a map', template: '%\nzz_bots:⟦‹¦ ~¦ {}›⟧‹¦ # c›\n%\n' },
  {
    name: 'an anchored map nobody uses',
    template: '%\nzz_bots: &zz_u‹¦ !!map›\n@%\n@a: 1\n@%\n%\n',
  },
  {
    name: 'a map in braces',
    template: '%\nzz_bots: {a: 1, zz_rss: {‹x: y¦x¦"x": [1]¦x: "a b"›⟦⟧}}‹¦ # c›\n%\n',
  },
  {
    name: 'empty braces in braces',
    template: '%\nzz_bots: {zz_rss: ‹⟦{}⟧¦⟦~⟧¦{⟦⟧ }›, a: 1}‹¦ # c›\n%\n',
  },
  {
    name: 'values in braces',
    template:
      '%\nzz_bots: {zz_rss: {‹zz_token: ⟦TODO⟧¦zz_token: ⟦"x"⟧¦"zz_token":⟦""⟧›, b: 1, ‹zz_device:⟦⟧ ¦zz_device⟦⟧¦zz_device: ⟦~⟧›}}‹¦ # c›\n%\n',
  },
  {
    name: 'braces over several lines',
    template: '%\nzz_bots: {\n@a: 1,\n@zz_rss: {\n@@x: y‹,¦›⟦⟧‹¦ # c¦ #,›\n@}‹¦,›\n}‹¦ # d›\n%\n',
  },
  {
    name: 'a file in braces',
    template: '‹¦---\n¦# c\n›{a: b, zz_bots: {‹x: 1¦zz_token: 1›⟦⟧}}‹¦\n¦ # c\n›',
    paths: [['zz_bots', 'zz_new']],
    isWhole: true,
  },
  {
    name: 'JSON',
    template: '{"a": 1e3, "zz_bots": {"zz_rss": {‹"x": null⟦⟧¦"zz_token": ⟦""⟧¦⟦⟧›}}}‹¦\n›',
    paths: TOKEN,
    isWhole: true,
  },
  {
    name: 'JSON over several lines',
    template: '{\n‹  ¦\t›"zz_bots": {\n‹  ¦\t›"zz_rss": {\n‹  ¦\t›"x": [1, "2"]⟦⟧\n}\n}\n}\n',
    isWhole: true,
  },
  {
    name: 'keys that are no names',
    template: '%\nzz_bots:\n@‹\'@zz:b\'¦"@zz:b"›:\n@@x: 1\n@@"12": y\n@%\n%\n',
    paths: [
      ['zz_bots', '@zz:b', 'zz token'],
      ['zz_bots', '@zz:b', 'zz: {{ x }}'],
    ],
  },
  {
    name: 'values in different maps',
    template: '%\nzz_b:\n@%\n@zz_device: ⟦x⟧\n@%\nzz_a:\n@%\n@y: 1\n%\n',
    paths: [
      ['zz_a', 'zz_token'],
      ['zz_b', 'zz_device'],
    ],
  },
  {
    name: 'an older comment',
    template: IN_BLOCK('@@# ‹c¦another›\n@@⟦# zz session: rss old⟧\n@@zz_token: ⟦‹TODO¦~›⟧'),
    paths: TOKEN,
  },
  {
    name: 'a merge in the map',
    template: `base: &zz_b\n@x: 1\n${IN_BLOCK('@@<<: *zz_b\n@@zz_token: ⟦TODO⟧')}`,
  },
  {
    name: 'a map by its alias',
    template: '%\nanchor: &zz_m {zz_rss: {a: 1}}\nzz_bots: *zz_m\n%\n',
    refused: 'ALIAS',
  },
  {
    name: 'a map that is used elsewhere',
    template: '%\nzz_bots:\n@zz_rss: &zz_m\n@@a: 1\n‹other: *zz_m¦other: {<<: *zz_m}›\n%\n',
    refused: 'SHARED',
  },
  {
    name: 'a value that is used elsewhere',
    template: `${IN_BLOCK('@@zz_token: &zz_m TODO')}other: *zz_m\n`,
    refused: 'SHARED',
  },
  {
    name: 'a merged key',
    template: `base: &zz_b {zz_token: TODO}\n${IN_BLOCK('@@<<: *zz_b\n@@x: 1')}`,
    refused: 'MERGED',
  },
  { name: 'a list on the way', template: '%\nzz_bots:\n@- zz_rss: 1\n@- 2\n%\n', refused: 'WAY' },
  {
    name: 'text on the way',
    template: '%\nzz_bots:\n@zz_rss: ‹x¦"x"¦12¦!vault |\n@@@abc›\n%\n',
    refused: 'WAY',
  },
  {
    name: 'a map as the value',
    template: IN_BLOCK('@@zz_token:‹ {}¦ {a: 1}¦\n@@@a: 1¦ []¦\n@@- 1›'),
    refused: 'VALUE',
  },
  {
    name: 'a key that is no text',
    template: '%\nzz_m:\n@‹12¦012›: x\n%\n',
    paths: [
      ['zz_m', '12'],
      ['zz_m', '012'],
    ],
    refused: 'KEY_TYPE',
  },
  {
    name: 'a map that is unsafe',
    template: '%\nzz_bots: !unsafe\n@zz_rss: {a: 1}\n%\n',
    refused: 'UNSAFE_MAP',
  },
  { name: 'no map at the top', template: '‹- 1\n¦x\n¦[1, 2]\n›', refused: 'TOP', isWhole: true },
];

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
