// Fuzz targets: envelopes, as text and opened.
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { Secret } from '../../src/secret.ts';
import { seal } from '../../src/vault/cipher.ts';
import { formatEnvelope, isLabel, parseEnvelope } from '../../src/vault/envelope.ts';
import type { Envelope } from '../../src/vault/envelope.ts';
import { keyringOf, openEnvelope } from '../../src/vault/keyring.ts';
import { checkError, defineTarget, readSafely } from './fuzz.ts';
import { CANARY, changed } from './fuzz-texts.ts';

const AT = { file: 'f', line: 1, column: 1 };
const bytes = (length: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array) => Buffer.from(array));

const label = fc.option(fc.string({ unit: 'grapheme-ascii', maxLength: 12 }).filter(isLabel));
const envelopes: fc.Arbitrary<Envelope> = fc.record({
  label: label.map((one) => (one === 'default' ? null : one)),
  salt: fc.integer({ min: 1, max: 40 }).chain(bytes),
  mac: bytes(32),
  ciphertext: fc.integer({ min: 1, max: 12 }).chain((blocks) => bytes(16 * blocks)),
});

function isSame(a: Envelope, b: Envelope): boolean {
  const isSameBytes = (key: 'salt' | 'mac' | 'ciphertext'): boolean => a[key].equals(b[key]);
  return (
    a.label === b.label && isSameBytes('salt') && isSameBytes('mac') && isSameBytes('ciphertext')
  );
}

/** What Ansible forgives in the layout. */
const layouts: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => text.replaceAll('\n', '\r\n'),
  (text) => text.replaceAll('\n', '\n\n'),
  (text) => text.trimEnd(),
  (text) => text.replace(/(?<=\n)[^]*/, (body) => body.toUpperCase()),
  (text) => text.replace(/^[^\n]*/, (header) => header.replaceAll(';', ' ; ')),
  (text) => text.replaceAll(/(?<=\n[0-9a-f]{1,40})(?=[0-9a-f])/g, '\n'),
];

const whole = defineTarget(
  { name: 'envelope', about: 'envelopes that are whole: parse(format(x)) = x', runs: 100_000 },
  fc.tuple(envelopes, fc.constantFrom(...layouts)),
  ([envelope, layout]) => {
    const parsed = parseEnvelope(layout(formatEnvelope(envelope)), AT);
    assert(isSame(parsed, envelope), 'it is read back as another one');
    return 'read';
  },
);

const damaged = defineTarget(
  { name: 'damaged', about: 'envelopes with something changed in them', runs: 150_000 },
  envelopes.chain((envelope) => changed([formatEnvelope(envelope)], 3)),
  (text) => {
    const read = readSafely(() => parseEnvelope(text, AT));
    if (read === null) return 'refused';
    const again = parseEnvelope(formatEnvelope(read.value), AT);
    // Format 1.2 with the label `default` is written as 1.1.
    const label = read.value.label === 'default' ? null : read.value.label;
    assert(isSame(again, { ...read.value, label }), 'it is read back as another one');
    return 'read';
  },
);

const SECRET = { label: 'default', password: new Secret('canary-of-the-fuzzer') };
const PLAIN = `a: ${CANARY}\n`;
const sealed = formatEnvelope(await seal(Buffer.from(PLAIN), SECRET.password, { label: 'dev' }));

const opened = defineTarget(
  {
    name: 'opened',
    about: 'changed envelopes with their password: an error, or the same text',
    runs: 3000,
  },
  changed([sealed], 2),
  async (text) => {
    try {
      const { plaintext } = await openEnvelope(text, keyringOf([SECRET]), AT);
      assert.equal(plaintext.toString(), PLAIN);
      return 'the same';
    } catch (error) {
      checkError(error);
      return 'refused';
    }
  },
);

export const vaultTargets = [whole, damaged, opened] as const;
