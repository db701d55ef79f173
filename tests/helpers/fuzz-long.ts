// Fuzz target: long texts that repeat themselves. No reader takes more than linear time: a text that is
// four times as long may take a little more than four times the CPU time.
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { parseConfigFile } from '../../src/ansible/config-file.ts';
import { parseExtraVars } from '../../src/ansible/extra-vars.ts';
import { parseIniInventory } from '../../src/ansible/inventory-ini.ts';
import { parseYamlInventory } from '../../src/ansible/inventory-yaml.ts';
import { parsePythonLiteral } from '../../src/ansible/python-literal.ts';
import { resolveNode } from '../../src/ansible/references.ts';
import { parseSessions } from '../../src/store/text.ts';
import { parseEnvelope } from '../../src/vault/envelope.ts';
import { buildMap } from '../../src/yaml/new-data.ts';
import { parseYaml } from '../../src/yaml/parse.ts';
import { spliceValues } from '../../src/yaml/splice.ts';
import { defineTarget, readSafely } from './fuzz.ts';

const AT = { file: 'f', line: 1, column: 1 };
const DATA = buildMap([{ path: ['zz', 'a'], value: { kind: 'unsafe', text: 'v' } }]);

const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  vars: (text) => parseYaml(text, 'f'),
  splice: (text) =>
    spliceValues(text, { file: 'f', data: DATA, comment: '# zz new', olderComment: '# zz ' }),
  ini: (text) => parseIniInventory(text, 'f'),
  inventory: (text) => parseYamlInventory(text, 'f'),
  envelope: (text) => parseEnvelope(text, AT),
  python: (text) => parsePythonLiteral(text, AT),
  config: (text) => parseConfigFile(text, 'f'),
  extra: (text) => parseExtraVars(text, () => ''),
  reference: (text) =>
    resolveNode({ kind: 'scalar', at: AT, value: text }, () => ({ found: null, closed: [] })),
  sessions: parseSessions,
};

const UNITS = (
  'a¦ ¦\t¦\n¦a: b\n¦- ¦- a\n¦[¦[]¦{¦{a: ¦{a,¦a,¦"¦\'¦""¦\\¦#¦# c\n¦ #¦a #\n¦&a ¦*a ¦!¦' +
  '!!str ¦%¦|\n¦ \n¦\r\n¦a\n¦a: |\n x\n¦? a\n¦: ¦?¦-¦.¦...\n¦---\n¦<<: *a\n¦é¦' +
  "a: {b: [c]}\n¦[a:b]¦[a]¦[1:2]¦[1:¦a=1 ¦a=\"b\" ¦=¦;¦:¦a.¦_¦(¦'''¦0_¦1.¦{{¦{{ a }}¦}}¦" +
  '{%¦61¦ a¦a: \t\n¦ \t¦[a]\n¦[a:vars]\n¦[a:children]\nb\n¦' +
  '# matrix-tokens: service=a user_id=b device_id=c\n¦  # zz \n¦a: [\n¦"a": ¦\\n¦\\x¦\\\n¦' +
  "a:\n ¦{a: b}, ¦a#b¦- - ¦a: 'b'\n¦k: >-\n\n"
).split('¦');
const PREFIXES = (
  '¦a: ¦a: "¦a: \'¦[¦{¦{a ¦a: |\n ¦a: |\n \t\n ¦$ANSIBLE_VAULT;¦[all]\nh ¦' +
  '$ANSIBLE_VAULT;1.1;AES256\n¦[all]\nh a=¦[all:vars]\na=¦all:\n  hosts:\n    ¦[d]\na¦a=¦' +
  '- ¦# ¦zz:\n¦zz: {¦{{ ¦"¦[d]\na = ¦a: !!¦a: &¦%YAML ¦---\n¦b: 1\n'
).split('¦');
const SUFFIXES = ['', '\n', 'x', '"', '}\n', ']\n', ': 1\n', '!'];

const SHORT = 8000;

/** Below this nothing can be said of a growth. */
const SUSPECT_MS = 150;
const MOST_GROWTH = 9;

function cpuMs(work: () => unknown): number {
  const before = process.cpuUsage();
  readSafely(work);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

export interface LongCase {
  readonly reader: string;
  readonly prefix: string;
  readonly units: readonly string[];
  readonly suffix: string;
}

/** Throws where a reader takes more than linear time for a text like this. */
export function checkGrowth({ reader, prefix, units, suffix }: LongCase): string {
  const read = READERS[reader] ?? assert.fail(`no such reader: ${reader}`);
  const unit = units.join('');
  const make = (length: number): string =>
    prefix + unit.repeat(Math.ceil(length / unit.length)) + suffix;
  const [short, longer] = [make(SHORT), make(4 * SHORT)];
  if (cpuMs(() => read(longer)) < SUSPECT_MS) return 'quick';
  const best = (text: string): number => Math.min(...[1, 2, 3].map(() => cpuMs(() => read(text))));
  const growth = best(longer) / Math.max(1, best(short));
  assert(growth < MOST_GROWTH, `four times the text takes ${growth.toFixed(1)} times as long`);
  return 'linear';
}

const long = defineTarget(
  { name: 'long', about: 'long texts that repeat themselves: linear time', runs: 3000 },
  fc.record({
    reader: fc.constantFrom(...Object.keys(READERS)),
    prefix: fc.constantFrom(...PREFIXES),
    units: fc.array(fc.constantFrom(...UNITS), { minLength: 1, maxLength: 2 }),
    suffix: fc.constantFrom(...SUFFIXES),
  }),
  checkGrowth,
);

export const longTargets = [long] as const;
