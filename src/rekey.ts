// Encrypts the values of services again, under another vault password: all of them, or none. Killed
// before the decision, nothing has happened; killed after it, the next run puts the rest in place.
// Until then some files have the old password and some the new one, and whoever reads needs both.
import { FAILURE_CODES } from './matrix/failure.ts';
import { lockFiles } from './provision/locks.ts';
import { describeRekeys, finishRekeys, recovering } from './provision/recover.ts';
import { openInventory } from './provision/source.ts';
import { openVaultAccess, openWith } from './provision/vault-access.ts';
import type { World } from './provision/world.ts';
import { composeRekeyed, tryRekey, type Rekeyed } from './rekey/compose.ts';
import { readKeys } from './rekey/keys.ts';
import {
  filesToChange,
  look,
  type RekeyOptions,
  type RekeyRun,
  type RekeyView,
} from './rekey/look.ts';
import { rekeyOutcomes, type Failed } from './rekey/outcomes.ts';
import type { Report } from './report/types.ts';
import { replaceTogether } from './vault/batch.ts';
import { removeLeftovers } from './vault/leftovers.ts';
import type { Lock } from './vault/lock.ts';
import { StoreError } from './vault/store-error.ts';

export type { RekeyOptions } from './rekey/look.ts';

/** Runs the task. Throws InputError, with nothing changed anywhere. */
export async function rekey(options: RekeyOptions, world: World): Promise<Report> {
  const { newVaultId, newVaultPasswordFile, encryptVaultId } = options;
  const also = [newVaultId ?? newVaultPasswordFile].filter((one) => one !== undefined);
  const vault = openVaultAccess(options, world, also);
  const keys = await readKeys({ newVaultId, newVaultPasswordFile, encryptVaultId }, vault, world);
  const access = { ...vault, ...openWith(() => Promise.resolve(keys.keyring)) };
  const source = openInventory(options, world, { vault: access });
  const run: RekeyRun = { options, world, source, keys };
  if (options.check) return check(run);
  const view = await recovering(() => look(run), world);
  const isChanged = await tidyUp(view, world);
  const now = isChanged ? await look(run) : view;
  // Whatever does not open is told before anything is touched, a lock included.
  await tryRekey(now.judged, keys);
  return filesToChange(now).size === 0 ? reportOn(now, run, new Map()) : lockAndChange(now, run);
}

/** Tries everything but the last step: what could not be done is told now. */
async function check(run: RekeyRun): Promise<Report> {
  const view = await look(run);
  await tryRekey(view.judged, run.keys);
  const rekeys = await describeRekeys(view.folders);
  const report = reportOn(view, run, new Map());
  return { ...report, rekeyWaits: rekeys.length > 0, notes: [...report.notes, ...rekeys] };
}

/** Gives true where an earlier rekey was ended. */
async function tidyUp({ folders }: RekeyView, world: World): Promise<boolean> {
  const isChanged = await finishRekeys(folders, world);
  for (const folder of folders) {
    // What cannot be removed is in nobody's way, or the lock says so.
    await removeLeftovers(folder).catch((error: unknown) => {
      if (!(error instanceof StoreError)) throw error;
    });
  }
  return isChanged;
}

/** What is found under the locks may be more than was locked: then they are taken anew. */
async function lockAndChange(view: RekeyView, run: RekeyRun): Promise<Report> {
  const held = await lockFiles(filesToChange(view), run.options, run.world).catch(
    (error: unknown) => {
      if (run.world.signal.aborted) return null;
      throw error;
    },
  );
  if (held === null) return reportOn(view, run, failedAll(view, INTERRUPTED));
  try {
    const now = await look(run);
    if ([...filesToChange(now).keys()].every((path) => held.locks.has(path))) {
      return await change(now, run, held.locks);
    }
  } finally {
    await held.release();
  }
  return lockAndChange(await look(run), run);
}

const INTERRUPTED: Failed = { code: 'INTERRUPTED', message: FAILURE_CODES.INTERRUPTED };

async function change(
  view: RekeyView,
  run: RekeyRun,
  locks: ReadonlyMap<string, Lock>,
): Promise<Report> {
  const rekeyed = await composeRekeyed(view.judged, run.keys);
  try {
    const { signal } = run.world;
    const unfinished = await replaceTogether(rekeyed.map(toBatchFile(locks)), { signal });
    const failures = unfinished.map(({ path, error }): [string, Failed] => [
      path,
      { code: 'REKEY_UNFINISHED', message: error.message },
    ]);
    return reportOn(view, run, new Map(failures));
  } catch (error) {
    if (error instanceof StoreError) {
      const message = `${error.message}; no file was changed`;
      return reportOn(view, run, failedAll(view, { code: 'REKEY_FAILED', message }));
    }
    if (!run.world.signal.aborted) throw error;
    return reportOn(view, run, failedAll(view, INTERRUPTED));
  }
}

function toBatchFile(locks: ReadonlyMap<string, Lock>) {
  return ({ file, after }: Rekeyed) => {
    const lock = locks.get(file.path);
    if (lock === undefined) throw new Error('a file without its lock was to be written');
    return { path: file.path, before: file.text, after, checkLock: () => lock.check() };
  };
}

function failedAll(view: RekeyView, failed: Failed): ReadonlyMap<string, Failed> {
  return new Map([...filesToChange(view).keys()].map((path) => [path, failed]));
}

function reportOn(
  view: RekeyView,
  { options, keys }: RekeyRun,
  failures: ReadonlyMap<string, Failed>,
): Report {
  const { check: isCheck } = options;
  const outcomes = rekeyOutcomes(view.judged, {
    check: isCheck,
    label: keys.fresh.label,
    failures,
    places: view.places,
  });
  return {
    task: 'rekey',
    check: isCheck,
    outcomes: [...view.unheld, ...outcomes],
    leftovers: [],
    notes: view.notes,
    interrupted: null,
  };
}
