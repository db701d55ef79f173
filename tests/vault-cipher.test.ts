import assert from 'node:assert/strict';
import { createCipheriv, createHmac, pbkdf2Sync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Secret } from '../src/secret.ts';
import { open, PaddingError, seal } from '../src/vault/cipher.ts';
import { formatEnvelope, parseEnvelope } from '../src/vault/envelope.ts';
import {
  bytesToPassword,
  passwordToBytes,
  stripLineEnds,
  stripWhiteSpace,
} from '../src/vault/password-bytes.ts';

const AT = { file: 'vault.yml', line: 1, column: 1 };
const PASSWORD = new Secret('a vault password');

interface Vector {
  readonly name: string;
  readonly password: string;
  readonly label: string | null;
  readonly salt: string;
  readonly plaintext: string;
  readonly envelope: string;
}

const fixtures = join(import.meta.dirname, '../../tests/fixtures/vault/vectors.json');
const vectors = JSON.parse(readFileSync(fixtures, 'utf8')) as readonly Vector[];

for (const vector of vectors) {
  test(`the same bytes as ansible-vault for the same salt, and back: ${vector.name}`, async () => {
    const plaintext = Buffer.from(vector.plaintext, 'base64');
    const password = new Secret(vector.password);
    const options = { label: vector.label, salt: Buffer.from(vector.salt) };
    assert.equal(formatEnvelope(await seal(plaintext, password, options)), vector.envelope);
    assert.deepEqual(await open(parseEnvelope(vector.envelope, AT), password), plaintext);
  });
}

test('whatever is sealed is opened again, and by no other password', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), fc.string(), async (bytes, word) => {
      const password = new Secret(`1${word}`);
      const envelope = await seal(Buffer.from(bytes), password, { label: null });
      assert.deepEqual(await open(envelope, password), Buffer.from(bytes));
      assert.equal(await open(envelope, new Secret(`2${word}`)), null);
    }),
    { numRuns: 20 },
  );
});

test('every sealing takes a salt of its own', async () => {
  const [one, two] = await Promise.all([
    seal(Buffer.from('x'), PASSWORD, { label: null }),
    seal(Buffer.from('x'), PASSWORD, { label: null }),
  ]);
  assert.equal(one.salt.length, 32);
  assert.notDeepEqual(one.salt, two.salt);
});

test('one changed bit of salt, MAC or ciphertext is found out', async () => {
  const envelope = await seal(Buffer.from('some content'), PASSWORD, { label: null });
  for (const part of ['salt', 'mac', 'ciphertext'] as const) {
    const changed = Buffer.from(envelope[part]);
    changed.writeUInt8(changed.readUInt8(3) ^ 1, 3);
    assert.equal(await open({ ...envelope, [part]: changed }, PASSWORD), null, part);
  }
});

test('a good MAC over wrong padding is an error, never data', async () => {
  const last = [
    Buffer.alloc(16, 17),
    Buffer.alloc(16, 0),
    Buffer.from('0123456789abcd\u0001\u0002'),
  ];
  for (const block of last) {
    await assert.rejects(open(sealRaw(block), PASSWORD), PaddingError);
  }
});

test('a password of any bytes comes back as it was', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      assert.deepEqual(passwordToBytes(bytesToPassword(Buffer.from(bytes))), Buffer.from(bytes));
    }),
    { numRuns: 2000 },
  );
  const text = 'pässwörd 🐴';
  assert.equal(bytesToPassword(Buffer.from(text)).reveal(), text);
  assert.deepEqual(passwordToBytes(new Secret(text)), Buffer.from(text));
});

test('stripping takes what Python takes: white space of ASCII, or line ends only', () => {
  assert.deepEqual(stripWhiteSpace(Buffer.from(' \t\v\f\r\n a b \r\n')), Buffer.from('a b'));
  assert.deepEqual(stripWhiteSpace(Buffer.from('\u00a0a\u00a0')), Buffer.from('\u00a0a\u00a0'));
  assert.deepEqual(stripWhiteSpace(Buffer.from(' \n ')), Buffer.alloc(0));
  assert.deepEqual(stripLineEnds(Buffer.from('\r\n a b \n\n')), Buffer.from(' a b '));
});

/** Seals one block without padding it. */
function sealRaw(block: Buffer) {
  const salt = Buffer.alloc(32, 1);
  const keys = pbkdf2Sync(PASSWORD.reveal(), salt, 10_000, 80, 'sha256');
  const ciphertext = createCipheriv('aes-256-ctr', keys.subarray(0, 32), keys.subarray(64)).update(
    block,
  );
  const mac = createHmac('sha256', keys.subarray(32, 64)).update(ciphertext).digest();
  return { label: null, salt, mac, ciphertext };
}
