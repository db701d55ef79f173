// `npm run test:ansible-matrix`: the role's tests on each ansible-core that this machine can install,
// and the table of them in docs/. Takes some minutes; usual runs of the tests use one version.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { ANSIBLE_VARIABLE } from '../tests/helpers/python.ts';
import { pythonEnvironment } from './python-environment.ts';
import { ANSIBLE_LINES, type PythonPackage } from './python-versions.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = join(ROOT, 'docs/ansible-versions.md');

interface Row {
  readonly version: string;
  readonly python: string;
  /** What came of it, as the table says it. */
  readonly result: string;
  readonly isGood: boolean;
}

/** Gives the names of the role's test files. */
function roleTests(): string[] {
  return readdirSync(join(ROOT, 'tests')).filter((name) => /^role.*\.test\.ts$/.test(name));
}

async function testOn(wanted: PythonPackage): Promise<Row> {
  const { version } = wanted;
  const log = (line: string): void => console.log(line);
  const made = await pythonEnvironment({ versions: [wanted], env: process.env, log });
  if (made.kind === 'missing') {
    return { version, python: '', result: `not tried: ${made.reason}`, isGood: true };
  }
  console.log(`ansible-core ${version}`);
  const python = /-python-(\d+\.\d+)/.exec(made.folder)?.[1] ?? '';
  const output = await runTests({ ...process.env, [ANSIBLE_VARIABLE]: made.folder });
  const counts = /^(\d+) passed, (\d+) failed, (\d+) skipped$/m.exec(output);
  const [result = 'no test was run', , failed = '1', skipped = '1'] = counts ?? [];
  return { version, python, result, isGood: failed === '0' && skipped === '0' };
}

async function runTests(env: NodeJS.ProcessEnv): Promise<string> {
  const args = ['--enable-source-maps', join(ROOT, 'dist/scripts/test.js'), ...roleTests()];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    process.stdout.write(text);
  });
  await once(child, 'close');
  return output;
}

function page(rows: readonly Row[]): string {
  const lines = rows.map(({ version, python, result }) => `| ${version} | ${python} | ${result} |`);
  return `# Versions of Ansible

The tests of the [role](playbook.md) run the real \`ansible-playbook\`. This table is what
\`npm run test:ansible-matrix\` wrote last; the usual \`npm test\` runs them on one version.

| ansible-core | Python | tests of the role |
| --- | --- | --- |
${lines.join('\n')}
`;
}

const rows: Row[] = [];
for (const wanted of ANSIBLE_LINES) rows.push(await testOn(wanted));
const options = await resolveConfig(PAGE);
writeFileSync(PAGE, await format(page(rows), { ...options, parser: 'markdown' }));
for (const { version, result } of rows) console.log(`ansible-core ${version}: ${result}`);
if (rows.some(({ isGood }) => !isGood)) process.exitCode = 1;
