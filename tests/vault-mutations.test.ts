// Real envelopes, damaged at every place: what they hold comes out as it was, or an error of a known
// kind with its place, and never anything else. A few hundred in each run;
// MATRIX_TOKENS_TEST_MUTATIONS=all tries all of them (a minute).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { randomInt } from 'node:crypto';
import { InputError } from '../src/errors.ts';
import { Secret } from '../src/secret.ts';
import { keyringOf, openEnvelope } from '../src/vault/keyring.ts';

interface Vector {
  readonly name: string;
  readonly password: string;
  readonly label: string | null;
  readonly envelope: string;
}

const AT = { file: 'vault.yml', line: 7, column: 3 };
const AT_ONCE = 200;
const TRIED = 400;
const isThorough = process.env['MATRIX_TOKENS_TEST_MUTATIONS'] === 'all';

const fixtures = join(import.meta.dirname, '../../tests/fixtures/vault/vectors.json');
const vectors = JSON.parse(readFileSync(fixtures, 'utf8')) as readonly Vector[];

/** One change at one place of a text. */
const CHANGES: Readonly<Record<string, (text: string, at: number) => string>> = {
  'a character is lost': (text, at) => text.slice(0, at) + text.slice(at + 1),
  'a character is another one': (text, at) => put(text, at, text[at] === '3' ? '6' : '3', 1),
  'a bit is another one': (text, at) =>
    put(text, at, String.fromCharCode(text.charCodeAt(at) ^ 1), 1),
  'a digit too many': (text, at) => put(text, at, '3', 0),
  'two digits too many': (text, at) => put(text, at, '36', 0),
  'a space too many': (text, at) => put(text, at, ' ', 0),
  'a line end too many': (text, at) => put(text, at, '\n', 0),
  'two characters change places': (text, at) =>
    put(text, at, `${text[at + 1] ?? ''}${text[at] ?? ''}`, 2),
  'the rest is lost': (text, at) => text.slice(0, at),
  'the beginning is lost': (text, at) => text.slice(at),
  'a line stands twice': (text, at) => withLine(text, at, (line) => line + line),
  'a line is lost': (text, at) => withLine(text, at, () => ''),
};

for (const [name, change] of Object.entries(CHANGES)) {
  test(`a damaged envelope is refused, or opens to what it held: ${name}`, async () => {
    const all = vectors.flatMap(({ envelope }, index) =>
      Array.from(envelope, (_, at) => ({ index, at })),
    );
    const chosen = isThorough
      ? all
      : Array.from(
          { length: TRIED / Object.keys(CHANGES).length },
          () => all[randomInt(all.length)] ?? { index: 0, at: 0 },
        );
    for (let from = 0; from < chosen.length; from += AT_ONCE) {
      const some = chosen.slice(from, from + AT_ONCE);
      await Promise.all(some.map(({ index, at }) => assertRefusedOrSame(index, at, change)));
    }
  });
}

async function assertRefusedOrSame(
  index: number,
  at: number,
  change: (text: string, at: number) => string,
): Promise<void> {
  const vector = vectors[index];
  assert(vector !== undefined);
  const where = `vector ${index}, place ${at}`;
  const opened = await tryOpen(change(vector.envelope, at), vector, where);
  if (opened !== null)
    assert.deepEqual(opened, await tryOpen(vector.envelope, vector, where), where);
}

async function tryOpen(text: string, vector: Vector, where: string): Promise<Buffer | null> {
  const label = vector.label ?? 'default';
  const keyring = keyringOf([{ label, password: new Secret(vector.password) }]);
  try {
    return (await openEnvelope(text, keyring, AT)).plaintext;
  } catch (error) {
    assert(error instanceof InputError, `${where}: ${String(error)}`);
    const [fault] = error.faults;
    assert.match(fault?.code ?? '', /^E_VAULT_(?:FORMAT|PASSWORD)$/, where);
    assert.deepEqual(fault?.at, AT, where);
    return null;
  }
}

function put(text: string, at: number, instead: string, count: number): string {
  return text.slice(0, at) + instead + text.slice(at + count);
}

function withLine(text: string, at: number, change: (line: string) => string): string {
  const start = text.lastIndexOf('\n', at - 1) + 1;
  const end = text.indexOf('\n', at) + 1 || text.length;
  return text.slice(0, start) + change(text.slice(start, end)) + text.slice(end);
}
