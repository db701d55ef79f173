// Texts for the readers: random ones, ones made of the pieces that a format consists of, and files of
// the tests with something changed in them. Where a value may stand there is the canary now and then:
// no error may show it.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as fc from 'fast-check';
import { parseScript } from './cli-script.ts';
import { writtenDocuments } from './yaml-documents.ts';
import { brokenDocuments } from './yaml-samples.ts';

export const CANARY = 'hunter2canary';

/** Words with `¦` between them; § is the canary. */
function words(text: string): string[] {
  return text.replaceAll('§', CANARY).split('¦');
}

const ROOT = resolve(import.meta.dirname, '../../..');

/** The vars files and inventories of the cases in tests/cli, by the ending of their name. */
function filesOf(pattern: RegExp): string[] {
  const folder = join(ROOT, 'tests/cli');
  const texts = readdirSync(folder).flatMap((name) => {
    const { files } = parseScript(readFileSync(join(folder, name), 'utf8'));
    return [...files].filter(([path]) => pattern.test(path)).map(([, text]) => text);
  });
  return [...new Set(texts)].filter((text) => text !== '');
}

const YAML_FILES = [
  readFileSync(join(ROOT, 'inventory.example.yml'), 'utf8'),
  readFileSync(join(ROOT, 'vars/example.yml'), 'utf8'),
  ...filesOf(/\.ya?ml$/),
];
const INI_FILES = filesOf(/(?:hosts|\.ini|inventory)$/);

const TOKENS = words(
  '\n¦ ¦  ¦\t¦\r\n¦: ¦:¦- ¦# ¦"¦\'¦\\¦{¦}¦[¦]¦,¦|¦>¦&a ¦*a¦<<: ¦!vault ¦!unsafe ¦!!str ¦{{ ¦ }}¦{%¦---\n¦' +
    '...\n¦%YAML 1.1\n¦?¦~¦null¦yes¦0644¦1_000¦1e3¦.inf¦2024-01-01¦\ufeff¦\u2028¦\0¦é¦🐴¦\ud83d¦=¦;¦' +
    "[all]\n¦[a:vars]\n¦:children]¦[01:20]¦x=1 ¦k='v' ¦(¦)¦0x¦'''¦$ANSIBLE_VAULT;1.1;AES256\n¦6162\n¦" +
    '@¦`¦%¦/¦..¦§¦§¦"§"¦ §\n',
);

interface Change {
  readonly kind: 'insert' | 'delete' | 'double' | 'cut' | 'indent' | 'byte';
  readonly at: number;
  readonly length: number;
  readonly token: string;
}

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom('insert', 'insert', 'delete', 'double', 'cut', 'indent', 'byte'),
  at: fc.nat(1_000_000),
  length: fc.nat(40),
  token: fc.constantFrom(...TOKENS),
});

function applyChange(text: string, { kind, at, length, token }: Change): string {
  const start = at % (text.length + 1);
  const end = Math.min(text.length, start + length);
  switch (kind) {
    case 'insert':
      return text.slice(0, start) + token + text.slice(start);
    case 'delete':
      return text.slice(0, start) + text.slice(end);
    case 'double':
      return text.slice(0, end) + text.slice(start);
    case 'cut':
      return text.slice(0, start);
    case 'indent':
      return (
        text.slice(0, start).replace(/(^|\n)( *)(?=[^\n]*$)/, `$1$2${' '.repeat(length % 4)}`) +
        text.slice(start)
      );
    case 'byte':
      return text.slice(0, start) + String.fromCodePoint(at % 0x1_00) + text.slice(start + 1);
  }
}

/** One of these texts with a few changes in it. */
export function changed(texts: readonly string[], most = 6): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...texts), fc.array(change, { maxLength: most }))
    .map(([text, changes]) => changes.reduce(applyChange, text));
}

const pieces = fc.array(fc.constantFrom(...TOKENS, 'a', 'b', 'a: ', 'b:\n', 'k=v'), {
  maxLength: 40,
});

/** What nobody wrote: characters of all kinds, and the pieces of all formats. */
const randomTexts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('utf8')),
  pieces.map((parts) => parts.join('')),
);

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value, null, 1));

/** A value is the canary now and then. */
function withCanary(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(texts, fc.nat(5)).map(([text, at]) => {
    let count = 0;
    return text.replaceAll(/\b(?:more|text here|q r|x y|b c|v)\b/g, (word) =>
      count++ === at ? CANARY : word,
    );
  });
}

export const yamlTexts: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: changed(YAML_FILES) },
  { weight: 3, arbitrary: withCanary(writtenDocuments) },
  { weight: 3, arbitrary: withCanary(brokenDocuments) },
  { weight: 1, arbitrary: json },
  { weight: 1, arbitrary: randomTexts },
);

const iniValue = fc.constantFrom(
  ...words(
    "1¦x¦'a b'¦\"a b\"¦[1, 2]¦{'a': 'b'}¦(1,)¦True¦None¦1.5¦0x1f¦u'x'¦r\"\\d\"¦'''x'''¦'a' 'b'¦-1¦1 + 2j¦[¦" +
      `{"a": [¦# c¦a # c¦a;b¦¦b'x'¦{{ x }}¦"\\x41"¦'\\N{DASH}'¦1_000¦[[[[1]]]]¦§¦'§'`,
  ),
);
const iniName = fc.constantFrom(
  ...words(
    'h¦web[01:20]¦db[a:f].x¦10.0.0.1¦[::1]:22¦h:2222¦a b¦x[1:¦"q"¦é¦web[1:9:2]-[a:c]¦h[1:99999999]¦*¦a,b¦' +
      "::¦x:¦[a:z]¦-h¦h'x",
  ),
);
const iniLine = fc.oneof(
  fc
    .tuple(
      iniName,
      fc.array(fc.tuple(fc.constantFrom('a', 'b', 'ansible_host', ''), iniValue), { maxLength: 3 }),
    )
    .map(([name, vars]) => [name, ...vars.map(([key, value]) => `${key}=${value}`)].join(' ')),
  fc.constantFrom(
    '[a]',
    '[a:vars]',
    '[a:children]',
    '[b:vars]',
    '[b]',
    '[all:vars]',
    '[x:y]',
    '[',
    '[a] # c',
  ),
  fc.constantFrom('# c', '; c', '', '  ', 'a', 'b', '\tx', 'x = y', 'a=', '=b', `k = ${CANARY}`),
  fc.tuple(fc.constantFrom('a', 'b c', ''), iniValue).map(([key, value]) => `${key} = ${value}`),
);

export const iniTexts: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.array(iniLine, { maxLength: 8 }).map((lines) => lines.join('\n')) },
  { weight: 3, arbitrary: changed(INI_FILES) },
  { weight: 2, arbitrary: changed(['[a]\nh1 x=1\n[a:vars]\nk = "v"\n[b:children]\na\n'], 10) },
  { weight: 1, arbitrary: randomTexts },
);

const node: fc.Arbitrary<unknown> = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, {}, [], 1, true, 'x', CANARY, '{{ x }}'),
    fc.dictionary(
      fc.constantFrom(
        'all',
        'hosts',
        'children',
        'vars',
        'a',
        'b',
        'web[01:3]',
        'h:22',
        'plugin',
        '[::1]:2',
        '*',
        '',
      ),
      tie('node'),
      { maxKeys: 4 },
    ),
    fc.array(tie('node'), { maxLength: 2 }),
  ),
})).node;

export const yamlInventories: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: node.map((value) => JSON.stringify(value)) },
  { weight: 3, arbitrary: changed(YAML_FILES.filter((text) => /^all:/m.test(text))) },
  { weight: 2, arbitrary: node.map(blockText) },
  { weight: 1, arbitrary: yamlTexts },
);

/** In lines, as people write it. */
function blockText(value: unknown): string {
  return `${printLines(value, '')}\n`;
}

function printLines(value: unknown, margin: string): string {
  if (value === null || typeof value !== 'object' || Object.keys(value).length === 0) {
    return ` ${JSON.stringify(value)}`;
  }
  const lines = Object.entries(value).map(([key, inner]) => {
    const text = printLines(inner, `${margin}  `);
    return Array.isArray(value) ? `${margin}-${text}` : `${margin}${JSON.stringify(key)}:${text}`;
  });
  return `\n${lines.join('\n')}`;
}

export const configTexts: fc.Arbitrary<string> = fc.oneof(
  fc
    .array(
      fc.constantFrom(
        '[defaults]',
        '[x]',
        'a = b',
        'inventory=x',
        ' go on',
        '# c',
        '; c',
        'a:b ; c',
        '=',
        '[',
        '[DEFAULT]',
        '',
      ),
      {
        maxLength: 8,
      },
    )
    .map((lines) => lines.join('\n')),
  randomTexts,
);

export const extraTexts: fc.Arbitrary<string> = fc.oneof(
  fc
    .array(
      fc.constantFrom(
        'a=1',
        "b='x y'",
        'c="{{ d }}"',
        ' ',
        '{',
        '}',
        '{{',
        '}}',
        '"',
        "'",
        '\\',
        '\n',
        '{%',
        `p=${CANARY}`,
        '{"a": 1}',
        '@x',
        '[1]',
      ),
      {
        maxLength: 10,
      },
    )
    .map((parts) => parts.join('')),
  yamlTexts.map((text) => `{${text}`),
  randomTexts,
);
