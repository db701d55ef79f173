// Many homeservers, a host each, with services that have no token yet; and what is true afterwards.
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startHomeserver } from '../scripts/homeserver/homeserver.ts';
import type { Homeserver } from '../scripts/homeserver/homeserver.ts';
import { formatInline } from '../src/store/text.ts';
import { DEFAULT_LABEL } from '../src/vault/envelope.ts';
import { decryptText, encryptText, keyringOf } from '../src/vault/keyring.ts';
import { VAULT_PASSWORD, VAULT_PASSWORD_FILE } from './project.ts';

const SECRET = { label: DEFAULT_LABEL, password: VAULT_PASSWORD };
const TOKENS = 'vault_matrix_tokens';

export interface FleetOptions {
  /** Made anew. */
  readonly folder: string;
  readonly hosts: number;
  /** Of each host. */
  readonly services: number;
  /** What a login takes at the homeserver, in ms; default: as long as it takes. */
  readonly loginMs?: number;
}

export interface Fleet {
  readonly folder: string;
  readonly services: readonly string[];
  /** By the host of the inventory. */
  readonly homeservers: ReadonlyMap<string, Homeserver>;
  readonly stop: () => Promise<void>;
}

/** What the homeservers have seen. */
export interface Seen {
  readonly logins: number;
  readonly requests: number;
}

/** The encrypted passwords, by host and service: made once, since that takes longer than a run. */
export type Passwords = ReadonlyMap<string, string>;

/** Encrypts the passwords of all users, each with a salt of its own. */
export async function sealPasswords({ hosts, services }: FleetOptions): Promise<Passwords> {
  const names = hostNames(hosts).flatMap((host) =>
    serviceNames(services).map((service) => `${host} ${service}`),
  );
  const sealed = names.map(async (name) => {
    const text = await encryptText(`password of ${name}`, SECRET);
    return [name, formatInline(text, 0)] as const;
  });
  return new Map(await Promise.all(sealed));
}

/** Starts a homeserver for each host, on a port of its own, and writes the inventory. */
export async function startFleet(options: FleetOptions, passwords: Passwords): Promise<Fleet> {
  const { folder } = options;
  const services = serviceNames(options.services);
  const faults = [{ method: 'POST', path: /\/login$/, delayBeforeMs: options.loginMs ?? 0 }];
  const homeservers = new Map<string, Homeserver>();
  for (const host of hostNames(options.hosts)) {
    const users = services.map((name) => ({
      localpart: name,
      password: `password of ${host} ${name}`,
    }));
    const serverName = host.replace(/^matrix\./, '');
    homeservers.set(host, await startHomeserver({ serverName, users, faults }));
  }
  const fleet = {
    folder,
    services,
    homeservers,
    stop: async () => {
      await Promise.all([...homeservers.values()].map((one) => one.stop()));
    },
  };
  await writeInventory(fleet, passwords);
  return fleet;
}

function hostNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `matrix.h${index}.example.com`);
}

function serviceNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `bot_${index}`);
}

async function writeInventory(fleet: Fleet, passwords: Passwords): Promise<void> {
  const { folder, services, homeservers } = fleet;
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'group_vars'), { recursive: true });
  const definitions = services.map(
    (name) => `  ${name}: {user: ${name}, password: '{{ vault_${name}_password }}'}\n`,
  );
  const files: Readonly<Record<string, string>> = {
    hosts: `[matrix_servers]\n${[...homeservers.keys()].join('\n')}\n`,
    [VAULT_PASSWORD_FILE]: `${VAULT_PASSWORD.reveal()}\n`,
    'group_vars/matrix_servers.yml': `matrix_tokens_services:\n${definitions.join('')}`,
    'play.yml': '- hosts: all\n  gather_facts: false\n  roles: [matrix_tokens]\n',
  };
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text);
  for (const [host, { serverName, baseUrl }] of homeservers) {
    const vars = `matrix_tokens_server_name: ${serverName}\nmatrix_tokens_homeserver_url: ${baseUrl}\n`;
    const vault = services.map(
      (name) => `vault_${name}_password: ${passwords.get(`${host} ${name}`) ?? ''}\n`,
    );
    const own = join(folder, 'host_vars', host);
    await mkdir(own, { recursive: true });
    await writeFile(join(own, 'vars.yml'), vars);
    await writeFile(join(own, 'vault.yml'), vault.join(''));
  }
}

/** Gives what the homeservers have seen so far. */
export function seenBy({ homeservers }: Fleet): Seen {
  const requests = [...homeservers.values()].flatMap((one) => one.requests);
  const logins = requests.filter(
    ({ method, path }) => method === 'POST' && path.endsWith('/login'),
  );
  return { logins: logins.length, requests: requests.length };
}

/**
 * Throws unless every service has one session, on one device, and its file holds the token of just
 * that session.
 */
export async function expectAllStored(fleet: Fleet): Promise<void> {
  const checks = [...fleet.homeservers].flatMap(([host, homeserver]) =>
    fleet.services.map((service) => expectStored(fleet.folder, host, { homeserver, service })),
  );
  await Promise.all(checks);
}

async function expectStored(
  folder: string,
  host: string,
  { homeserver, service }: { readonly homeserver: Homeserver; readonly service: string },
): Promise<void> {
  const { state, serverName } = homeserver;
  const devices = state.devices.get(`@${service}:${serverName}`)?.size;
  const sessions = [...state.sessions].filter(([, { user }]) => user.localpart === service);
  if (devices !== 1 || sessions.length !== 1) {
    throw new Error(`${host} ${service}: ${devices} devices, ${sessions.length} sessions`);
  }
  const file = join(folder, 'host_vars', host, TOKENS, `${service}.yml`);
  const text = await readFile(file, 'utf8');
  const block = /access_token: !vault \|\n((?: +\S+\n)+)/.exec(text)?.[1] ?? '';
  const at = { file, line: 1, column: 1 };
  const token = await decryptText(block.replaceAll(/^ +/gm, ''), keyringOf([SECRET]), at);
  if (token !== sessions[0]?.[0]) throw new Error(`${host} ${service}: another token is stored`);
}

/** Gives the names, sizes and times of all files, to tell whether anything was written. */
export async function snapshot({ folder }: Fleet): Promise<string> {
  const entries = await readdir(join(folder, 'host_vars'), { recursive: true });
  const lines = entries.toSorted().map(async (path) => {
    const { size, mtimeMs, ino } = await stat(join(folder, 'host_vars', path));
    return `${path} ${size} ${mtimeMs} ${ino}`;
  });
  return (await Promise.all(lines)).join('\n');
}
