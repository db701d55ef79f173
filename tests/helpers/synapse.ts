// A real Synapse for tests. The test runner starts one for all test files and hands it over in the
// variable below; a file that runs alone starts its own, which ends with it.
import { execFile } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { LoginRateLimits } from '../../scripts/homeserver/rate-limit.ts';
import { synapsePython } from './python.ts';
import type { SynapseModule } from './synapse-config.ts';
import { startSynapseProcess } from './synapse-process.ts';

/** JSON of a `SharedSynapse`: where the Synapse of this test run is and how users are made on it. */
export const SHARED_SYNAPSE_VARIABLE = 'MATRIX_TOKENS_TEST_SYNAPSE';

export interface SharedSynapse {
  readonly baseUrl: string;
  /** The file of its SQLite database. */
  readonly database: string;
  readonly serverName: string;
  readonly registrationSecret: string;
}

export interface TestUser {
  readonly localpart: string;
  readonly userId: string;
  readonly password: string;
}

export interface Device {
  readonly device_id: string;
  readonly display_name: string | null;
}

export interface Synapse extends SharedSynapse {
  readonly adminToken: string;
  /** Makes a user without a session and gives its user ID. */
  registerUser(localpart: string, password: string, options?: { admin?: boolean }): Promise<string>;
  /** Makes a user whose localpart begins with the prefix and is taken by nobody else. */
  newUser(prefix: string): Promise<TestUser>;
  devicesOf(userId: string): Promise<readonly Device[]>;
  /** Gives all access tokens of a user, as the database has them: no API tells them. */
  tokensOf(userId: string): Promise<readonly string[]>;
  lockUser(userId: string): Promise<void>;
  deactivateUser(userId: string): Promise<void>;
  /** Ends the server, if it belongs to this test file alone. */
  stop(): Promise<void>;
}

/** Gives the Synapse that all test files share: without rate limits, with users of unique names. */
export async function sharedSynapse(): Promise<Synapse> {
  const handedOver = process.env[SHARED_SYNAPSE_VARIABLE] ?? '';
  if (handedOver === '') return await startSynapse();
  return await connect(JSON.parse(handedOver) as SharedSynapse, async () => {});
}

export interface SynapseOptions {
  readonly rcLogin?: LoginRateLimits;
  readonly serverName?: string;
  readonly modules?: readonly SynapseModule[];
  /** Further keys of homeserver.yaml. */
  readonly extra?: object;
}

/** Starts a Synapse of one's own (3 to 5 s), to be stopped by the caller. */
export async function startSynapse(options: SynapseOptions = {}): Promise<Synapse> {
  const serverName = options.serverName ?? 'hs.test';
  const registrationSecret = randomBytes(24).toString('hex');
  const { baseUrl, database, stop } = await startSynapseProcess({
    serverName,
    registrationSecret,
    rcLogin: options.rcLogin ?? {},
    modules: options.modules ?? [],
    extra: options.extra ?? {},
  });
  return await connect({ baseUrl, database, serverName, registrationSecret }, stop);
}

async function connect(shared: SharedSynapse, stop: () => Promise<void>): Promise<Synapse> {
  const adminToken = await registerAdmin(shared);
  const admin = (method: string, path: string, body?: object): Promise<Json> =>
    call(`${shared.baseUrl}/_synapse/admin${path}`, method, { token: adminToken, body });
  return {
    ...shared,
    adminToken,
    stop,
    registerUser: async (localpart, password, { admin: isAdmin = false } = {}) =>
      text(await register(shared, { localpart, password, isAdmin, session: false }), 'user_id'),
    newUser: (prefix) => newUser(shared, prefix),
    devicesOf: async (userId) => {
      const answer = await admin('GET', `/v2/users/${encodeURIComponent(userId)}/devices`);
      return answer['devices'] as Device[];
    },
    tokensOf: (userId) => readTokens(shared.database, userId),
    lockUser: async (userId) => {
      await admin('PUT', `/v2/users/${encodeURIComponent(userId)}`, { locked: true });
    },
    deactivateUser: async (userId) => {
      await admin('POST', `/v1/deactivate/${encodeURIComponent(userId)}`, {});
    },
  };
}

const READ_TOKENS = `import json, sqlite3, sys
database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
rows = database.execute("SELECT token FROM access_tokens WHERE user_id = ?", [sys.argv[2]])
print(json.dumps([token for token, in rows]))`;

async function readTokens(database: string, userId: string): Promise<readonly string[]> {
  const args = ['-I', '-S', '-c', READ_TOKENS, database, userId];
  const { stdout } = await promisify(execFile)(await synapsePython(), args);
  return JSON.parse(stdout) as string[];
}

async function newUser(shared: SharedSynapse, prefix: string): Promise<TestUser> {
  const localpart = `${prefix}-${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('base64url');
  const made = await register(shared, { localpart, password, isAdmin: false, session: false });
  return { localpart, password, userId: text(made, 'user_id') };
}

async function registerAdmin(shared: SharedSynapse): Promise<string> {
  const made = await register(shared, {
    localpart: `admin-${randomBytes(6).toString('hex')}`,
    password: randomBytes(12).toString('hex'),
    isAdmin: true,
    session: true,
  });
  return text(made, 'access_token');
}

interface Registration {
  readonly localpart: string;
  readonly password: string;
  readonly isAdmin: boolean;
  readonly session: boolean;
}

/** @see Synapse's admin API, "Shared-Secret Registration" */
async function register(shared: SharedSynapse, user: Registration): Promise<Json> {
  const url = `${shared.baseUrl}/_synapse/admin/v1/register`;
  const nonce = text(await call(url, 'GET'), 'nonce');
  const parts = [nonce, user.localpart, user.password, user.isAdmin ? 'admin' : 'notadmin'];
  const mac = createHmac('sha1', shared.registrationSecret).update(parts.join('\0')).digest('hex');
  const body = {
    nonce,
    username: user.localpart,
    password: user.password,
    admin: user.isAdmin,
    mac,
    inhibit_login: !user.session,
  };
  return await call(url, 'POST', { body });
}

type Json = Readonly<Record<string, unknown>>;

interface CallOptions {
  readonly token?: string;
  readonly body?: object | undefined;
}

async function call(url: string, method: string, options: CallOptions = {}): Promise<Json> {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (options.token !== undefined) headers['authorization'] = `Bearer ${options.token}`;
  const body = options.body === undefined ? null : JSON.stringify(options.body);
  const response = await fetch(url, { method, headers, body });
  const answer = (await response.json()) as Json;
  if (response.ok) return answer;
  throw new Error(
    `${method} ${new URL(url).pathname}: ${response.status} ${text(answer, 'error')}`,
  );
}

function text(answer: Json, key: string): string {
  const value = answer[key];
  if (typeof value !== 'string') throw new Error(`the answer has no ${key}`);
  return value;
}
