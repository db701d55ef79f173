// Fuzz targets: files in which a value is put.
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { MapNode, YamlNode } from '../../src/yaml/node.ts';
import { buildMap, withNewData } from '../../src/yaml/new-data.ts';
import type { NewValue, PathValue } from '../../src/yaml/new-data.ts';
import { parseFull, parseYaml } from '../../src/yaml/parse.ts';
import { isSameData } from '../../src/yaml/same-data.ts';
import { REFUSALS } from '../../src/yaml/splice/refusals.ts';
import { spliceValues } from '../../src/yaml/splice.ts';
import { checkError, defineTarget } from './fuzz.ts';
import { yamlTexts } from './fuzz-texts.ts';
import { casesOf, firstChangedLine } from './splice-cases.ts';
import { SHAPES } from './splice-shapes.ts';

const LISTED = new Set<string>(Object.values(REFUSALS).map(({ found }) => found));
const COMMENT = { comment: '# zz session: rss new', olderComment: '# zz session: rss ' };
const AT = { file: 'f', line: 1, column: 1 };

/** Gives the new text, or null where it is refused for a listed reason. */
function trySplice(text: string, values: readonly PathValue[], file: string): string | null {
  try {
    return spliceValues(text, { file, data: buildMap(values), ...COMMENT });
  } catch (error) {
    checkError(error);
    for (const { code, found } of error.faults) {
      const isListed =
        code === 'E_NO_SAFE_SPLICE' ? LISTED.has(found) : /^E_(?:YAML|UNSUPPORTED)$/.test(code);
      assert(isListed, `${code}: ${found}`);
    }
    return null;
  }
}

function checkResult(text: string, next: string, values: readonly PathValue[], file: string): void {
  const expected = withNewData(parseYaml(text, file), buildMap(values), AT);
  const read = parseFull(next, file);
  assert(
    read !== null && isSameData(read, expected),
    'it does not hold the old data and the values',
  );
  const second = values.map(({ path, value }) => ({
    path,
    value: { ...value, text: `${value.text.trimEnd()}zz` },
  }));
  const again = trySplice(next, second, file);
  assert(again !== null, 'the next login finds no place any more');
  assert.equal(again.split('\n').length, next.split('\n').length, 'the next login adds lines');
}

const shapes = defineTarget(
  {
    name: 'shapes',
    about: 'files of the listed shapes: every byte but those of the values stays',
    runs: 100_000,
  },
  fc.constantFrom(...SHAPES).chain(casesOf),
  ({ shape, text, marked, values }) => {
    const file = shape.file ?? 'f.yml';
    const next = trySplice(text, values, file);
    if (next === null) {
      assert(shape.refused !== undefined || !text.endsWith('\n'), 'a shape that is not refused');
      return 'refused';
    }
    assert.equal(shape.refused, undefined, 'a shape that is refused');
    assert.equal(firstChangedLine(marked, next), null, 'a line that is neither old nor new');
    checkResult(text, next, values, file);
    return 'spliced';
  },
);

/** Paths of keys that the file has, and of some that it has not. */
function pathsOf(root: YamlNode | null, picks: readonly number[]): PathValue['path'] {
  const path: string[] = [];
  let node = root;
  for (const pick of picks) {
    const entry: MapNode['entries'][number] | undefined =
      node?.kind === 'map' ? node.entries[pick % (node.entries.length + 1)] : undefined;
    path.push(typeof entry?.key === 'string' ? entry.key : 'zz_key');
    if (entry === undefined) break;
    node = entry.value;
  }
  const [first = 'zz_key', ...rest] = path;
  return [first, ...rest];
}

const value: fc.Arbitrary<NewValue> = fc.constantFrom(
  { kind: 'vault', text: '$ANSIBLE_VAULT;1.1;AES256\n6162\n6364\n' },
  { kind: 'unsafe', text: 'zz_value' },
  { kind: 'unsafe', text: '12' },
);

const files = defineTarget(
  {
    name: 'splice',
    about: 'vars files of any kind, and keys that they have or have not',
    runs: 150_000,
  },
  fc.record({
    text: yamlTexts,
    picks: fc.array(fc.nat(6), { minLength: 1, maxLength: 4 }),
    value,
    file: fc.constantFrom('f.yml', 'f.json'),
  }),
  ({ text, picks, value: one, file }) => {
    const values = [{ path: pathsOf(readOrNull(text), picks), value: one }];
    const next = trySplice(text, values, file);
    if (next === null) return 'refused';
    checkResult(text, next, values, file);
    return 'spliced';
  },
);

function readOrNull(text: string): YamlNode | null {
  try {
    return parseYaml(text, 'f');
  } catch (error) {
    checkError(error);
    return null;
  }
}

export const spliceTargets = [shapes, files] as const;
