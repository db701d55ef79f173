// The main job: finds out what is missing, gets it, stores it, and says what came of it. What only
// a run with something to do needs is loaded then: most runs find nothing to do.
import {
  assess,
  isDefined,
  NO_SERVICE_OF_SESSION,
  remainingSessions,
  sessionsOf,
  type AssessOptions,
  type Assessment,
  type WaitingSession,
} from './assess.ts';
import { InputError, type Fault } from './errors.ts';
import type { Action } from './plan/types.ts';
import type { OpenOptions } from './provision/homeservers.ts';
import type { Locks } from './provision/locks.ts';
import { describeLeftovers, interruptedOutcome, settledOutcomes } from './provision/outcomes.ts';
import type { Performed } from './provision/perform.ts';
import { finishRekeys, recovering } from './provision/recover.ts';
import { sessionKey } from './provision/session-key.ts';
import { openInventory, type InventoryOptions, type Source } from './provision/source.ts';
import type { VaultAccess } from './provision/vault-access.ts';
import type { World } from './provision/world.ts';
import type { Report } from './report/types.ts';
import { describePlan } from './validate.ts';

/** How a run goes, wherever its hosts come from. */
export interface RunOptions extends AssessOptions {
  /** True: contact nobody and write nothing. */
  readonly check: boolean;
  /** Seconds; undefined: what vars say. */
  readonly maxWait: number | undefined;
  /** Seconds to wait for another run on the same files; undefined: 60. */
  readonly lockTimeout: number | undefined;
  readonly connectTo?: OpenOptions['connectTo'];
}

export type ProvisionOptions = RunOptions & InventoryOptions;

/** Runs the main job on an inventory. Throws InputError, with nothing tried anywhere. */
export async function provision(options: ProvisionOptions, world: World): Promise<Report> {
  const { report } = await provisionFrom(openInventory(options, world), options, world);
  return report;
}

/** A report, and what it tells of. */
export interface Provisioned {
  readonly report: Report;
  readonly actions: readonly Action[];
}

/** Runs the main job on the hosts of a source. Throws InputError, with nothing tried anywhere. */
export async function provisionFrom(
  source: Source,
  options: RunOptions,
  world: World,
): Promise<Provisioned> {
  const { vault } = source;
  if (options.check) {
    const seen = await assess(options, source, world);
    return { report: await check(seen, vault), actions: seen.actions };
  }
  const found = await recovering(() => assess(options, source, world), world);
  const isChanged = await tidyUp(found, world);
  const assessment = isChanged ? await assess(options, source, world) : found;
  requireOpen(assessment, vault);
  const pending = assessment.actions.filter((action) => isPending(action, assessment));
  if (pending.length === 0) return report(assessment, nothingDone());
  const [{ checkNetworkEnvironment }, { lockTargets }] = await Promise.all([
    import('./matrix/network-environment.ts'),
    import('./provision/locks.ts'),
  ]);
  checkNetworkEnvironment(world.env);
  const locks = await lockTargets(pending, options, world).catch((error: unknown) => {
    if (world.signal.aborted) return null;
    throw error;
  });
  if (locks === null) return report(assessment, interruptedEarly(pending));
  try {
    return await provisionLocked(options, source, locks, world);
  } finally {
    await locks.release();
  }
}

/**
 * Ends what killed runs have begun and removes their locks and temp files, also where nothing else is
 * to be done. Gives true where a file was changed.
 */
async function tidyUp({ stateFolders }: Assessment, world: World): Promise<boolean> {
  if (stateFolders.length === 0) return false;
  const isChanged = await finishRekeys(stateFolders, world);
  const { removeLeftovers } = await import('./vault/leftovers.ts');
  for (const folder of stateFolders) {
    // What cannot be removed is in nobody's way, or the lock says so.
    await removeLeftovers(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === undefined && error.name !== 'StoreError') throw error;
    });
  }
  return isChanged;
}

/** In check mode, what can be known of the vault password is told as well. */
async function check(assessment: Assessment, vault: VaultAccess): Promise<Report> {
  const logins = assessment.actions.filter((action) => action.kind === 'login');
  if (vault.decrypt !== null && logins.length > 0) {
    const { provePasswords } = await import('./provision/prove.ts');
    const [keyring, { hosts }] = [await vault.keyring(), assessment];
    await provePasswords(logins, { keyring, proved: vault.proved, hosts, prompt: null });
  }
  return describePlan(assessment, 'provision', vault.decrypt);
}

/** What was missing may have been stored while the locks were waited for: it is read again. */
async function provisionLocked(
  options: RunOptions,
  source: Source,
  locks: Locks,
  world: World,
): Promise<Provisioned> {
  const [{ prepareWork }, { performWork }, { dropSettled }] = await Promise.all([
    import('./preflight.ts'),
    import('./provision/perform.ts'),
    import('./provision/settled.ts'),
  ]);
  const { vault } = source;
  const assessment = await assess(options, source, world);
  const held = { ...assessment, actions: assessment.actions.filter((action) => locks.of(action)) };
  const sessions = await dropSettled(held, vault.decrypt);
  const work = await prepareWork({ ...held, sessions }, vault, world);
  const performed = await performWork(work, locks, {
    world,
    maxWait: options.maxWait,
    connectTo: options.connectTo,
  });
  const remaining = await remainingSessions(assessment, options.services);
  return report({ ...assessment, sessions: remaining }, performed);
}

function isPending(action: Action, { sessions }: Assessment): boolean {
  return action.kind === 'login' || sessionsOf(action, sessions).length > 0;
}

/** A real run that cannot see everything would log in whoever stands in a closed file. */
function requireOpen({ closed, unknown, actions }: Assessment, vault: VaultAccess): void {
  if (vault.decrypt !== null) return;
  const faults: Fault[] = [
    ...closed.map((file) => needsPassword({ file, line: 1, column: 1 }, 'an encrypted file')),
    ...unknown.map(({ at, name }) => needsPassword(at, `a vaulted value that '${name}' needs`)),
    ...actions.flatMap(({ kind, definition }) =>
      kind === 'unknown' && closed.length === 0
        ? [needsPassword(definition.at, `service '${definition.name}', whose token is in a vault`)]
        : [],
    ),
  ];
  if (faults.length > 0) throw new InputError(faults);
}

function needsPassword(at: NonNullable<Fault['at']>, what: string): Fault {
  return {
    code: 'E_VAULT_PASSWORD',
    at,
    found: `${what}, and no vault password was given`,
    wanted: 'the vault password, since what stands there may decide what is missing',
    fix: 'give it with `--vault-password-file FILE`, or look without it: --check',
  };
}

function nothingDone(): Performed {
  return { outcomes: [], notes: [], reasons: new Map() };
}

function interruptedEarly(pending: readonly Action[]): Performed {
  const logins = pending.filter((action) => action.kind === 'login');
  return { ...nothingDone(), outcomes: logins.map(interruptedOutcome) };
}

function report(assessment: Assessment, performed: Performed): Provisioned {
  return { report: makeReport(assessment, performed), actions: assessment.actions };
}

function makeReport(assessment: Assessment, performed: Performed): Report {
  const done = new Set(performed.outcomes.map(sessionKey));
  const settled = settledOutcomes(assessment).filter((one) => !done.has(sessionKey(one)));
  return {
    task: 'provision',
    check: false,
    outcomes: [...settled, ...performed.outcomes],
    leftovers: describeLeftovers(assessment.sessions, (session) => {
      const reason = performed.reasons.get(sessionKey(session.entry));
      return reason ?? reasonToStay(session, assessment);
    }),
    damaged: assessment.damaged,
    notes: [...assessment.notes, ...performed.notes],
    interrupted: null,
  };
}

function reasonToStay(session: WaitingSession, { actions }: Assessment): string {
  return isDefined(session, actions)
    ? 'it may still be open: the run that gets a token for this service looks for it and removes it'
    : NO_SERVICE_OF_SESSION;
}
