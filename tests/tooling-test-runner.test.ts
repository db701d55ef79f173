import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { FileOutcome, TestOutcome } from '../scripts/test-file.ts';
import { closingLine, failureText, fileLine, summaryText } from '../scripts/test-report.ts';

interface Ran {
  readonly notes: string;
  readonly tests: readonly Omit<TestOutcome, 'error'>[];
  readonly text: string;
}

const run = promisify(execFile);
const module = (name: string): string =>
  JSON.stringify(resolve(import.meta.dirname, `../scripts/${name}.js`));

/** In a process of its own: node:test does not run files within a test. */
async function outcomeOf(code: string): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'matrix-tokens-runner-'));
  const file = join(folder, 'planted.test.js');
  const runner = `import { runTestFile } from ${module('test-file')};
    import { failureText, notesText } from ${module('test-report')};
    const outcome = await runTestFile(${JSON.stringify(file)}, new AbortController().signal);
    const said = { text: failureText(outcome), notes: notesText(outcome) };
    console.log(JSON.stringify({ tests: outcome.tests, ...said }));`;
  const env = { ...process.env };
  delete env['NODE_TEST_CONTEXT'];
  try {
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(file, code);
    const script = join(folder, 'runner.mjs');
    writeFileSync(script, runner);
    const ran = await run(process.execPath, [script], { env });
    return JSON.parse(ran.stdout) as Ran;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const MIXED = `
  import { test } from 'node:test';
  import assert from 'node:assert/strict';
  console.log('printed by the file');
  test('holds', (t) => t.diagnostic('12 cases'));
  test('breaks', () => assert.equal(1, 2));
  test('waits', { skip: 'no Python here' }, () => {});
  test('parent', async (t) => { await t.test('child', () => { throw new Error('inner'); }); });
`;

test('passed, failed and skipped tests are counted, a parent not for its child', async () => {
  const { tests } = await outcomeOf(MIXED);
  assert.deepEqual(
    tests.map(({ name, state, reason }) => [name, state, reason]),
    [
      ['holds', 'passed', ''],
      ['breaks', 'failed', ''],
      ['waits', 'skipped', 'no Python here'],
      ['child', 'failed', ''],
    ],
  );
  assert.equal(closingLine(tests), '1 passed, 2 failed, 1 skipped');
});

test('what a test says of itself is shown below its file, the counts of Node are not', async () => {
  assert.equal((await outcomeOf(MIXED)).notes, '       12 cases\n');
});

test('a failure is shown in full with what the file printed', async () => {
  const { text } = await outcomeOf(MIXED);
  assert.match(text, /--- planted: breaks\n/);
  assert.match(text, /Expected values to be strictly equal/);
  assert.match(text, /Error: inner\n\s+at /);
  assert.match(text, /printed by the file/);
});

test('a file that breaks outside of its tests, or has none, fails', async () => {
  for (const code of [
    "throw new Error('at the top');",
    '',
    "import { test } from 'node:test'; test('a', () => {}); process.exitCode = 3;",
  ]) {
    const states = (await outcomeOf(code)).tests.map((one) => one.state);
    assert.ok(states.includes('failed'), code);
  }
});

test('a line for a file and the closing line have their exact form', () => {
  const base = { durationMs: 1234, reason: '', error: undefined };
  const outcome: FileOutcome = {
    file: '/somewhere/vault-cipher.test.js',
    durationMs: 12_345,
    output: '',
    notes: [],
    tests: [
      { ...base, name: 'a', state: 'passed' },
      { ...base, name: 'b', state: 'skipped', reason: 'no Python here' },
    ],
  };
  const line = fileLine(outcome);
  assert.equal(line.length, 80);
  assert.match(line, /^ok {3}vault-cipher +1 passed, 1 skipped +12\.3 s$/);
  const summary = summaryText([outcome]);
  assert.match(summary, /\nskipped:\n {2}1 test: no Python here\n/);
  assert.match(summary, /\nthe 1 slowest:\n {4}1\.2 s vault-cipher: a\n/);
  assert.ok(summary.endsWith('\n1 passed, 0 failed, 1 skipped\n'));
  assert.equal(failureText(outcome), '');
});
