import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hideSecret } from '../src/secret.ts';
import { fitFor, toLines } from '../tasks/lines.ts';

test('what a run says meanwhile is as wide as its report, and hides secrets before it is broken', () => {
  const secret = 'canary of a line that is said meanwhile';
  hideSecret(secret);
  for (let before = 0; before < 90; before += 1) {
    const text = toLines(`${'x '.repeat(before)}${secret} ${'y'.repeat(20)}`);
    assert.doesNotMatch(text.replaceAll(/\s+/g, ' '), /canary|meanwhile/);
    assert.match(text, /<redacted>/);
    for (const line of text.split('\n')) assert.ok(line.length < 80, line);
  }
});

test('a runner that reads along finds no command in it', () => {
  const said = toLines(`${'x'.repeat(75)} ::stop-commands::y`);
  assert.match(said, /^\s*::/m);
  assert.doesNotMatch(fitFor({ format: 'github' }, said), /^\s*::/m);
  assert.doesNotMatch(fitFor({ format: 'text' }, said, { GITHUB_ACTIONS: 'true' }), /^\s*::/m);
  assert.equal(fitFor({ format: 'text' }, said, {}), said);
});
