import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { InputError } from '../src/errors.ts';
import type { Fault } from '../src/errors.ts';
import { buildMap } from '../src/yaml/new-data.ts';
import type { NewValue, PathValue } from '../src/yaml/new-data.ts';
import { spliceValues } from '../src/yaml/splice.ts';
import { REFUSALS } from '../src/yaml/splice/refusals.ts';

const ENVELOPE = '$ANSIBLE_VAULT;1.1;AES256\n3132\n3334\n';
const TOP = [['token'], ['device']] as const;
const DEEP = [
  ['bots', 'rss', 'token'],
  ['bots', 'rss', 'device'],
] as const;

type Paths = readonly (readonly [string, ...string[]])[];

interface Options {
  readonly paths?: Paths;
  readonly kind?: NewValue['kind'];
  readonly file?: string;
}

/** Puts a token and a device ID there: as envelopes, or as the texts `syt_0` and `syt_1`. */
function put(text: string, options: Options = {}): string {
  const { paths = TOP, kind = 'vault', file = 'vars.yml' } = options;
  const values = paths.map((path, index): PathValue => {
    return { path, value: { kind, text: kind === 'vault' ? ENVELOPE : `syt_${index}` } };
  });
  return spliceValues(text, {
    file,
    data: buildMap(values),
    comment: '# session: rss new',
    olderComment: '# session: rss ',
  });
}

/** Stands in for the lines of the envelope, `V`, and for the comment, `S`, at their indentation. */
function expand(text: string): string {
  return text.replaceAll(/^( *)V$/gm, (_, indent: string) =>
    ENVELOPE.trimEnd().replaceAll(/^/gm, `${indent}          `),
  );
}

const S = '# session: rss new';
const BLOCK = expand(`${S}\ntoken: !vault |\nV\ndevice: !vault |\nV\n`);

/** Names of cases with the file before and after. */
type Case = readonly [name: string, before: string, after: string];

const GROWN: readonly Case[] = [
  ['a file with a final newline', 'a: 1\n', `a: 1\n${BLOCK}`],
  ['a file without a final newline', 'a: 1', `a: 1\n${BLOCK}`],
  ['an empty file', '', BLOCK],
  ['a file with a comment only', '# mine', `# mine\n${BLOCK}`],
  ['a start mark and nothing else', '---\n', `---\n${BLOCK}`],
  ['a start mark and a comment at the end', '---\na: 1\n# x', `---\na: 1\n# x\n${BLOCK}`],
  ['an end mark', 'a: 1\n...\n', `a: 1\n${BLOCK}...\n`],
  ['an end mark without a newline', 'a: 1\n... # bye', `a: 1\n${BLOCK}... # bye`],
  ['text like an end mark in a block', 'a: |\n  ...\n', `a: |\n  ...\n${BLOCK}`],
  ['CRLF', 'a: 1\r\nb: 2\r\n', `a: 1\r\nb: 2\r\n${BLOCK.replaceAll('\n', '\r\n')}`],
  ['CRLF and no final newline', '# x\r\na: 1', `# x\r\na: 1\r\n${BLOCK.replaceAll('\n', '\r\n')}`],
  ['a byte order mark', '\ufeffa: 1\n', `\ufeffa: 1\n${BLOCK}`],
  [
    'indented keys',
    '  a: 1\n  b: 2\n',
    `  a: 1\n  b: 2\n${BLOCK.replaceAll(/^/gm, '  ').trimEnd()}\n`,
  ],
  ['a block that keeps its blank lines', 'a: |+\n  x\n\n\n', `a: |+\n  x\n\n\n${BLOCK}`],
  ['a block with a clipped end', 'a: |\n  x\n\n', `a: |\n  x\n\n${BLOCK}`],
  ['a stripped block without a final newline', 'a: >-\n  x\n  y', `a: >-\n  x\n  y\n${BLOCK}`],
  ['a vaulted block without a final newline', 'a: !vault |\n  $A', `a: !vault |\n  $A\n${BLOCK}`],
  ['a key without a value', 'a:', `a:\n${BLOCK}`],
  ['a list at the indentation of its key', 'a:\n- 1\n- 2\n', `a:\n- 1\n- 2\n${BLOCK}`],
  ['text over several lines', "a: 'x\n\n  y'\nb: c\n  d\n", `a: 'x\n\n  y'\nb: c\n  d\n${BLOCK}`],
  ['a flow map over several lines', 'a: {b: 1,\n  c: 2}\n', `a: {b: 1,\n  c: 2}\n${BLOCK}`],
  ['anchors, aliases, merges', 'a: &x {y: 0644}\n<<: *x\n', `a: &x {y: 0644}\n<<: *x\n${BLOCK}`],
  ['spaces on the last line', 'a: 1\n  ', `a: 1\n  \n${BLOCK}`],
  ['other tags and odd spacing', 'a  :   !!str  1   # x\n', `a  :   !!str  1   # x\n${BLOCK}`],
  ['nothing but braces', '---\n{}\n', `---\n${BLOCK}`],
  ['nothing but braces, and a comment', '{ } # mine\n', ` # mine\n${BLOCK}`],
];

for (const [name, before, after] of GROWN) {
  test(`keys are added at the end, every old byte kept: ${name}`, () => {
    assert.equal(put(before), after);
  });
}

const DEEPER: readonly Case[] = [
  [
    'into a map, behind its comments and before the blank line',
    'bots:\n  rss:\n    user: a\n    # of rss\n\n  other: 1\n',
    `bots:\n  rss:\n    user: a\n    # of rss\n    ${S}\n    token: !vault |\n    V\n    device: !vault |\n    V\n\n  other: 1\n`,
  ],
  [
    'with the inner map that is missing, indented as the file does',
    'bots:\n    other:\n        user: b # x\n# next\nz: 1\n',
    `bots:\n    other:\n        user: b # x\n    ${S}\n    rss:\n        token: !vault |\n        V\n        device: !vault |\n        V\n# next\nz: 1\n`,
  ],
  [
    'below a key without a value, behind the deeper comment',
    'bots:\n  # rss and others\nz: 1\n',
    `bots:\n  # rss and others\n  ${S}\n  rss:\n    token: !vault |\n    V\n    device: !vault |\n    V\nz: 1\n`,
  ],
  [
    'in the place of a null',
    'bots:\n  rss: ~  # none yet\n',
    `bots:\n  rss:  # none yet\n    ${S}\n    token: !vault |\n    V\n    device: !vault |\n    V\n`,
  ],
  [
    'in the place of empty braces, with their anchor',
    'bots: &bots {}\n',
    `bots: &bots\n  ${S}\n  rss:\n    token: !vault |\n    V\n    device: !vault |\n    V\n`,
  ],
  [
    'behind a block that keeps its blank lines',
    'bots:\n  rss:\n    text: |+\n      x\n\nz: 1\n',
    `bots:\n  rss:\n    text: |+\n      x\n\n    ${S}\n    token: !vault |\n    V\n    device: !vault |\n    V\nz: 1\n`,
  ],
  [
    'left of a comment that stands far to the right',
    'bots:\n  rss:\n    user: a\nz: 1\n',
    `bots:\n  rss:\n    user: a\n    ${S}\n    token: !vault |\n    V\n    device: !vault |\n    V\nz: 1\n`,
  ],
  [
    'into a map with a tag and a merge',
    'x: &x {a: 1}\nbots:\n  rss: !!map\n    <<: *x\n',
    `x: &x {a: 1}\nbots:\n  rss: !!map\n    <<: *x\n    ${S}\n    token: !vault |\n    V\n    device: !vault |\n    V\n`,
  ],
];

for (const [name, before, after] of DEEPER) {
  test(`keys are added to an inner map: ${name}`, () => {
    assert.equal(put(before, { paths: DEEP }), expand(after));
  });
}

const REPLACED: readonly Case[] = [
  [
    'a placeholder with its comment',
    'a: 1\ntoken:   TODO   # from Element\ndevice: ""\nz: 1\n',
    `a: 1\n${S}\ntoken:   !vault |   # from Element\nV\ndevice: !vault |\nV\nz: 1\n`,
  ],
  [
    'no value at all',
    'a: 1\ndevice: # of the bot\ntoken:\n',
    `a: 1\ndevice: !vault | # of the bot\nV\n${S}\ntoken: !vault |\nV\n`,
  ],
  [
    'the first line of a file, which does not become ours',
    'token: ~\ndevice: ~\n',
    `token: !vault |\nV\n${S}\ndevice: !vault |\nV\n`,
  ],
  [
    'the last line without a line break',
    'a: 1\ndevice: x\ntoken: TODO',
    `a: 1\ndevice: !vault |\nV\n${S}\ntoken: !vault |\nV\n`,
  ],
  [
    'text on a line of its own, with a tag',
    'a: 1\ntoken: !!str\n  "TODO"\ndevice:\n  x # c\n',
    `a: 1\n${S}\ntoken: \n  !vault |\nV\ndevice:\n  !vault | # c\nV\n`,
  ],
  [
    'text over several lines',
    'a: 1\ntoken: "TO\n  DO" # c\ndevice: x\n  y\n# end\n',
    `a: 1\n${S}\ntoken: !vault | # c\nV\ndevice: !vault |\nV\n# end\n`,
  ],
  [
    'blocks of text with their comments and the blank lines behind them',
    'a: 1\ntoken: | # c\n    TODO\n\n# d\ndevice: !vault |\n  $OLD\n  3132\n\n\nz: 1\n',
    `a: 1\n${S}\ntoken: !vault | # c\nV\n\n# d\ndevice: !vault |\nV\n\n\nz: 1\n`,
  ],
  [
    'a value with an anchor that nobody uses, and an alias',
    'a: &a x\ntoken: &t TODO\ndevice: *a\n',
    `a: &a x\n${S}\ntoken: &t !vault |\nV\ndevice: !vault |\nV\n`,
  ],
  [
    'keys in quotes with odd spaces',
    'a: 1\n"token" :\t"TODO"\n\'device\' : ~\n',
    `a: 1\n${S}\n"token" :\t!vault |\nV\n'device' : !vault |\nV\n`,
  ],
];

for (const [name, before, after] of REPLACED) {
  test(`what stands in the place of a value is replaced, and nothing else: ${name}`, () => {
    assert.equal(put(before), expand(after));
    const crlf = expand(after).replaceAll('\n', '\r\n');
    assert.equal(put(before.replaceAll('\n', '\r\n')), crlf);
  });
}

test('a comment that goes on below a value does not become part of the envelope', () => {
  const comment = `${' '.repeat(20)}# aligned with the one above\n`;
  const next = put(`a: 1\ntoken: TODO        # from Element,\n${comment}device: x\n`);
  assert(next.includes(`\n${' '.repeat(21)}3334\n${comment}device:`));
});

const Q = JSON.stringify(ENVELOPE);
const BRACES: readonly Case[] = [
  [
    'new keys on one line',
    'bots: {rss: {user: a}} # c\n',
    `bots: {rss: {user: a, token: !vault ${Q}, device: !vault ${Q}}} # c\n${S}\n`,
  ],
  [
    'an inner map in braces',
    'a: 1\nbots: {b: 1,}\n',
    `a: 1\n${S}\nbots: {b: 1, rss: {token: !vault ${Q}, device: !vault ${Q}}}\n`,
  ],
  [
    'old values of any kind',
    'a: 1\nbots: {rss: {"token":TODO, device}}\n',
    `a: 1\n${S}\nbots: {rss: {"token":!vault ${Q}, device: !vault ${Q}}}\n`,
  ],
  [
    'keys without a value, and a null on the way',
    'a: 1\nbots: {rss: ~, x: }\n',
    `a: 1\n${S}\nbots: {rss: {token: !vault ${Q}, device: !vault ${Q}}, x: }\n`,
  ],
  [
    'a map with a line for each key',
    'bots: {\n  rss: {\n    user: a # c\n  }\n}\n',
    `bots: {\n  rss: {\n    user: a, # c\n    token: !vault ${Q},\n    device: !vault ${Q}\n  }\n}\n${S}\n`,
  ],
  [
    'a whole file in braces, which gets no comment',
    '{bots: {rss: {}}}\n',
    `{bots: {rss: {token: !vault ${Q}, device: !vault ${Q}}}}\n`,
  ],
];

for (const [name, before, after] of BRACES) {
  test(`between braces everything stands on one line: ${name}`, () => {
    assert.equal(put(before, { paths: DEEP }), after);
  });
}

const J = `{"__ansible_vault": ${Q}}`;
const JSON_FILES: readonly Case[] = [
  [
    'on one line',
    '{"bots": {"rss": {"token": "TODO"}}, "f": 1e3}',
    `{"bots": {"rss": {"token": ${J}, "device": ${J}}}, "f": 1e3}`,
  ],
  [
    'formatted with tabs and CRLF',
    '{\r\n\t"bots": {\r\n\t\t"x": null\r\n\t}\r\n}\r\n',
    `{\r\n\t"bots": {\r\n\t\t"x": null,\r\n\t\t"rss": {"token": ${J}, "device": ${J}}\r\n\t}\r\n}\r\n`,
  ],
  ['empty, by its name', '{}\n', `{"bots": {"rss": {"token": ${J}, "device": ${J}}}}\n`],
];

for (const [name, before, after] of JSON_FILES) {
  test(`JSON stays JSON, with Ansible's own marks: ${name}`, () => {
    assert.equal(put(before, { paths: DEEP, file: 'vars.json' }), after);
    JSON.parse(after);
  });
}

test('in a file that is encrypted as a whole, texts are marked !unsafe', () => {
  const kind = 'unsafe';
  assert.equal(
    put('a: 1\ntoken: TODO # c\n', { kind }),
    `a: 1\n${S}\ntoken: !unsafe "syt_0" # c\ndevice: !unsafe "syt_1"\n`,
  );
  assert.equal(
    put('a: {token: ""}\n', { kind, paths: [['a', 'token']] }),
    `a: {token: !unsafe "syt_0"}\n${S}\n`,
  );
  assert.equal(
    put('{"a": 1}', { kind, paths: [['b']] }),
    '{"a": 1, "b": {"__ansible_unsafe": "syt_0"}}',
  );
});

test('what would be read as a number or a word with !unsafe stands in quotes alone', () => {
  for (const text of ['12', '1.5e+3', '0x1f', 'null', 'yes', '2024-01-01', '1:30']) {
    const data = buildMap([{ path: ['token'], value: { kind: 'unsafe', text } }]);
    const splice = { file: 'f', data, comment: S, olderComment: '# s' };
    assert.equal(spliceValues('a: 1\n', splice), `a: 1\n${S}\ntoken: "${text}"\n`);
    assert.equal(spliceValues('{"a": 1}', splice), `{"a": 1, "token": "${text}"}`);
  }
});

test('values in different maps are written at once, in whatever order they stand', () => {
  const paths: Paths = [
    ['b', 'token'],
    ['a', 'device'],
  ];
  assert.equal(
    put('a:\n  device: x\n  y: 1\nb:\n  token: TODO\n', { paths }),
    expand(`a:\n  device: !vault |\n  V\n  y: 1\nb:\n  ${S}\n  token: !vault |\n  V\n`),
  );
  assert.equal(
    put('a:\n  x: 1\nb:\n  y: 1', { paths }),
    expand(`a:\n  x: 1\n  device: !vault |\n  V\nb:\n  y: 1\n  ${S}\n  token: !vault |\n  V\n`),
  );
});

test('an older comment of the service gets the new text in its place, the last one of several', () => {
  const text =
    't: |\n  # session: rss text\n# session: rss 1\na: 1\n  # session: rss 2 \r\n# session: rs 3\n';
  assert.equal(
    put(text, { kind: 'unsafe', paths: [['a']] }),
    text.replace('# session: rss 2 ', '# session: rss new').replace('a: 1', 'a: !unsafe "syt_0"'),
  );
  const onlyInText = 't: |\n  # session: rss text\na: 1\n';
  assert.equal(
    put(onlyInText, { kind: 'unsafe', paths: [['a']] }),
    `t: |\n  # session: rss text\n${S}\na: !unsafe "syt_0"\n`,
  );
});

test('keys that are no plain names are found in quotes, and written in quotes', () => {
  const paths: Paths = [
    ['m', '@a:b'],
    ['m', '12'],
    ['m', 'yes'],
  ];
  assert.equal(
    put('m:\n  \'@a:b\': x\n  "12": y\n', { kind: 'unsafe', paths }),
    `m:\n  ${S}\n  '@a:b': !unsafe "syt_0"\n  "12": !unsafe "syt_1"\n  "yes": !unsafe "syt_2"\n`,
  );
});

/** Names of cases with the file, the place of the fault and its kind. */
const REFUSED: readonly (readonly [string, string, string, keyof typeof REFUSALS])[] = [
  ['a list', '- a\n- b\n', '1:1', 'TOP'],
  ['a string', 'a\n', '1:1', 'TOP'],
  ['a null with words', 'null\n', '1:1', 'TOP'],
  ['a tagged nothing', '--- !!null\n', '1:11', 'TOP'],
  ['a list on the way', 'bots:\n  - rss\n', '2:3', 'WAY'],
  ['text on the way', 'bots:\n  rss: x\n', '2:8', 'WAY'],
  ['text on the way in braces', 'bots: {rss: x}\n', '1:13', 'WAY'],
  ['a vaulted value on the way', 'bots:\n  rss: !vault |\n    $A\n', '2:8', 'WAY'],
  ['a map as the value', 'bots:\n  rss:\n    token: {a: 1}\n', '3:12', 'VALUE'],
  ['an empty list as the value', 'bots: {rss: {token: []}}\n', '1:21', 'VALUE'],
  ['a map by its alias', 'x: &x {rss: {a: 1}}\nbots: *x\n', '2:7', 'ALIAS'],
  ['a map that has an alias', 'bots:\n  rss: &r\n    a: 1\nx: *r\n', '2:8', 'SHARED'],
  ['a map that is merged elsewhere', 'bots: &b\n  rss: {}\nx:\n  <<: *b\n', '1:7', 'SHARED'],
  ['a value that has an alias', 'bots:\n  rss:\n    token: &t TODO\nx: *t\n', '3:12', 'SHARED'],
  ['a merged key', 'x: &x {token: TODO}\nbots:\n  rss:\n    <<: *x\n', '4:5', 'MERGED'],
  ['a merged map', 'x: &x {rss: {}}\nbots:\n  <<: *x\n  y: 1\n', '3:3', 'MERGED'],
  ['a number as key', 'bots:\n  12: {}\n', '2:3', 'KEY_TYPE'],
  ['a number as key in other digits', 'bots:\n  0644: {}\n', '2:3', 'KEY_TYPE'],
  ['a word as key', 'bots:\n  Yes: {}\n', '2:3', 'KEY_TYPE'],
  ['a map that is unsafe', 'bots: !unsafe\n  rss: {}\n', '1:7', 'UNSAFE_MAP'],
  ['a file that is unsafe', '!unsafe\na: 1\n', '2:1', 'UNSAFE_MAP'],
  ['empty braces that are unsafe', 'bots: !unsafe {}\n', '1:7', 'UNSAFE_MAP'],
  [
    'a block whose end a newline would change',
    'bots:\n  rss:\n    a: |\n      x',
    '4:8',
    'OPEN_END',
  ],
];

for (const [name, text, place, kind] of REFUSED) {
  test(`where there is no safe place, the fault says where and what to change: ${name}`, () => {
    const inner = /number as key in/.test(name) ? '0644' : /number/.test(name) ? '12' : 'rss';
    const key = name === 'a word as key' ? 'Yes' : inner;
    const paths: Paths = DEEP.map(([first, , last]) => [first, key, last]);
    const [fault] = faultsOf(() => put(text, { paths }));
    assert.deepEqual(fault, {
      code: 'E_NO_SAFE_SPLICE',
      at: {
        file: 'vars.yml',
        line: Number(place.split(':')[0]),
        column: Number(place.split(':')[1]),
      },
      ...REFUSALS[kind],
    });
  });
}

test('the page on hand-written files lists every reason with its cure', () => {
  const page = readFileSync(new URL('../../docs/hand-written-files.md', import.meta.url), 'utf8');
  const rows = new Map(
    page
      .replaceAll('&#124;', '¦')
      .split('\n')
      .map((line) => line.split('|').map((cell) => cell.trim()))
      .map(([, found = '', fix = '']) => [found, fix]),
  );
  for (const { found, fix } of Object.values(REFUSALS)) {
    assert.equal(rows.get(found), fix.replaceAll('|', '¦'));
  }
});

test('every reason is told at once', () => {
  const faults = faultsOf(() => put('token: [1]\ndevice: {a: 1}\n'));
  assert.deepEqual(
    faults.map(({ at }) => at?.line),
    [1, 2],
  );
});

test('a file that Ansible cannot read is refused as such', () => {
  assert.equal(faultsOf(() => put('a: {{ b }}\n'))[0]?.code, 'E_YAML');
});

test('an envelope of the longest token fits between braces, and in JSON', () => {
  const text = `$ANSIBLE_VAULT;1.1;AES256\n${`${'61'.repeat(40)}\n`.repeat(420)}`;
  for (const before of ['a: {b: 1}\n', '{"a": {"b": 1}}']) {
    const data = buildMap([{ path: ['a', 'token'], value: { kind: 'vault', text } }]);
    const next = spliceValues(before, { file: 'f', data, comment: S, olderComment: '# s' });
    assert(next.length > 34_000);
  }
});

function faultsOf(run: () => unknown): readonly Fault[] {
  try {
    run();
  } catch (error) {
    if (error instanceof InputError) return error.faults;
    throw error;
  }
  return assert.fail('nothing was refused');
}
