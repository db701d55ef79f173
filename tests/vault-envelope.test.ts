import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { InputError } from '../src/errors.ts';
import {
  checkEnvelope,
  formatEnvelope,
  isEnvelope,
  isLabel,
  parseEnvelope,
} from '../src/vault/envelope.ts';

const AT = { file: 'vault.yml', line: 7, column: 3 };
const HEADER = '$ANSIBLE_VAULT;1.1;AES256';
const SALT = '00ff'.repeat(16);
const MAC = 'ab'.repeat(32);
const CIPHERTEXT = '0123456789abcdef'.repeat(2);

interface Vector {
  readonly name: string;
  readonly label: string | null;
  readonly salt: string;
  readonly envelope: string;
}

const fixtures = join(import.meta.dirname, '../../tests/fixtures/vault/vectors.json');
const vectors = JSON.parse(readFileSync(fixtures, 'utf8')) as readonly Vector[];

const whole = wrap([SALT, MAC, CIPHERTEXT].join('\n'));

for (const { name, label, salt, envelope } of vectors) {
  test(`what ansible-vault wrote is read and written back byte for byte: ${name}`, () => {
    const parsed = parseEnvelope(envelope, AT);
    assert.equal(parsed.label, label === 'default' ? null : label);
    assert.equal(parsed.salt.toString(), salt);
    assert.equal(formatEnvelope(parsed), envelope);
  });
}

test('the layouts that Ansible forgives are read', () => {
  const expected = parseEnvelope(whole, AT);
  const forgiven = {
    'CRLF line ends': whole.replaceAll('\n', '\r\n'),
    'CR line ends': whole.replaceAll('\n', '\r'),
    'no final newline': whole.trimEnd(),
    'empty lines': whole.replaceAll('\n', '\n\n'),
    'one long line': `${HEADER}\n${whole.slice(HEADER.length).replaceAll('\n', '')}`,
    'spaces around the header': whole.replace(HEADER, `${HEADER} \t`),
    'spaces around its fields': whole.replace(HEADER, '$ANSIBLE_VAULT ; 1.1 ; AES256'),
    'upper-case digits outside': `${HEADER}\n${whole.slice(HEADER.length + 1).toUpperCase()}`,
    'upper-case digits inside': wrap([SALT, MAC, CIPHERTEXT].join('\n').toUpperCase()),
  };
  for (const [name, text] of Object.entries(forgiven)) {
    assert.deepEqual(parseEnvelope(text, AT), expected, name);
  }
});

test('every damage is a typed fault with its place', () => {
  const [first = '', second = ''] = whole.split('\n').slice(1);
  const damages: Record<string, [string, RegExp]> = {
    'an empty text': ['', /the header is not that of a vault/],
    'a space before the header': [` ${whole}`, /the header is not that of a vault/],
    'only the mark': ['$ANSIBLE_VAULT', /the header is not that of a vault/],
    'a mark that goes on': [whole.replace('VAULT', 'VAULTS'), /the header is not that of a vault/],
    'format 1.0': [whole.replace('1.1', '1.0'), /unknown format version/],
    'no version': [whole.replace('1.1', ''), /unknown format version/],
    'another cipher': [whole.replace('AES256', 'AES'), /unknown cipher/],
    'a label in 1.1': [whole.replace('AES256', 'AES256;dev'), /do not fit/],
    'no label in 1.2': [whole.replace('1.1', '1.2'), /do not fit/],
    'an empty label in 1.2': [whole.replace('1.1;AES256', '1.2;AES256;'), /do not fit/],
    'two labels': [whole.replace('1.1;AES256', '1.2;AES256;a;b'), /do not fit/],
    'a label that is not ASCII': [whole.replace('1.1;AES256', '1.2;AES256;dév'), /do not fit/],
    'only a header': [HEADER, /the body has 1 parts/],
    'a lost digit': [whole.trimEnd().slice(0, -1), /odd number of digits/],
    'a lost line': [whole.replace(`${second}\n`, ''), /./],
    'an indented line': [whole.replace(first, `  ${first}`), /line 2 .* has spaces around/],
    'a space at the end of a line': [whole.replace(second, `${second} `), /line 3 .* spaces/],
    'a letter beyond f': [whole.replace(second, `g${second.slice(1)}`), /line 3 .* not hexa/],
    'a comment': [`${whole}# note\n`, /is not hexadecimal/],
    'two parts': [wrap([SALT, MAC].join('\n')), /the body has 2 parts/],
    'four parts': [wrap([SALT, MAC, CIPHERTEXT, ''].join('\n')), /the body has 4 parts/],
    'an empty salt': [wrap(['', MAC, CIPHERTEXT].join('\n')), /the salt is empty/],
    'a salt that is no hex': [wrap(['xy', MAC, CIPHERTEXT].join('\n')), /the salt is not hex/],
    'a short MAC': [wrap([SALT, MAC.slice(2), CIPHERTEXT].join('\n')), /the MAC has 31 bytes/],
    'a space after the MAC': [wrap([SALT, `${MAC} `, CIPHERTEXT].join('\n')), /the MAC has an odd/],
    'no ciphertext': [wrap([SALT, MAC, ''].join('\n')), /the ciphertext has 0 bytes/],
    'half a block': [wrap([SALT, MAC, 'ab'.repeat(8)].join('\n')), /the ciphertext has 8 bytes/],
  };
  for (const [name, [text, wanted]] of Object.entries(damages)) {
    assert.throws(
      () => parseEnvelope(text, AT),
      (error) => isFormatFault(error, wanted),
      name,
    );
  }
});

test('no fault shows what stands in the body', () => {
  const canary = 'syt_pasted_into_the_wrong_place';
  assert.throws(
    () => parseEnvelope(`${HEADER}\n${canary}\n`, AT),
    (error) => error instanceof Error && !JSON.stringify(error).includes(canary),
  );
});

test('any text with an envelope cut, changed or grown anywhere is read or refused, never a crash', () => {
  const place = fc.nat(whole.length);
  fc.assert(
    fc.property(place, fc.nat(6), fc.string({ maxLength: 6 }), (from, count, text) => {
      const changed = whole.slice(0, from) + text + whole.slice(from + count);
      try {
        const again = formatEnvelope(parseEnvelope(changed, AT));
        assert.deepEqual(parseEnvelope(again, AT), parseEnvelope(changed, AT));
      } catch (error) {
        assert.ok(isFormatFault(error, /./), String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test('every envelope with a good label survives writing and reading', () => {
  const bytes = (least: number, most: number) =>
    fc.uint8Array({ minLength: least, maxLength: most });
  const label = fc.string({ minLength: 1, maxLength: 20 }).filter(isLabel);
  fc.assert(
    fc.property(label, bytes(1, 40), bytes(32, 32), fc.nat(20), (text, salt, mac, blocks) => {
      const envelope = {
        label: text,
        salt: Buffer.from(salt),
        mac: Buffer.from(mac),
        ciphertext: Buffer.alloc(16 * (blocks + 1), 7),
      };
      const written = formatEnvelope(envelope);
      assert.deepEqual(parseEnvelope(written, AT), envelope);
      assert.ok(isEnvelope(written) && written.endsWith('\n'));
      assert.ok(written.split('\n').every((line, index) => index === 0 || line.length <= 80));
    }),
    { numRuns: 300 },
  );
});

test('an envelope is checked as strictly as it is read', () => {
  const at = fc.nat(whole.length);
  const cut = fc.tuple(at, fc.nat(4), fc.constantFrom('', '\n', '0', 'g', 'A', ' ', '0a', '33'));
  fc.assert(
    fc.property(fc.array(cut, { maxLength: 3 }), (cuts) => {
      const text = cuts.reduce(
        (before, [from, count, added]) =>
          before.slice(0, from) + added + before.slice(from + count),
        whole,
      );
      assert.equal(faultOf(checkEnvelope, text), faultOf(parseEnvelope, text));
    }),
    { numRuns: 2000, examples: [[[]], [[[30, 0, '\n']]]] },
  );
});

function faultOf(read: typeof checkEnvelope, text: string): string | null {
  try {
    read(text, AT);
    return null;
  } catch (error) {
    return String(error);
  }
}

test('a vault ID with a semicolon, a line end, outer spaces or letters beyond ASCII is none', () => {
  for (const label of ['', 'a;b', 'a\nb', ' a', 'a ', 'dév', '\t']) {
    assert.equal(isLabel(label), false, JSON.stringify(label));
  }
  for (const label of ['a', 'dev', 'my id', 'x@y', 'a.b-c_d'])
    assert.equal(isLabel(label), true, label);
});

function wrap(inner: string): string {
  const body = Buffer.from(inner, 'latin1').toString('hex').replaceAll(/.{80}/g, '$&\n');
  return `${HEADER}\n${body.trimEnd()}\n`;
}

function isFormatFault(error: unknown, wanted: RegExp): boolean {
  if (!(error instanceof InputError) || error.faults.length !== 1) return false;
  const [fault] = error.faults;
  assert.equal(fault?.code, 'E_VAULT_FORMAT');
  assert.deepEqual(fault?.at, AT);
  assert.match(fault?.found ?? '', wanted);
  return true;
}
