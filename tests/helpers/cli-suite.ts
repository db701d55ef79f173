// The cases of tests/cli as tests. Two test files share them, so that they run side by side.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { runScript } from './cli-runner.ts';
import { parseScript } from './cli-script.ts';
import { ansibleSkip } from './python.ts';

const FOLDER = resolve(import.meta.dirname, '../../../tests/cli');

/** Cases about vault passwords and files have a test file of their own. */
const OF_VAULT = /^(?:vault|rekey)(?:-.*)?\.txt$/;

/** Makes a test of each case of one half. With CLI_SHOW=1 everything that programs print is shown. */
export async function testCases(half: 'vault' | 'others'): Promise<void> {
  const skip = await ansibleSkip();
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));
  for (const name of names.filter((one) => OF_VAULT.test(one) === (half === 'vault'))) {
    const script = parseScript(readFileSync(join(FOLDER, name), 'utf8'));
    const needsAnsible = script.lines.some(({ command }) => command === 'needs');
    test(`${script.title} (${name})`, { skip: needsAnsible ? skip : false }, async (t) => {
      const shown = await runScript(script);
      if (process.env['CLI_SHOW'] === '1') t.diagnostic(shown);
    });
  }
}
