import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FaultCode } from '../src/errors.ts';
import { InputError } from '../src/errors.ts';
import { Secret } from '../src/secret.ts';
import { seal } from '../src/vault/cipher.ts';
import { formatEnvelope, parseEnvelope } from '../src/vault/envelope.ts';
import type { VaultSecret } from '../src/vault/keyring.ts';
import {
  decryptText,
  encryptionSecret,
  encryptText,
  keyringOf,
  openEnvelope,
} from '../src/vault/keyring.ts';

const AT = { file: 'host_vars/a/vault.yml', line: 3, column: 9 };
const DEV = vaultSecret('dev', 'password of dev');
const PROD = vaultSecret('prod', 'password of prod');
const PLAIN = vaultSecret('default', 'password without a label');

test('an envelope without a label is opened by whichever password fits', async () => {
  const envelope = await encryptText('grün 🐴', PLAIN);
  assert.match(envelope, /^\$ANSIBLE_VAULT;1\.1;AES256\n/);
  assert.equal(await decryptText(envelope, keyringOf([DEV, PROD, PLAIN]), AT), 'grün 🐴');
});

test('an envelope with a label carries it, and a password under another label opens it too', async () => {
  const envelope = await encryptText('x', PROD);
  assert.match(envelope, /^\$ANSIBLE_VAULT;1\.2;AES256;prod\n/);
  const renamed = vaultSecret('other', 'password of prod');
  const opened = await openEnvelope(envelope, keyringOf([DEV, renamed]), AT);
  assert.deepEqual(opened, { plaintext: Buffer.from('x'), label: 'prod', secret: renamed });
});

test('of two passwords under one label each is tried', async () => {
  const second = vaultSecret('dev', 'the second password');
  assert.equal(
    await decryptText(await encryptText('x', second), keyringOf([DEV, second]), AT),
    'x',
  );
});

test('the password of the label is tried before the others', async () => {
  const samePassword = vaultSecret('default', 'password of dev');
  const opened = await openEnvelope(
    await encryptText('x', DEV),
    keyringOf([samePassword, DEV]),
    AT,
  );
  assert.equal(opened.secret, DEV);
});

test('where no password fits the place and the vault IDs are named', async () => {
  const envelope = await encryptText('x', PROD);
  await assert.rejects(decryptText(envelope, keyringOf([DEV, PLAIN]), AT), (error) =>
    isFault(error, 'E_VAULT_PASSWORD', /dev, default/, /vault ID prod/),
  );
  await assert.rejects(decryptText(envelope, keyringOf([]), AT), (error) =>
    isFault(error, 'E_VAULT_PASSWORD', /no vault password was given/, /vault ID prod/),
  );
});

test('a vault that is not text, or is damaged inside, is a fault of its format', async () => {
  const envelope = await seal(Buffer.from([0x61, 0xff]), DEV.password, { label: null });
  await assert.rejects(decryptText(formatEnvelope(envelope), keyringOf([DEV]), AT), (error) =>
    isFault(error, 'E_VAULT_FORMAT', /not UTF-8/, /text/),
  );
  await assert.rejects(
    decryptText('$ANSIBLE_VAULT;1.1;AES256\n00', keyringOf([DEV]), AT),
    (error) => isFault(error, 'E_VAULT_FORMAT', /1 parts/, /3/),
  );
});

test('a byte order mark inside a vault is kept', async () => {
  assert.equal(
    await decryptText(await encryptText('\ufeffx', DEV), keyringOf([DEV]), AT),
    '\ufeffx',
  );
});

test('ten envelopes are opened side by side', async () => {
  const texts = Array.from({ length: 10 }, (_, index) => `value ${index}`);
  const envelopes = await Promise.all(texts.map((text) => encryptText(text, DEV)));
  const opened = await Promise.all(
    envelopes.map((text) => decryptText(text, keyringOf([DEV]), AT)),
  );
  assert.deepEqual(opened, texts);
  assert.equal(
    new Set(envelopes.map((text) => parseEnvelope(text, AT).salt.toString('hex'))).size,
    10,
  );
});

test('the only password encrypts, or the first of the vault ID that is asked for', () => {
  const again = vaultSecret('dev', 'another');
  assert.equal(encryptionSecret(keyringOf([PROD]), null), PROD);
  assert.equal(encryptionSecret(keyringOf([PROD, DEV, again]), 'dev'), DEV);
});

test('several passwords and no vault ID, an unknown one, or no password at all: refused', () => {
  const choices: [readonly VaultSecret[], string | null, RegExp, RegExp][] = [
    [[DEV, PROD], null, /several .*dev, prod/, /vault_id/],
    [[DEV, DEV], null, /several .*dev, dev/, /vault_id/],
    [[DEV, PROD], 'qa', /vault ID qa/, /dev, prod/],
    [[], null, /no vault password/, /openssl rand [^]*ANSIBLE_VAULT_PASSWORD_FILE/],
    [[], 'dev', /no vault password/, /openssl rand [^]*ANSIBLE_VAULT_PASSWORD_FILE/],
  ];
  for (const [secrets, vaultId, found, rest] of choices) {
    assert.throws(
      () => encryptionSecret(keyringOf(secrets), vaultId),
      (error) => isFault(error, 'E_VAULT_PASSWORD', found, rest),
    );
  }
});

function vaultSecret(label: string, password: string): VaultSecret {
  return { label, password: new Secret(password) };
}

function isFault(error: unknown, code: FaultCode, found: RegExp, rest: RegExp): boolean {
  assert.ok(error instanceof InputError);
  const [fault] = error.faults;
  assert.equal(fault?.code, code);
  assert.match(fault.found, found);
  assert.match(`${fault.wanted ?? ''} ${fault.fix ?? ''}`, rest);
  return true;
}
