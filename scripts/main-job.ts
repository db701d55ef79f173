// The main job, for the demo and for what is released: a copy of inventory.example.yml in a temp
// folder, the embedded homeserver, and a look, a run and a second run, each of which is checked.
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Secret } from '../src/secret.ts';
import { DEFAULT_LABEL } from '../src/vault/envelope.ts';
import { decryptText, encryptText, keyringOf } from '../src/vault/keyring.ts';
import { startHomeserver } from './homeserver/homeserver.ts';
import type { Homeserver, RequestRecord } from './homeserver/homeserver.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const HOST_VARS = 'host_vars/matrix.example.com';
const USERS = ['bot.draupnir', 'bot.rss'] as const;

/** Relative to the folder. */
export const TOKEN_FILE = `${HOST_VARS}/vault_matrix_tokens/rss.yml`;

export interface Job {
  /** Holds inventory.yml and, with the vault password, vault_pass. */
  readonly folder: string;
  readonly homeserver: Homeserver;
  readonly vaultPassword: Secret;
}

/** How the job is done; each step throws where it is not done. */
export interface Steps {
  /** Only looks: check mode. */
  readonly look: () => Promise<void>;
  readonly run: () => Promise<void>;
  /** Sees the file with the token that was written, and whose the homeserver says that it is. */
  readonly seen?: (text: string, owner: string) => void;
  /** Default: `run`. */
  readonly again?: () => Promise<void>;
}

/** Prepares the job, has it done, and removes what is left. */
export async function withJob<T>(work: (job: Job) => Promise<T>): Promise<T> {
  const password = (): string => randomBytes(12).toString('base64url');
  const users = USERS.map((localpart) => ({ localpart, password: password() }));
  const folder = await mkdtemp(join(tmpdir(), 'matrix-tokens-job-'));
  const homeserver = await startHomeserver({ serverName: 'example.com', users });
  try {
    const job = { folder, homeserver, vaultPassword: new Secret(password()) };
    const names = ['vault_draupnir_password', 'vault_rss_password'];
    await writeInventory(
      job,
      users.map((user, index) => [names[index] ?? '', user.password]),
    );
    return await work(job);
  } finally {
    await homeserver.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Copies the inventory and adds what an operator has in host_vars: the URL and the passwords. */
async function writeInventory(
  { folder, homeserver, vaultPassword }: Job,
  passwords: readonly (readonly [name: string, password: string])[],
): Promise<void> {
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

/** Does the job. Throws where something that it promises does not come true. */
export async function doJob(job: Job, { look, run, seen, again = run }: Steps): Promise<void> {
  const { homeserver, folder } = job;
  await look();
  expect(homeserver.requests.length === 0, 'check mode sent a request');
  await run();
  const written = await readFile(join(folder, TOKEN_FILE), 'utf8');
  const logins = homeserver.requests.filter(isLogin);
  expect(logins.length === USERS.length, `there were ${logins.length} logins`);
  const owner = await ownerOfToken(job, written);
  expect(owner.startsWith('@bot.rss:example.com, device '), `the token is that of ${owner}`);
  seen?.(written, owner);
  const before = homeserver.requests.length;
  await again();
  const after = await readFile(join(folder, TOKEN_FILE), 'utf8');
  expect(homeserver.requests.length === before, 'the second run sent a request');
  expect(after === written, 'the second run changed a file');
}

function isLogin({ method, path }: RequestRecord): boolean {
  return method === 'POST' && path.endsWith('/login');
}

/** Logs nobody in: asks the homeserver whose token it is that the file holds. */
async function ownerOfToken(job: Job, text: string): Promise<string> {
  const token = await tokenIn(job, text);
  const url = `${job.homeserver.baseUrl}/_matrix/client/v3/account/whoami`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const { user_id, device_id } = (await response.json()) as Record<string, unknown>;
  return `${String(user_id)}, device ${String(device_id)}`;
}

/** Opens the token that a file holds. */
export function tokenIn({ vaultPassword }: Job, text: string): Promise<string> {
  const at = { file: TOKEN_FILE, line: 1, column: 1 };
  const block = /access_token: !vault \|\n((?: +\S+\n)+)/.exec(text)?.[1] ?? '';
  const envelope = block.replaceAll(/^ +/gm, '');
  const keyring = keyringOf([{ label: DEFAULT_LABEL, password: vaultPassword }]);
  return decryptText(envelope, keyring, at);
}

function expect(isTrue: boolean, otherwise: string): void {
  if (!isTrue) throw new Error(otherwise);
}
