// Every behaviour of the command line in a text file of its own: tests/cli/*.txt (those about vaults run
// in cli-vault.test.ts). How such a file is read stands in tests/helpers/cli-script.ts, its words in
// tests/helpers/cli-runner.ts. With CLI_SHOW=1 everything that the programs of a case print is shown.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runScript } from './helpers/cli-runner.ts';
import { parseScript } from './helpers/cli-script.ts';
import { testCases } from './helpers/cli-suite.ts';

await testCases('others');

test('a case in which a secret gets out fails, in whatever form', async () => {
  const leaks = [
    "exec sh -c 'echo $SECRET'",
    "exec sh -c 'echo $SECRET >&2'",
    "exec sh -c 'printf %s x$SECRET | base64 -w 0'",
    'exec sh -c \'printf %s $SECRET | od -An -tx1 | tr -d " \\n"\'',
    "exec sh -c 'echo $SECRET > $TMPDIR/x'",
    "exec sh -c 'mkdir .hidden && echo $SECRET > .hidden/x'",
  ];
  for (const leak of leaks) {
    const script = parseScript(`# x\nsecret SECRET canary-of-the-runner\n${leak}\n`);
    await assert.rejects(runScript(script), /SECRET stands in/, leak);
  }
});

test('a case whose expectation is not met fails with its line and what was printed', async () => {
  const script = parseScript("# x\nexec sh -c 'echo found'\n\nstdout wanted\n");
  await assert.rejects(runScript(script), /line 4: stdout wanted[^]*2> exec[^]*found/);
  await assert.rejects(runScript(parseScript('# x\n! exec true\n')), /line 2.*\nit did not fail/);
  await assert.rejects(
    runScript(parseScript('# x\nsnapshot .\nmkdir a\nsame-tree .\n')),
    /a is new/,
  );
});
