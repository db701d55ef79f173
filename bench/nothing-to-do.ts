// (a) The run that happens most: ten services, each of which has its token already.
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startHomeserver } from '../scripts/homeserver/homeserver.ts';
import { ansibleBin, ansibleSkip } from '../tests/helpers/python.ts';
import { measure } from './measure.ts';
import type { Bench, Measured, Way } from './measure.ts';
import { VAULT_PASSWORD_FILE, provisionCommand, tokenFiles, writeProject } from './project.ts';
import type { ProjectOptions } from './project.ts';
import { absoluteLine, ratioHead, ratioRow } from './ratios.ts';

const SERVICES = 10;
const INLINE = 'matrix-tokens, inline';
const WHOLE_FILE = 'matrix-tokens, whole-file';

/** What a program in Node that opens ten vaults cannot do without. */
const DERIVATIONS = `
const { pbkdf2 } = require('node:crypto');
const { promisify } = require('node:util');
const derive = (_, n) => promisify(pbkdf2)('password', Buffer.alloc(32, n), 10_000, 80, 'sha256');
Promise.all(Array.from({ length: ${SERVICES} }, derive)).then((keys) => console.log(keys.length));
`;

/** Our run against bare Node, against Node with the key derivations, and against ansible-vault. */
export async function nothingToDo(bench: Bench): Promise<void> {
  const folder = join(bench.scratch, 'nothing-to-do');
  await mkdir(folder);
  await writeFile(join(folder, 'derivations.cjs'), DERIVATIONS);
  const ours = [
    await ourWay(INLINE, bench, { folder: join(folder, 'inline'), vaultFormat: 'inline' }),
    await ourWay(WHOLE_FILE, bench, { folder: join(folder, 'file'), vaultFormat: 'file' }),
  ];
  bench.say(ratioHead(`nothing to do, ${SERVICES} services`));
  const bare = [
    nodeWay('node -e 0', ['-e', '0'], folder),
    nodeWay('node, ten derivations', ['derivations.cjs'], folder),
  ];
  const starts = await measure([...ours, ...bare], { ...bench, memoryRuns: 5 });
  sayRatios(bench, starts, (name) => (name === INLINE ? 'node -e 0' : 'node, ten derivations'));
  bench.say(`\n${absoluteLine(starts)}\n`);
  await againstAnsible(bench, ours, join(folder, 'file'));
}

async function againstAnsible(bench: Bench, ours: readonly Way[], cwd: string): Promise<void> {
  const skip = await ansibleSkip();
  if (skip !== false) return bench.say(`against ansible-vault: left out, ${skip}`);
  const name = 'ten ansible-vault view';
  const view = await ansibleView(name, cwd);
  const rounds = Math.max(2, Math.round(bench.rounds / 5));
  const measured = await measure([...ours, view], { ...bench, rounds, memoryRuns: 2 });
  bench.say(ratioHead('against ansible-vault'));
  sayRatios(bench, measured, () => name);
  bench.say(`\n${absoluteLine(measured)}\n`);
}

function sayRatios(
  bench: Bench,
  measured: readonly Measured[],
  otherOf: (name: string) => string,
): void {
  for (const one of measured.filter(({ name }) => name === INLINE || name === WHOLE_FILE)) {
    const other = measured.find(({ name }) => name === otherOf(one.name));
    if (other !== undefined) bench.say(ratioRow(one, other));
  }
}

type Converged = Pick<ProjectOptions, 'folder' | 'vaultFormat'>;

async function ourWay(name: string, bench: Bench, project: Converged): Promise<Way> {
  const argv = provisionCommand(bench.scratch);
  await fillProject(bench, project, argv);
  const isDone = (stdout: string): boolean => stdout.includes(`ok=${SERVICES} changed=0 `);
  return { name, prepare: async () => ({ argv, cwd: project.folder, isDone }) };
}

/** Lets our own program fill a project, from a homeserver that is gone when it is measured. */
async function fillProject(
  bench: Bench,
  project: Converged,
  argv: readonly string[],
): Promise<void> {
  const users = Array.from({ length: SERVICES }, (_, index) => ({
    localpart: `bot.${index + 1}`,
    password: randomBytes(12).toString('base64url'),
  }));
  const { baseUrl, serverName, stop } = await startHomeserver({ users });
  const isDone = (stdout: string): boolean => stdout.includes(`changed=${SERVICES} `);
  const prepare = async () => ({ argv, cwd: project.folder, isDone });
  try {
    await writeProject({ ...project, serverName, baseUrl, users });
    // The warm-up is the run that fills it.
    await measure([{ name: 'the first run', prepare }], { ...bench, rounds: 0, memoryRuns: 0 });
  } finally {
    await stop();
  }
}

function nodeWay(name: string, args: readonly string[], cwd: string): Way {
  const argv = [process.execPath, ...args];
  const isDone = (stdout: string): boolean => stdout === '' || stdout === `${SERVICES}\n`;
  return { name, prepare: async () => ({ argv, cwd, isDone }) };
}

/** How an operator looks at what stands in encrypted files: one command a file. */
async function ansibleView(name: string, cwd: string): Promise<Way> {
  const view = `"$0" view --vault-password-file ${VAULT_PASSWORD_FILE} "$file"`;
  const script = `for file in "$@"; do ${view} || exit 1; done`;
  const argv = ['sh', '-c', script, await ansibleBin('ansible-vault'), ...tokenFiles(SERVICES)];
  const isDone = (stdout: string): boolean =>
    stdout.match(/^vault_bot_\d+_access_token: /gm)?.length === SERVICES;
  return { name, prepare: async () => ({ argv, cwd, isDone }) };
}
