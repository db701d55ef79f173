// `npm run test:oracle`: the tests that compare what is read with what Ansible reads, for longer and
// on several releases of ansible-core: by default the oldest, the usual and the newest that a Python
// of this machine can run.
//   npm run test:oracle -- --runs 5000 --ansible 2.15,2.21 --seed 7 inventory-oracle
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ANSIBLE_VARIABLE } from '../tests/helpers/python.ts';
import { pythonEnvironment } from './python-environment.ts';
import { ANSIBLE_LINES, ANSIBLE_VERSIONS } from './python-versions.ts';
import type { PythonPackage } from './python-versions.ts';
import { LONGEST_TEST_VARIABLE } from './test-file.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const USUAL_RUNS = '3000';
/** Hours, where thousands are asked for. */
const LONGEST_TEST_S = '28800';

/** Every test file that asks Ansible what it reads. */
const FILES =
  'inventory-oracle limit inventory-ini inventory-yaml inventory-load host-name python-literal references extra-vars yaml-scalars yaml-parse yaml-splice-shapes yaml-replace-vault config vault-rules-ansible vault-passwords-ansible vault-cipher-ansible'.split(
    ' ',
  );

function lineOf({ version }: PythonPackage): string {
  return version.replace(/\.\d+$/, '');
}

/** Gives the releases of these lines, such as `2.15`; without names the oldest, usual and newest. */
function chooseLines(names: string | undefined): readonly PythonPackage[] {
  const usual = ANSIBLE_VERSIONS[0]?.version;
  const [oldest, newest] = [ANSIBLE_LINES[0], ANSIBLE_LINES.at(-1)];
  if (names === undefined)
    return ANSIBLE_LINES.filter((one) => one === oldest || one === newest || one.version === usual);
  return names.split(',').map((name) => {
    const line = ANSIBLE_LINES.find((one) => lineOf(one) === name || one.version === name);
    if (line !== undefined) return line;
    throw new Error(`no release line ${name}: there are ${ANSIBLE_LINES.map(lineOf).join(', ')}`);
  });
}

/** Gives the exit code of the tests on one release; null where it cannot be installed. */
async function runOn(
  release: PythonPackage,
  files: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number | null> {
  const made = await pythonEnvironment({ versions: [release], env: process.env, log: say });
  say(`\n== ansible-core ${release.version}`);
  if (made.kind === 'missing') {
    say(`left out: ${made.reason}`);
    return null;
  }
  const args = [join(ROOT, 'dist/scripts/test.js'), ...files];
  const child = spawn(process.execPath, args, {
    stdio: 'inherit',
    env: { ...process.env, ...env, [ANSIBLE_VARIABLE]: made.folder },
  });
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('exit', (code) => done(code ?? 1));
  });
}

async function main(argv: string[]): Promise<number> {
  const options = {
    runs: { type: 'string' },
    seed: { type: 'string' },
    ansible: { type: 'string' },
  } as const;
  const { values, positionals } = parseArgs({ args: argv, options, allowPositionals: true });
  const env: NodeJS.ProcessEnv = {
    [LONGEST_TEST_VARIABLE]: LONGEST_TEST_S,
    MATRIX_TOKENS_ORACLE_RUNS: values.runs ?? USUAL_RUNS,
    ...(values.seed === undefined ? {} : { MATRIX_TOKENS_ORACLE_SEED: values.seed }),
  };
  const files = positionals.length > 0 ? positionals : FILES;
  const codes: (number | null)[] = [];
  for (const release of chooseLines(values.ansible)) codes.push(await runOn(release, files, env));
  const isBad = codes.some((code) => code !== null && code !== 0);
  return isBad || codes.every((code) => code === null) ? 1 : 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`test-oracle: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
