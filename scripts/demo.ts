// `npm run demo`: the main job on a copy of inventory.example.yml, against the embedded homeserver,
// in a temp folder that is removed afterwards. It ends with 1 if what it shows did not come true.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Secret } from '../src/secret.ts';
import { DEFAULT_LABEL } from '../src/vault/envelope.ts';
import { decryptText, encryptText, keyringOf } from '../src/vault/keyring.ts';
import { startHomeserver } from './homeserver/homeserver.ts';
import type { Homeserver } from './homeserver/homeserver.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const HOST_VARS = 'host_vars/matrix.example.com';
const TOKEN_FILE = `${HOST_VARS}/vault_matrix_tokens/rss.yml`;
const PROVISION = 'provision -i inventory.yml --vault-password-file vault_pass';

const KEPT = ['PATH', 'HOME', 'LANG', 'TERM', 'NO_COLOR', 'FORCE_COLOR', 'TMPDIR'];

interface Demo {
  readonly folder: string;
  readonly homeserver: Homeserver;
  readonly vaultPassword: Secret;
  readonly signal: AbortSignal;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Copies the inventory and adds what an operator has in host_vars: the URL and the passwords. */
async function writeInventory(demo: Demo, passwords: ReadonlyMap<string, string>): Promise<void> {
  const { folder, homeserver, vaultPassword } = demo;
  await copyFile(join(ROOT, 'inventory.example.yml'), join(folder, 'inventory.yml'));
  await writeFile(join(folder, 'vault_pass'), `${vaultPassword.reveal()}\n`, { mode: 0o600 });
  await mkdir(join(folder, HOST_VARS), { recursive: true });
  const url = `matrix_tokens_homeserver_url: ${homeserver.baseUrl}\n`;
  await writeFile(join(folder, HOST_VARS, 'vars.yml'), url);
  const secret = { label: DEFAULT_LABEL, password: vaultPassword };
  let vault = '';
  for (const [name, password] of passwords) {
    const lines = (await encryptText(password, secret)).trimEnd().split('\n');
    vault += `${name}: !vault |\n${lines.map((line) => `  ${line}\n`).join('')}`;
  }
  await writeFile(join(folder, HOST_VARS, 'vault.yml'), vault);
}

/** Shows a command and runs it in the folder, as an operator would. Throws unless it gives 0. */
async function show(demo: Demo, title: string, args: string): Promise<void> {
  say(`\n# ${title}\n$ matrix-tokens ${args}`);
  const child = spawn(join(ROOT, 'dist/matrix-tokens.cjs'), args.split(' '), {
    cwd: demo.folder,
    // Without the operator's own Ansible settings, vault passwords and proxies.
    env: Object.fromEntries(KEPT.map((name) => [name, process.env[name]])),
    stdio: ['ignore', 'inherit', 'inherit'],
    signal: demo.signal,
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  if (exitCode !== 0) throw new Error(`it ended with ${exitCode}`);
}

/** Logs nobody in: asks the homeserver whose token it is that the file holds. */
async function ownerOfToken(demo: Demo, text: string): Promise<string> {
  const at = { file: TOKEN_FILE, line: 1, column: 1 };
  const block = /access_token: !vault \|\n((?: +\S+\n)+)/.exec(text)?.[1] ?? '';
  const envelope = block.replaceAll(/^ +/gm, '');
  const secrets = [{ label: DEFAULT_LABEL, password: demo.vaultPassword }];
  const token = await decryptText(envelope, keyringOf(secrets), at);
  const url = `${demo.homeserver.baseUrl}/_matrix/client/v3/account/whoami`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const { user_id, device_id } = (await response.json()) as Record<string, unknown>;
  return `${String(user_id)}, device ${String(device_id)}`;
}

async function runDemo(demo: Demo): Promise<void> {
  const { folder, homeserver } = demo;
  say(`A copy of inventory.example.yml in ${folder}, a homeserver on ${homeserver.baseUrl}`);
  await show(demo, 'What would be done? This contacts nobody.', `${PROVISION} --check --diff`);
  if (homeserver.requests.length > 0) throw new Error('check mode sent a request');

  await show(demo, 'The run: two logins, two files.', PROVISION);
  const written = await readFile(join(folder, TOKEN_FILE), 'utf8');
  say(`\n# What Ansible finds now\n$ cat ${TOKEN_FILE}\n${written.trimEnd()}`);
  say(`# The homeserver says that this token is of ${await ownerOfToken(demo, written)}`);

  const before = homeserver.requests.length;
  await show(demo, 'The same again: nothing is left to do.', PROVISION);
  const after = await readFile(join(folder, TOKEN_FILE), 'utf8');
  if (homeserver.requests.length > before) throw new Error('the second run sent a request');
  if (after !== written) throw new Error('the second run changed a file');
  say('\n# The second run sent no request and changed no byte. The folder is removed now.');
}

async function main(signal: AbortSignal): Promise<void> {
  const password = (): string => randomBytes(12).toString('base64url');
  const passwords = new Map([
    ['vault_draupnir_password', password()],
    ['vault_rss_password', password()],
  ]);
  const users = ['bot.draupnir', 'bot.rss'].map((localpart, index) => ({
    localpart,
    password: [...passwords.values()][index] ?? '',
  }));
  const folder = await mkdtemp(join(tmpdir(), 'matrix-tokens-demo-'));
  const homeserver = await startHomeserver({ serverName: 'example.com', users });
  try {
    const demo = { folder, homeserver, signal, vaultPassword: new Secret(password()) };
    await writeInventory(demo, passwords);
    await runDemo(demo);
  } finally {
    await homeserver.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    interrupted.abort();
  });
}
try {
  await main(interrupted.signal);
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
