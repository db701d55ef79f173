// Files of every shape get their values: what our reader and the real loader of Ansible make of the new
// text is the old data with exactly the new values, and every other byte is the old one. For more cases
// than here: `npm run fuzz -- shapes splice`, and with Ansible `npm run test:oracle`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { InputError } from '../src/errors.ts';
import { buildMap, withNewData } from '../src/yaml/new-data.ts';
import type { NewValue, PathValue } from '../src/yaml/new-data.ts';
import { parseYaml } from '../src/yaml/parse.ts';
import { REFUSALS } from '../src/yaml/splice/refusals.ts';
import type { Refusal } from '../src/yaml/splice/refusals.ts';
import { spliceValues } from '../src/yaml/splice.ts';
import { compareWithAnsible, toTyped } from './helpers/ansible-loader.ts';
import { ansibleSkip } from './helpers/python.ts';
import { casesOf, firstChangedLine } from './helpers/splice-cases.ts';
import { SHAPES } from './helpers/splice-shapes.ts';
import { writtenDocuments } from './helpers/yaml-documents.ts';
import { sample } from './helpers/yaml-samples.ts';

const skip = await ansibleSkip();

/** `npm run test:oracle` asks for more. */
const CASES_OF_A_SHAPE = Number(process.env['MATRIX_TOKENS_ORACLE_RUNS'] ?? 1000) / 10;

interface Spliced {
  readonly before: string;
  readonly values: readonly PathValue[];
  readonly next: string;
}

/** Gives the new text, or why there is none: a listed reason, or a file that cannot be read. */
function splice(
  before: string,
  values: readonly PathValue[],
  file = 'vars.yml',
): Spliced | Refusal | 'E_YAML' {
  try {
    const comment = { comment: '# zz session: rss new', olderComment: '# zz session: rss ' };
    const next = spliceValues(before, { file, data: buildMap(values), ...comment });
    return { before, values, next };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return kindOf(error);
  }
}

function kindOf({ faults: [fault] }: InputError): Refusal | 'E_YAML' {
  if (fault?.code === 'E_YAML' || fault?.code === 'E_UNSUPPORTED') return 'E_YAML';
  const kinds = Object.keys(REFUSALS) as Refusal[];
  const kind = kinds.find((one) => REFUSALS[one].found === fault?.found);
  return kind ?? assert.fail(`${fault?.code} ${fault?.found}`);
}

const all: Spliced[] = [];

for (const shape of SHAPES) {
  test(`every byte but those of the values stays: ${shape.name}`, (t) => {
    const count = { spliced: 0, refused: 0 };
    for (const { text, marked, values } of sample(casesOf(shape), CASES_OF_A_SHAPE)) {
      const made = splice(text, values, shape.file);
      if (typeof made === 'string') {
        const isOpen = made === 'OPEN_END' && !text.endsWith('\n');
        if (!isOpen) assert.equal(made, shape.refused, JSON.stringify(text));
        count.refused += 1;
        continue;
      }
      assert.equal(shape.refused, undefined, JSON.stringify(text));
      assert.equal(firstChangedLine(marked, made.next), null, `${text}\n${made.next}`);
      all.push(made);
      count.spliced += 1;
    }
    t.diagnostic(`${shape.name}: ${count.spliced} spliced, ${count.refused} refused`);
  });
}

const value = (text: string): NewValue => ({ kind: 'unsafe', text });

test('in documents of any kind keys are added at the end, every old line kept', (t) => {
  const values = [{ path: ['zz_token'], value: value('zz0') }] as const;
  const made = sample(writtenDocuments, 2000).map((text) => splice(text, values));
  for (const one of made) {
    if (typeof one === 'string' || one.before.includes('{')) continue;
    assert.equal(firstChangedLine(one.before, one.next), null, `${one.before}\n${one.next}`);
  }
  keep(made, t);
});

test('in documents of any kind values are put into maps, or it is said why not', (t) => {
  const values = [
    { path: ['a', 'b', 'zz_token'], value: value('zz0') },
    { path: ['c'], value: value('zz1') },
  ] as const;
  keep(
    sample(writtenDocuments, 2000).map((text) => splice(text, values)),
    t,
  );
});

function keep(made: readonly (Spliced | Refusal | 'E_YAML')[], t: TestContext): void {
  const spliced = made.filter((one) => typeof one !== 'string');
  assert(spliced.length > 100, `only ${spliced.length} documents were changed`);
  all.push(...spliced);
  const kinds = made.filter((one) => typeof one === 'string');
  t.diagnostic(`${spliced.length} spliced, ${countText(kinds)}`);
}

function countText(kinds: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const kind of kinds) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${kind} ${count}`).join(', ');
}

test('Ansible reads the old data with exactly the new values', { skip }, async () => {
  assert(all.length > CASES_OF_A_SHAPE * 20, `only ${all.length} files were changed`);
  const expected = new Map(all.filter(isExact).map((one) => [one.next, one]));
  const read = (next: string): unknown => {
    const one = expected.get(next) ?? assert.fail();
    const at = { file: 'f', line: 1, column: 1 };
    return toTyped(withNewData(parseYaml(one.before, 'f'), buildMap(one.values), at));
  };
  const { refused, different } = await compareWithAnsible('yaml', [...expected.keys()], read);
  assert.deepEqual(refused, []);
  assert.deepEqual(different, []);
});

/** A vaulted value at the end of a file without a newline gets one, which is no part of it. */
function isExact({ before }: Spliced): boolean {
  return before.endsWith('\n') || !before.includes('!vault');
}
