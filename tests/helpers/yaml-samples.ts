// Generated YAML: scalars near the borders of what PyYAML resolves, and documents near the borders
// of what libyaml reads. Each piece stands for something that the YAML package reads differently.
import * as fc from 'fast-check';

/** Set for other samples than the usual ones. */
const SEED = Number(process.env['MATRIX_TOKENS_SAMPLE_SEED'] ?? 1);

/** Gives samples, the same in every run, so that a text that fails can be tried again. */
export function sample<T>(arbitrary: fc.Arbitrary<T>, count: number): T[] {
  return fc.sample(arbitrary, { numRuns: count, seed: SEED });
}

/** One of these texts, given in rows. */
export function oneOf(...rows: readonly (readonly string[])[]): fc.Arbitrary<string> {
  return fc.constantFrom(...rows.flat());
}

const words = (text: string): string[] => text.split('|').map((word) => word.replaceAll('¦', '|'));

const pieces = fc.constantFrom(
  ...words(
    '0|1|7|8|9|12|_|.|:|-|+|e|E|x|0x|0b|0o|a|f|inf|Inf|.nan|T|Z| |00|59|60|2024|-01|-31|yes|no|On|OFF|y|n|true|Null|~|null|=|<<|é|#|!|?|@|%|¦|"|\'|{{ x }}|\\|/|,|[|]|{|}|&|*|>|`|🐴',
  ),
);

const joined = fc.array(pieces, { minLength: 1, maxLength: 7 }).map((parts) => parts.join(''));
const numbers = fc.stringMatching(
  /^[-+]?[0-9_]{0,4}[.:x_b]?[0-9a-f_:.]{0,5}([eE][-+]?[0-9]{1,2})?$/,
);
const dates = fc.stringMatching(/^[012][09][0-9]{2}-[01][0-9]-[0-3][0-9]$/);
const timestamps = fc.stringMatching(
  /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]{1,2})?[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]{0,8})? ?(Z|[-+][0-9]{1,2}(:[0-9]{2})?)?$/,
);

const scalars = fc.oneof(
  { arbitrary: joined, weight: 4 },
  { arbitrary: numbers, weight: 4 },
  dates,
  timestamps,
);

const scalarPlaces = oneOf(
  ['k: @\n', '- @\n', '@: v\n', '[@]\n', '{a: @}\n', '{@}', '@', 'k: "@"', "k: '@'"],
  ['k: !unsafe @\n', 'k: !unsafe "@"\n', "k: !vault '@'\n", 'k: !!float @\n', 'k: !!int @\n'],
  ['k: !!str @', 'k: !!timestamp @', 'k: !!bool @', 'k: !!null @'],
);

/** Small documents around one scalar: plain, quoted, tagged, as a key, in flow collections. */
export const scalarDocuments: fc.Arbitrary<string> = fc
  .tuple(scalars, scalarPlaces)
  .map(([scalar, place]) => place.replace('@', () => scalar));

const lineEnds = fc.constantFrom('\n', '\n', '\r\n');

const soupWord = fc.constantFrom(
  ...words(
    'a|b|key|x y|yes|12|0644|"q r"|\'s\'\'t\'|""|~|null|*a|*b|&a|&b|!unsafe|!vault|!!str|!!map|!foo|<<|¦|>|¦-|>+|¦2|# c| # c|{|}|[|]|,|:|?|-|- |{a: 1}|[1, 2]|{a: b, c: *a}|<<: *a|<<: [*a, *b]|"a\\nb"|x:y|x#y|%x|@|`|---|...|\t|http://x.y/z|{{ j }}|"{{ j }}"|2024-01-01|1.5|é|a: b|- a|: b|&a x: y|"k": v|"|\'|-1| "a|b"|\\|  |    ',
  ),
);
const soupGap = fc.constantFrom('', ' ', ' ', ' ', '  ', ': ', ': ', ': ', '\t');
const soupLine = fc
  .tuple(
    fc.constantFrom('', '', '', '  ', '  ', '    ', ' ', '- ', '- ', '  - ', '\t'),
    fc.array(fc.tuple(soupWord, soupGap), { maxLength: 4 }),
    fc.constantFrom('', '', '', ':', ': ', ' #c', ' '),
  )
  .map(([indent, parts, end]) => indent + parts.flat().join('') + end);
const soup = fc
  .tuple(fc.array(soupLine, { minLength: 1, maxLength: 6 }), lineEnds, fc.boolean())
  .map(([lines, newline, closed]) => lines.join(newline) + (closed ? newline : ''));

const blockLine = fc
  .tuple(
    fc.constantFrom('', '', '  ', '  ', '   ', '    ', ' ', '      ', '\t', '  \t'),
    fc.constantFrom('', '', 'a', 'b c', '# x', '- d', 'e: f', 'g ', '  ', '\th', '---', '...'),
  )
  .map((parts) => parts.join(''));

/** A block scalar with any indentation, blank lines, and ends of the file. */
const blocks = fc
  .tuple(
    fc.constantFrom('k: ', '- ', 'a:\n  b: ', '- - ', 'k: !vault ', '- k: ', 'k: &a '),
    fc.constantFrom('|', '>', '|-', '>-', '|+', '>+', '|2', '|1-', '>3+', '| #c', '|-  '),
    fc.array(blockLine, { maxLength: 7 }),
    lineEnds,
    fc.constantFrom('', '\n', '\nz: 1\n', '\n# c\n', '\n\n', '\n  # c\n'),
  )
  .map(([start, header, lines, newline, end]) =>
    `${start}${header}\n${lines.join('\n')}${end}`.replaceAll('\n', newline),
  );

const quotedPart = fc.constantFrom(
  ...words(
    "|a|b c| # x|e:f|\t|g |\\\\|\\n|h\\|\\ i|''|\\\"|\\x41|\\u00e9|\\ud83d|\\U0001F434|\\/|\\N|\\0|\\L|k: l|- m|#n",
  ),
);

/** A quoted or plain scalar over several lines. */
const quoted = fc
  .tuple(
    fc.constantFrom('k: ', '- ', 'a:\n  b: ', '[', '{x: '),
    fc.constantFrom('"', "'", ''),
    fc.array(fc.tuple(fc.constantFrom('', '', '  ', '    ', ' ', '\t'), quotedPart), {
      maxLength: 5,
    }),
    lineEnds,
    fc.constantFrom('', '\n', '\nz: 1\n', ' # c\n', ']', '}\n', ', x]\n'),
  )
  .map(([start, quote, parts, newline, end]) => {
    const body = parts.map((part) => part.join('')).join('\n');
    return `${start}${quote}${body}${quote}${end}`.replaceAll('\n', newline);
  });

const flowPart = fc.constantFrom(
  ...words(
    '[|]|{|}|,|:|?|a|b c|"q"|\'s\'|12|*a|&a x|<<|-|- |#c|x:y|http://a|!unsafe|!!str|{{ j }}|"{{ j }}"|yes|@|a#b|a?b|-b|:b|?b|\n|\n  |',
  ),
);

/** A flow collection, rarely a good one. */
const flows = fc
  .tuple(
    fc.constantFrom('', 'k: ', '- ', 'a:\n  b: '),
    fc.constantFrom('[', '{', ''),
    fc.array(fc.tuple(flowPart, fc.constantFrom('', ' ', '', ': ', ', ')), { maxLength: 9 }),
    fc.constantFrom('', ']', '}', '}\n', ']\n'),
  )
  .map(([start, open, parts, end]) => start + open + parts.flat().join('') + end);

/** Texts in which most details are wrong, and some are right by luck. */
export const brokenDocuments: fc.Arbitrary<string> = fc.oneof(soup, blocks, quoted, flows);
