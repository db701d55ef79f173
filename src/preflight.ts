// The last stage before anybody is contacted: every secret is read and every file is tried, so
// that what can fail here fails for all services at once and with nothing done.
import type { Renderer } from './ansible/render.ts';
import { sessionsOf, type Assessment, type WaitingSession } from './assess.ts';
import type { Decrypt } from './definitions/types.ts';
import { readValue } from './definitions/values.ts';
import { InputError, settleAll } from './errors.ts';
import type { Action, LoginAction } from './plan/types.ts';
import {
  loginSecrets,
  pickSecrets,
  registrationSecrets,
  type LoginSecrets,
} from './preflight/needed.ts';
import { askSecrets, readSecrets, textOf, type Secrets } from './preflight/secrets.ts';
import { provePasswords } from './provision/prove.ts';
import type { VaultAccess } from './provision/vault-access.ts';
import type { World } from './provision/world.ts';
import { Secret } from './secret.ts';
import { journalFolder } from './state-places.ts';
import { planStore, type StorePlan } from './store.ts';
import type { Keyring } from './vault/keyring.ts';

export type PresentAction = Extract<Action, { kind: 'present' }>;

/** A service that is ready to be logged in. */
export interface LoginWork {
  readonly action: LoginAction;
  readonly secrets: LoginSecrets;
  /** What its user is created with if it is missing; null: it is not created. */
  readonly registrationSecret: Secret | null;
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
  readonly secrets: LoginSecrets;
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
  const keyring = await vault.keyring();
  const { actions } = assessment;
  const sessions = assessment.sessions.map((session) => datedBy(session, world.now()));
  const logins = actions.filter((action) => action.kind === 'login');
  const [{ proved }, { hosts }, { prompt }] = [vault, assessment, world];
  await provePasswords(logins, { keyring, proved, hosts, prompt });
  const tools: Tools = { keyring, decrypt: vault.decrypt, renderer: vault.renderer, world };
  const waiting = (action: Action): readonly WaitingSession[] => sessionsOf(action, sessions);
  const present = actions.filter(
    (action): action is PresentAction => action.kind === 'present' && waiting(action).length > 0,
  );
  const needed = [
    ...[...logins, ...present].flatMap(({ definition }) => loginSecrets(definition)),
    ...logins.flatMap(({ definition }) => registrationSecrets(definition)),
  ];
  const [read, ready, sweeps] = await settleAll<[Secrets, PreparedLogin[], PreparedSweep[]]>([
    readSecrets(needed, tools),
    settleAll(logins.map((action) => prepareLogin(action, waiting(action), tools))),
    settleAll(present.map((action) => prepareSweep(action, waiting(action), tools))),
  ]);
  const known = new Map([...read, ...(await askSecrets(needed, world.prompt))]);
  return {
    logins: ready.map((login) => ({ ...login, ...secretsOf(login.action, known) })),
    sweeps: sweeps.map((sweep) => ({
      ...sweep,
      secrets: pickSecrets(sweep.action.definition, known),
    })),
  };
}

type PreparedLogin = Omit<LoginWork, 'secrets' | 'registrationSecret'>;
type PreparedSweep = Omit<SweepWork, 'secrets'>;

function secretsOf(
  { definition }: LoginAction,
  known: Secrets,
): Pick<LoginWork, 'secrets' | 'registrationSecret'> {
  const secrets = pickSecrets(definition, known);
  if (secrets.size === 0) throw new Error('a login without a secret was planned');
  const { register } = definition.homeserver;
  const registration = register === null ? undefined : known.get(register.secret);
  return { secrets, registrationSecret: registration?.secret ?? null };
}

/** Where a clock was ahead, an entry would look young for hours: it is as old as now, at least. */
function datedBy(session: WaitingSession, now: number): WaitingSession {
  const { entry, folder } = session;
  return { folder, entry: { ...entry, at: Math.min(entry.at, now) } };
}

interface Tools {
  readonly keyring: Keyring;
  readonly decrypt: Decrypt | null;
  readonly renderer: Renderer;
  readonly world: World;
}

async function prepareLogin(
  action: LoginAction,
  sessions: readonly WaitingSession[],
  tools: Tools,
): Promise<PreparedLogin> {
  const { definition, target, write } = action;
  const plan = (): Promise<StorePlan> =>
    planStore(
      {
        target,
        write,
        format: definition.vaultFormat,
        vaultId: definition.vaultId,
        keyring: tools.keyring,
      },
      {
        service: definition.name,
        userId: definition.userId,
        deviceId: 'x'.repeat(64),
        accessToken: 'x',
      },
    );
  const [fixedDevice] = await settleAll<[string | null, StorePlan]>([
    findFixedDevice(action, tools),
    plan(),
  ]);
  const folder = await journalFolder(action);
  return { action, fixedDevice, planStore: plan, folder, sessions };
}

async function prepareSweep(
  action: PresentAction,
  sessions: readonly WaitingSession[],
  tools: Tools,
): Promise<PreparedSweep> {
  const { definition } = action;
  const { decrypt, renderer } = tools;
  const value = await readValue(action.accessToken, { host: definition.host, decrypt, renderer });
  const text = textOf(value, `the access token of service '${definition.name}'`);
  return {
    action,
    accessToken: new Secret(text),
    sessions,
  };
}

async function findFixedDevice(action: LoginAction, tools: Tools): Promise<string | null> {
  const { definition, pinned } = action;
  if (pinned === null) return definition.deviceId;
  const { decrypt, renderer } = tools;
  const value = await readValue(pinned, { host: definition.host, decrypt, renderer });
  const device = textOf(value, `the device ID of service '${definition.name}'`);
  if (/^[A-Za-z0-9._~-]{1,255}$/.test(device)) return device;
  throw new InputError({
    code: 'E_VALUE',
    at: value.at,
    found: `a device ID of service '${definition.name}' that cannot be asked for`,
    wanted: 'letters, digits and . _ ~ -, or no value so that a new one is made',
  });
}
