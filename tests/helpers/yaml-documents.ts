// Generated YAML documents as people write them: maps and lists with every kind of scalar, tags,
// anchors, aliases and merges, comments, blank lines, marks, and both newline styles.
import * as fc from 'fast-check';

type Value =
  | { readonly scalar: string }
  | { readonly tag: string; readonly entries: readonly (readonly [string, Value, string])[] }
  | { readonly tag: string; readonly items: readonly Value[] };

/** `@` is the indentation of lines that belong to the scalar. */
const SCALARS = [
  ['a', 'yes', '12', '0644', '1.5', '~', '', '2024-01-01', 'x:y', 'x#y', 'plain text here'],
  ['"q r"', "'s''t'", '""', '"{{ j }}"', '"dq \\t \\"x\\""', 'a # c', '"x" # c', 'a \t# c'],
  ['!unsafe "{{ x }}"', '!unsafe plain', '!vault "abc"', '!!str 12', '*anc', '*anc2'],
  ['{a: 1, <<: *anc}', '[*anc, x]', '{}', '[]', '{a: [b, {c: d}], "e": f}', '[a, b: c]'],
  ['[\n@a,\n@ b # c\n@]', '{\n@a: 1,\n@ b: "x\n@ y"\n@}', 'multi\n@two\n\n@three'],
  ['"dq multi\n@ line\\\n@ next\n\n@ end"', "'sq multi\n\n\n@ two'"],
  ['|\n@text\n@ more\n@\n@end\n', '|-\n@strip\n\n', '|+\n@keep\n\n\n', '| # c\n@text\n'],
  ['>\n@folded\n@lines\n@\n@  more\n@end\n', '>-\n@fold\n@\n@\n@x\n', '>+\n@keep\n@two\n\n'],
  ['>\n@a\n\n@ b\n@ c\n\n@d\n', '|2-\n@  ind\n@ x\n', '|1\n@ x\n', '|\n\n\n@a\n\n\n@b'],
  '!vault |\n@$ANSIBLE_VAULT;1.1;AES256\n@6162\n@6364\n',
].flat();

const KEYS = [
  ['a', 'b', 'c', 'd', '"q k"', "'s'", 'yes', '12', '<<', '<<', 'k k', '~', '1.5', 'y'],
  ['2024-01-01', '!!str 1', 'x.y', 'k-e', '&kk kz', '=', '"<<"', '{{ k }}'],
].flat();

const tags = (own: string): fc.Arbitrary<string> =>
  fc.constantFrom('', '', '', '&anc ', '&anc2 ', '!unsafe ', own, '&anc !unsafe ');

const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    { arbitrary: fc.constantFrom(...SCALARS).map((scalar) => ({ scalar })), weight: 3 },
    {
      arbitrary: fc.record({
        tag: tags('!!map '),
        entries: fc.array(
          fc.tuple(
            fc.constantFrom(...KEYS),
            tie('value'),
            fc.constantFrom('', '', '\n', '# c\n', ' # c\n'),
          ),
          { minLength: 1, maxLength: 4 },
        ),
      }),
      weight: 3,
    },
    {
      arbitrary: fc.record({
        tag: tags('!!seq '),
        items: fc.array(tie('value'), { minLength: 1, maxLength: 3 }),
      }),
      weight: 1,
    },
  ),
}));

/** Whole documents with what may stand before and behind them. */
export const writtenDocuments: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('', '', '', '---\n', '# head\n', '---\n# x\n', '\ufeff', '%YAML 1.1\n---\n'),
    value,
    fc.constantFrom('', '', '', '...\n', '# end\n', '\n\n', '  # e\n', '---\n', '... # c\n'),
    fc.constantFrom('\n', '\n', '\r\n'),
    fc.boolean(),
  )
  .map(([head, root, tail, newline, cut]) => {
    const text = head + printRoot(root) + tail;
    return (cut ? text.replace(/\n$/, '') : text).replaceAll('\n', newline);
  });

function printRoot(root: Value): string {
  const text = print(root, 0);
  return 'scalar' in root || root.tag !== '' ? text : text.replace(/^\n/, '');
}

function print(node: Value, indent: number): string {
  const margin = ' '.repeat(indent);
  if ('scalar' in node) {
    const text = ` ${node.scalar.replaceAll('@', `${margin}  `)}`;
    return text.endsWith('\n') ? text : `${text}\n`;
  }
  const start = node.tag === '' ? '\n' : ` ${node.tag}\n`;
  const lines =
    'entries' in node
      ? node.entries.map(([key, one, after]) => `${margin}${key}:${print(one, indent + 2)}${after}`)
      : node.items.map((item) => printItem(item, indent));
  return start + lines.join('');
}

/** An untagged map begins on the line of its dash. */
function printItem(item: Value, indent: number): string {
  const text = print(item, indent + 2);
  const isCompact = 'entries' in item && item.tag === '';
  return `${' '.repeat(indent)}-${isCompact ? ` ${text.trimStart()}` : text}`;
}
