// What a killed rekey has decided is put into place by whoever comes next. That may be what somebody
// needs who has only the new password by now: a file that does not open is looked at for it.
import { dirname, resolve } from 'node:path';
import { InputError, type Fault } from '../errors.ts';
import { resolveTarget } from '../vault/real-path.ts';
import { StoreError } from '../vault/store-error.ts';
import type { World } from './world.ts';

/** Reads; where a vault does not open, ends what a killed rekey left beside it and reads again. */
export async function recovering<T>(read: () => Promise<T>, world: World): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const folders = await foldersOf(error.faults, world.cwd);
    if (!(await finishRekeys(folders, world))) throw error;
    return read();
  }
}

/**
 * Ends what killed runs of rekey have left in these folders. Gives true where a file was changed.
 * What cannot be ended is told, and waits.
 */
export async function finishRekeys(folders: readonly string[], world: World): Promise<boolean> {
  if (folders.length === 0) return false;
  const { finishBatches } = await import('../vault/batch-finish.ts');
  let isChanged = false;
  for (const folder of folders) {
    try {
      const { replaced, kept } = await finishBatches(folder);
      isChanged ||= replaced.length > 0;
      for (const path of replaced) world.warn(`${path}: ended what an interrupted rekey had begun`);
      for (const path of kept) world.warn(`${path}: ${KEPT}`);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      world.warn(error.message);
    }
  }
  return isChanged;
}

const KEPT =
  'it was changed after a rekey was interrupted, and keeps the vault password that it has: run the rekey again';

async function foldersOf(faults: readonly Fault[], cwd: string): Promise<string[]> {
  const folders = new Set<string>();
  for (const { code, at } of faults) {
    if (code !== 'E_VAULT_PASSWORD' || at === undefined) continue;
    const path = await resolveTarget(resolve(cwd, at.file)).catch(() => null);
    if (path !== null) folders.add(dirname(path));
  }
  return [...folders];
}
