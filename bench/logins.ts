// (b) The run with the most to do: twenty logins on a Synapse without rate limits, against the loop
// that documentation shows. Each run has users of its own, so that none finds warm caches.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ansibleBin, ansibleSkip, synapseSkip } from '../tests/helpers/python.ts';
import { startSynapse } from '../tests/helpers/synapse.ts';
import type { Synapse } from '../tests/helpers/synapse.ts';
import { measure } from './measure.ts';
import type { Bench, Way } from './measure.ts';
import { VAULT_PASSWORD, VAULT_PASSWORD_FILE, provisionCommand, writeProject } from './project.ts';
import type { User } from './project.ts';
import { absoluteLine, ratioHead, ratioRow } from './ratios.ts';

const LOGINS = 20;

/** Cuts the token out with sed, which starts faster than Python or jq. */
const CURL = `token=$(curl -sS -X POST --header 'Content-Type: application/json' -d '{
  "identifier": {"type": "m.id.user", "user": "'"$user"'"},
  "password": "'"$password"'",
  "type": "m.login.password"
}' "$1/_matrix/client/v3/login" | sed -n 's/.*"access_token":"\\([^"]*\\)".*/\\1/p'); echo "$token"`;

/** Our run against the loop of curl, and against the loop that ends where ours does. */
export async function logins(bench: Bench): Promise<void> {
  const skip = await synapseSkip();
  if (skip !== false) return bench.say(`logins: left out, ${skip}`);
  const folder = join(bench.scratch, 'logins');
  await mkdir(folder);
  const synapse = await startSynapse();
  try {
    const curl = curlWay('curl, one after the other', folder, synapse);
    const rivals = [curl, ...(await encryptingWays(folder, synapse))];
    const rounds = Math.max(2, Math.round(bench.rounds / 3));
    const ways = [ourWay(folder, synapse, provisionCommand(bench.scratch)), ...rivals];
    const [ours, ...others] = await measure(ways, { ...bench, rounds, memoryRuns: 3 });
    if (ours === undefined) return;
    bench.say(ratioHead(`${LOGINS} logins on Synapse`));
    for (const other of others) bench.say(ratioRow(ours, other));
    bench.say(`\n${absoluteLine([ours, ...others])}\n`);
  } finally {
    await synapse.stop();
  }
}

async function newUsers(synapse: Synapse): Promise<readonly User[]> {
  const users: User[] = [];
  while (users.length < LOGINS) users.push(await synapse.newUser('bench'));
  return users;
}

function ourWay(parent: string, synapse: Synapse, argv: readonly string[]): Way {
  const { serverName, baseUrl } = synapse;
  const folder = join(parent, 'ours');
  const isDone = (stdout: string): boolean => stdout.includes(`changed=${LOGINS} `);
  return {
    name: 'matrix-tokens',
    prepare: async () => {
      const users = await newUsers(synapse);
      await writeProject({ folder, serverName, baseUrl, users, vaultFormat: 'inline' });
      return { argv, cwd: folder, isDone };
    },
  };
}

function curlWay(name: string, cwd: string, synapse: Synapse): Way {
  return loopWay(name, { cwd, synapse, body: CURL, args: [] });
}

/** The same, with each token put into a vault as Ansible's documentation shows. */
async function encryptingWays(cwd: string, synapse: Synapse): Promise<Way[]> {
  if ((await ansibleSkip()) !== false) return [];
  await writeFile(join(cwd, VAULT_PASSWORD_FILE), `${VAULT_PASSWORD.reveal()}\n`);
  const encrypt = `"$2" encrypt_string --vault-password-file ${VAULT_PASSWORD_FILE} --stdin-name token`;
  const body = `${CURL}; printf %s "$token" | ${encrypt} || exit 1; echo`;
  const args = [await ansibleBin('ansible-vault')];
  return [loopWay('curl and ansible-vault encrypt_string', { cwd, synapse, body, args })];
}

interface Loop {
  readonly cwd: string;
  readonly synapse: Synapse;
  /** What is done for each `$user` and `$password`; `$1` is the homeserver's URL. */
  readonly body: string;
  readonly args: readonly string[];
}

function loopWay(name: string, { cwd, synapse, body, args }: Loop): Way {
  const script = `while read -r user password; do\n${body}\ndone < users`;
  const argv = ['sh', '-c', script, 'sh', synapse.baseUrl, ...args];
  const isDone = (stdout: string): boolean => stdout.match(/^syt_\S+$/gm)?.length === LOGINS;
  return {
    name,
    prepare: async () => {
      const users = await newUsers(synapse);
      const lines = users.map(({ localpart, password }) => `${localpart} ${password}\n`);
      await writeFile(join(cwd, 'users'), lines.join(''));
      return { argv, cwd, isDone };
    },
  };
}
