// Vars files as people keep them, of many shapes, around a place where a value belongs. What a shape
// leaves open is chosen at random: other entries and comments around the place, indentation, line
// ends, marks at both ends of the file.
//
// In a template `@` is one step of indentation, a line that ends with `%` is any number of other
// entries at its indentation, and `‹a¦b›` is one of both. ⟦…⟧ is what a value takes the place of, ⟪…⟫
// are whole lines that go with it. Everything that is new holds the letters `zz`.
import type { PathValue } from '../../src/yaml/new-data.ts';
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

/** Where most shapes have their place. */
export const INNER: readonly Path[] = [
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
