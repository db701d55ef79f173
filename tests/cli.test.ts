// Every behaviour of the command line in a text file of its own: tests/cli/*.txt. How such a file is
// read stands in tests/helpers/cli-script.ts, its words in tests/helpers/cli-runner.ts. With
// CLI_SHOW=1 everything that the programs of a case print is shown.
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { runScript } from './helpers/cli-runner.ts';
import { parseScript } from './helpers/cli-script.ts';
import { ansibleSkip } from './helpers/python.ts';

const FOLDER = resolve(import.meta.dirname, '../../tests/cli');

const skip = await ansibleSkip();

for (const name of readdirSync(FOLDER).filter((one) => one.endsWith('.txt'))) {
  const script = parseScript(readFileSync(join(FOLDER, name), 'utf8'));
  const needsAnsible = script.lines.some(({ command }) => command === 'needs');
  test(`${script.title} (${name})`, { skip: needsAnsible ? skip : false }, async (t) => {
    const shown = await runScript(script);
    if (process.env['CLI_SHOW'] === '1') t.diagnostic(shown);
  });
}
