import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { makeUserId, parseServerName, parseUserId } from '../src/matrix/user-id.ts';

test('a server name may be a name, an IPv4 or an IPv6 address, each with a port', () => {
  const cases: [string, string, number | null][] = [
    ['example.com', 'example.com', null],
    ['Example.COM:8448', 'Example.COM', 8448],
    ['1.2.3.4', '1.2.3.4', null],
    ['1.2.3.4:1234', '1.2.3.4', 1234],
    ['[2001:db8::1]', '[2001:db8::1]', null],
    ['[2001:db8::1]:5678', '[2001:db8::1]', 5678],
    ['localhost', 'localhost', null],
    ['a'.repeat(255), 'a'.repeat(255), null],
  ];
  for (const [text, host, port] of cases) assert.deepEqual(parseServerName(text), { host, port });
});

test('what is no server name is refused', () => {
  const wrong = [
    '',
    ':8448',
    'example.com:',
    'example.com:0',
    'example.com:65536',
    'example.com:123456',
    'exa mple.com',
    'exämple.com',
    'exam_ple.com',
    'https://example.com',
    '1.2.3.256',
    '2001:db8::1',
    '[2001:db8::1',
    '[1:2:3]',
    '[::g]',
    'a'.repeat(256),
    'example.com\n',
  ];
  for (const text of wrong) assert.equal(parseServerName(text), null, text);
});

test('a user ID is split at its first colon', () => {
  assert.deepEqual(parseUserId('@a:[2001:db8::1]:8448'), {
    userId: '@a:[2001:db8::1]:8448',
    localpart: 'a',
    serverName: '[2001:db8::1]:8448',
    historical: false,
  });
});

test('every character that the grammar allows may stand in a localpart', () => {
  const localpart = 'abcdefghijklmnopqrstuvwxyz0123456789._=/+-';
  assert.equal(parseUserId(`@${localpart}:example.com`)?.historical, false);
});

test('a localpart of old servers is taken, and said to be one', () => {
  for (const localpart of ['Alice', 'a!b', 'a@b', '~', '"x"']) {
    assert.equal(parseUserId(`@${localpart}:example.com`)?.historical, true, localpart);
  }
});

test('what is no user ID, or one that no server would know, is refused', () => {
  const wrong = [
    'a:example.com',
    '@a',
    '@:example.com',
    '@a:',
    '@a b:example.com',
    '@a\0:example.com',
    '@ä:example.com',
    '@a:exa mple',
    '@a:example.com\n',
    `@${'a'.repeat(243)}:example.com`,
    '',
  ];
  for (const text of wrong) assert.equal(parseUserId(text), null, JSON.stringify(text));
  assert.notEqual(parseUserId(`@${'a'.repeat(242)}:example.com`), null);
});

test('a localpart and a server name make a user ID, unless they would make another one', () => {
  assert.equal(makeUserId('bot.rss', 'example.com:8448')?.userId, '@bot.rss:example.com:8448');
  assert.equal(makeUserId('a:b', 'example.com'), null);
  assert.equal(makeUserId('@a', 'example.com')?.localpart, '@a');
  assert.equal(makeUserId('', 'example.com'), null);
});

test('whatever is taken as a user ID gives its own text again', () => {
  const text = fc.string({
    maxLength: 300,
    unit: fc.constantFrom(...Array.from('@:[].a0Z-_= \0ä')),
  });
  fc.assert(
    fc.property(text, (candidate) => {
      const parsed = parseUserId(candidate);
      if (parsed !== null) assert.equal(`@${parsed.localpart}:${parsed.serverName}`, candidate);
    }),
  );
});
