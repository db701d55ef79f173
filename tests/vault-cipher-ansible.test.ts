// Our envelopes beside those of the real ansible-core, thousands of them.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { InputError } from '../src/errors.ts';
import { Secret } from '../src/secret.ts';
import { open, PaddingError, seal } from '../src/vault/cipher.ts';
import { formatEnvelope, parseEnvelope } from '../src/vault/envelope.ts';
import { ansiblePython, ansibleSkip } from './helpers/python.ts';

const AT = { file: 'vault.yml', line: 1, column: 1 };
const PASSWORD = 'pässwörd';
const SECRET = new Secret(PASSWORD);
const PROGRAM = join(import.meta.dirname, '../../tests/helpers/ansible_vault.py');

const skip = await ansibleSkip();

test('Ansible opens what we seal, and we open what Ansible seals', { skip }, async () => {
  const contents = [0, 1, 15, 16, 17, 1000, 100_000].map((size) => randomBytes(size));
  contents.push(Buffer.from('grün 🐴\r\n\n'));
  const labels = [null, 'default', 'dev', 'my id_1.x-y'];
  const cases = contents.flatMap((content) => labels.map((label) => ({ content, label })));
  const ours = await Promise.all(
    cases.map(({ content, label }) => seal(content, SECRET, { label })),
  );
  const opened = await askAnsible(
    ours.map((envelope) => ({ do: 'decrypt', text: formatEnvelope(envelope), password: PASSWORD })),
  );
  assert.deepEqual(
    opened,
    cases.map(({ content }) => content.toString('base64')),
  );
  const theirs = await askAnsible(
    cases.map(({ content, label }) => {
      return { do: 'encrypt', text: content.toString('base64'), password: PASSWORD, label };
    }),
  );
  for (const [index, { content, label }] of cases.entries()) {
    const envelope = parseEnvelope(theirs[index] ?? '', AT);
    assert.equal(envelope.label, label === 'default' ? null : label);
    assert.equal(formatEnvelope(envelope), theirs[index]);
    assert.deepEqual(await open(envelope, SECRET), content);
  }
});

test(
  'whatever damaged envelope we open, Ansible opens to the same; the rest is a typed error',
  {
    skip,
  },
  async () => {
    const [plain, labelled] = await Promise.all([
      seal(Buffer.from('some content'), SECRET, { label: null }),
      seal(Buffer.from('some content'), SECRET, { label: 'dev' }),
    ]);
    const change = fc.tuple(
      fc.constantFrom(formatEnvelope(plain), formatEnvelope(labelled)),
      fc.nat(),
      fc.nat(3),
      fc.oneof(
        fc.string({ maxLength: 2 }),
        fc.constantFrom('', '\n', '\r\n', '\r', ' ', ';', '0', 'A', '\v', '\f', '\u0085', '\u2028'),
      ),
    );
    const seed = randomBytes(4).readInt32LE();
    const texts = fc.sample(change, { numRuns: 1500, seed }).map(([text, place, count, put]) => {
      // Most of the layout is in the header and at the line ends, so most changes go there.
      const spots = [
        place % text.length,
        place % 32,
        28 + (place % 4) * 81 + ((place >> 8) % 3) - 1,
      ];
      const from = spots[place % 3] ?? 0;
      return text.slice(0, from) + put + text.slice(from + count);
    });
    const jobs = texts.map((text) => ({ do: 'decrypt', text, password: PASSWORD }));
    const theirs = await askAnsible(jobs);
    let opened = 0;
    for (const [index, text] of texts.entries()) {
      const ours = await openOrRefuse(text);
      if (ours === null) continue;
      opened += 1;
      assert.equal(ours.toString('base64'), theirs[index], `seed ${seed}: ${JSON.stringify(text)}`);
    }
    assert.ok(
      opened > 50 && opened < texts.length - 50,
      `${opened} of ${texts.length} were opened`,
    );
  },
);

async function openOrRefuse(text: string): Promise<Buffer | null> {
  try {
    return await open(parseEnvelope(text, AT), SECRET);
  } catch (error) {
    if (!(error instanceof InputError) && !(error instanceof PaddingError)) throw error;
    return null;
  }
}

async function askAnsible(jobs: readonly object[]): Promise<(string | null)[]> {
  const python = await ansiblePython();
  const output = await new Promise<string>((done, fail) => {
    const options = { maxBuffer: 1e9 };
    const child = execFile(python, [PROGRAM], options, (error, stdout) => {
      if (error === null) done(stdout);
      else fail(error);
    });
    child.stdin?.end(JSON.stringify(jobs));
  });
  return JSON.parse(output) as (string | null)[];
}
