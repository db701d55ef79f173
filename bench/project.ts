// An operator's folder: an inventory with one host, the definitions of its services, their passwords
// in an inline vault, the vault password in a file.
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Secret } from '../src/secret.ts';
import { formatInline } from '../src/store/text.ts';
import { DEFAULT_LABEL } from '../src/vault/envelope.ts';
import { encryptText } from '../src/vault/keyring.ts';

const BUNDLE = resolve(import.meta.dirname, '../matrix-tokens.cjs');
const HOST = 'matrix.example.com';
const HOST_VARS = `host_vars/${HOST}`;

/** Where the tokens stand, relative to the project. */
export const TOKENS = `${HOST_VARS}/vault_matrix_tokens`;
/** The file with the vault password, relative to the project. */
export const VAULT_PASSWORD_FILE = 'vault_pass';
export const VAULT_PASSWORD = new Secret('the vault password of the benchmarks');

export interface User {
  readonly localpart: string;
  readonly password: string;
}

export interface ProjectOptions {
  readonly folder: string;
  readonly serverName: string;
  readonly baseUrl: string;
  readonly users: readonly User[];
  readonly vaultFormat: 'inline' | 'file';
}

/** Makes the folder anew, with a service for each user: `bot_1`, `bot_2` and so on. */
export async function writeProject(options: ProjectOptions): Promise<void> {
  const { folder, users } = options;
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, HOST_VARS), { recursive: true });
  const files: Readonly<Record<string, string>> = {
    'inventory.yml': `all:\n  hosts:\n    ${HOST}:\n`,
    [VAULT_PASSWORD_FILE]: `${VAULT_PASSWORD.reveal()}\n`,
    [`${HOST_VARS}/vars.yml`]: varsText(options),
    [`${HOST_VARS}/vault.yml`]: await vaultText(users),
  };
  for (const [path, text] of Object.entries(files)) {
    await writeFile(join(folder, path), text, { mode: 0o600 });
  }
}

/** Keeps the program that is measured, whatever is built meanwhile. */
export async function copyBundle(scratch: string): Promise<void> {
  await copyFile(BUNDLE, join(scratch, 'matrix-tokens.cjs'));
}

/** Gives the command that an operator types in such a folder, with the copy of the bundle. */
export function provisionCommand(scratch: string): readonly string[] {
  const flags = ['-i', 'inventory.yml', '--vault-password-file', VAULT_PASSWORD_FILE];
  return [process.execPath, join(scratch, 'matrix-tokens.cjs'), 'provision', ...flags];
}

/** Gives the files with the tokens, relative to the project. */
export function tokenFiles(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${TOKENS}/bot_${index + 1}.yml`);
}

function varsText({ serverName, baseUrl, users, vaultFormat }: ProjectOptions): string {
  const services = users.map(({ localpart }, index) => {
    const name = `bot_${index + 1}`;
    return `  ${name}:\n    user: ${localpart}\n    password: '{{ vault_${name}_password }}'\n`;
  });
  return [
    `matrix_tokens_server_name: ${serverName}\n`,
    `matrix_tokens_homeserver_url: ${baseUrl}\n`,
    `matrix_tokens_defaults:\n  vault_format: ${vaultFormat}\n`,
    `matrix_tokens_services:\n${services.join('')}`,
  ].join('');
}

async function vaultText(users: readonly User[]): Promise<string> {
  const secret = { label: DEFAULT_LABEL, password: VAULT_PASSWORD };
  const values = users.map(async ({ password }, index) => {
    const value = formatInline(await encryptText(password, secret), 0);
    return `vault_bot_${index + 1}_password: ${value}\n`;
  });
  return (await Promise.all(values)).join('');
}
