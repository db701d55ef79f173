import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanProductName, cleanServerText } from '../src/matrix/server-text.ts';

test('a word that looks like a token is hidden, even if nobody has seen it before', () => {
  const token = 'rJOF1VfDksdOo0qOYQYGhK-Hi5KkRj4BJt2DNmbSp1o';
  assert.equal(cleanServerText(`no ${token}: sorry`), 'no <redacted>: sorry');
  for (const text of [
    'User ID already taken.',
    '@a-very-long-localpart-of-a-bridge-that-nobody-types_1234567890:example.com',
    'ORG.MATRIX.MSC3866_USER_AWAITING_APPROVAL',
    'https://matrix.example.com/_matrix/client/v3/login',
  ]) {
    assert.equal(cleanServerText(text), text);
  }
});

test('a Server header is told by the name of its product, or not at all', () => {
  assert.equal(cleanProductName('Synapse/1.163.2 (b=main)'), 'Synapse');
  assert.equal(cleanProductName('nginx'), 'nginx');
  for (const header of ['', ' ', '1.2', 'a\u0007b', `${'x'.repeat(41)}/1`]) {
    assert.equal(cleanProductName(header), null);
  }
});
