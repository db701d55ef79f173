// The last stage before anybody is contacted: every password is read and every file is tried, so
// that what can fail here fails for all services at once and with nothing done.
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sessionsOf, type Assessment, type WaitingSession } from './assess.ts';
import type { Decrypt, PasswordSource, ServiceDefinition } from './definitions/types.ts';
import { readValue } from './definitions/values.ts';
import { InputError, settleAll, type Position } from './errors.ts';
import type { Action } from './plan/types.ts';
import { provePassword } from './provision/prove.ts';
import type { VaultAccess } from './provision/vault-access.ts';
import type { World } from './provision/world.ts';
import { Secret } from './secret.ts';
import { planStore, type StorePlan } from './store.ts';
import { encryptionSecret, type VaultSecret } from './vault/keyring.ts';
import { resolveTarget } from './vault/real-path.ts';
import { describeType, type YamlNode } from './yaml/node.ts';

export type LoginAction = Extract<Action, { kind: 'login' }>;
export type PresentAction = Extract<Action, { kind: 'present' }>;

/** A password with the place where it stands, which an error names. */
export interface Password {
  readonly secret: Secret;
  readonly at: Position;
}

/** A service that is ready to be logged in. */
export interface LoginWork {
  readonly action: LoginAction;
  readonly password: Password;
  /** A device ID that was fixed, by its key or by the value in its variable; null: a new one. */
  readonly fixedDevice: string | null;
  /** Gives the change of the file, planned on what the file holds now. */
  planStore(): Promise<StorePlan>;
  /** The folder that holds its journal. */
  readonly folder: string;
  readonly sessions: readonly WaitingSession[];
}

/** A service whose token is there, with sessions of earlier runs that wait to be removed. */
export interface SweepWork {
  readonly action: PresentAction;
  readonly password: Password | null;
  readonly accessToken: Secret;
  readonly sessions: readonly WaitingSession[];
}

export interface Work {
  readonly logins: readonly LoginWork[];
  readonly sweeps: readonly SweepWork[];
}

/** Gets everything ready. Throws InputError with every fault of all services. */
export async function prepareWork(
  assessment: Assessment,
  vault: VaultAccess,
  world: World,
): Promise<Work> {
  const secrets = await vault.secrets();
  const { actions } = assessment;
  const sessions = assessment.sessions.map((session) => datedBy(session, world.now()));
  const logins = actions.filter((action) => action.kind === 'login');
  await proveAll(logins, secrets, assessment, world);
  const tools: Tools = { secrets, decrypt: vault.decrypt, world };
  const ready = await settleAll(
    logins.map((action) => prepareLogin(action, sessionsOf(action, sessions), tools)),
  );
  const present = actions.filter(
    (action) => action.kind === 'present' && sessionsOf(action, sessions).length > 0,
  ) as PresentAction[];
  const sweeps = await settleAll(
    present.map((action) => prepareSweep(action, sessionsOf(action, sessions), tools)),
  );
  return { logins: ready, sweeps };
}

/** Where a clock was ahead, an entry would look young for hours: it is as old as now, at least. */
function datedBy(session: WaitingSession, now: number): WaitingSession {
  const { entry, folder } = session;
  return { folder, entry: { ...entry, at: Math.min(entry.at, now) } };
}

interface Tools {
  readonly secrets: readonly VaultSecret[];
  readonly decrypt: Decrypt | null;
  readonly world: World;
}

async function proveAll(
  logins: readonly LoginAction[],
  secrets: readonly VaultSecret[],
  assessment: Assessment,
  world: World,
): Promise<void> {
  const used = new Set(
    logins.map(({ definition }) => encryptionSecret(secrets, definition.vaultId ?? undefined)),
  );
  for (const secret of used) await provePassword(secret, assessment.hosts, world.prompt);
}

async function prepareLogin(
  action: LoginAction,
  sessions: readonly WaitingSession[],
  tools: Tools,
): Promise<LoginWork> {
  const { definition, target, write } = action;
  const plan = (): Promise<StorePlan> =>
    planStore(
      {
        target,
        write,
        format: definition.vaultFormat,
        vaultId: definition.vaultId,
        secrets: tools.secrets,
      },
      {
        service: definition.name,
        userId: definition.userId,
        deviceId: 'x'.repeat(64),
        accessToken: 'x',
      },
    );
  const [password, fixedDevice] = await settleAll<[Password | null, string | null, StorePlan]>([
    readPassword(definition, tools),
    findFixedDevice(action, tools),
    plan(),
  ]);
  if (password === null) throw new Error('a login without a password was planned');
  const folder = dirname(await resolveTarget(target.file));
  return { action, password, fixedDevice, planStore: plan, folder, sessions };
}

async function prepareSweep(
  action: PresentAction,
  sessions: readonly WaitingSession[],
  tools: Tools,
): Promise<SweepWork> {
  const { definition } = action;
  const reader = { host: definition.host, decrypt: tools.decrypt };
  const value = await readValue(action.accessToken, reader);
  const text = textOf(value, `the access token of service '${definition.name}'`);
  return {
    action,
    password: await readPassword(definition, tools),
    accessToken: new Secret(text),
    sessions,
  };
}

async function findFixedDevice(action: LoginAction, tools: Tools): Promise<string | null> {
  const { definition, pinned } = action;
  if (pinned === null) return definition.deviceId;
  const value = await readValue(pinned, { host: definition.host, decrypt: tools.decrypt });
  const device = textOf(value, `the device ID of service '${definition.name}'`);
  if (/^[A-Za-z0-9._~-]{1,255}$/.test(device)) return device;
  throw new InputError({
    code: 'E_VALUE',
    at: value.at,
    found: `a device ID of service '${definition.name}' that cannot be asked for`,
    wanted: 'letters, digits and . _ ~ -, or no value so that a new one is made',
  });
}

/** Reads the password of a service; null where it has none. Throws InputError. */
async function readPassword(definition: ServiceDefinition, tools: Tools): Promise<Password | null> {
  const source = definition.password;
  if (source === null) return null;
  const { text, at } = await readSource(source, definition, tools);
  if (text !== '') return { secret: new Secret(text), at };
  throw new InputError({
    code: 'E_NO_PASSWORD',
    at,
    found: `an empty password for service '${definition.name}'`,
    wanted: 'the password of the user',
  });
}

async function readSource(
  source: PasswordSource,
  definition: ServiceDefinition,
  tools: Tools,
): Promise<{ text: string; at: Position }> {
  switch (source.kind) {
    case 'value': {
      const reader = { host: definition.host, decrypt: tools.decrypt };
      const value = await readValue(source.node, reader);
      return { text: textOf(value, `the password of service '${definition.name}'`), at: value.at };
    }
    case 'file':
      return { text: await readPasswordFile(source.path, source.at), at: source.at };
    case 'env':
      return { text: readVariable(source, tools.world), at: source.at };
  }
}

async function readPasswordFile(path: string, at: Position): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError({
      code: 'E_FILE',
      at,
      found: `the password file ${path}, which cannot be read (${code})`,
      wanted: 'a file with the password; relative paths start at the folder of the inventory',
    });
  }
}

function readVariable(source: PasswordSource & { kind: 'env' }, world: World): string {
  const text = world.env[source.name];
  if (text !== undefined) return text;
  throw new InputError({
    code: 'E_NO_PASSWORD',
    at: source.at,
    found: `the environment variable ${source.name}, which is not set`,
    wanted: 'the password in it',
    fix: `set it for this run: read -rs ${source.name} && export ${source.name}`,
  });
}

function textOf(node: YamlNode, what: string): string {
  if (node.kind === 'scalar' && typeof node.value === 'string') return node.value;
  throw new InputError({
    code: 'E_VALUE',
    at: node.at,
    found: `${describeType(node)} as ${what}`,
    wanted: 'a string',
    fix: 'put it into quotes',
  });
}
