// What a killed rekey has decided is put into place by whoever comes next. That may be what somebody
// needs who has only the new password by now: a file that does not open is looked at for it.
import { dirname, join, resolve } from 'node:path';
import { showPath } from '../ansible/text-file.ts';
import { InputError, type Fault } from '../errors.ts';
import { REKEY_WAITS } from '../report/types.ts';
import { resolveTarget } from '../vault/real-path.ts';
import { stateFolder } from '../vault/state-path.ts';
import { StoreError, systemCode } from '../vault/store-error.ts';
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
      const { replaced, kept, damaged } = await finishBatches(folder);
      isChanged ||= replaced.length > 0;
      for (const path of replaced) world.warn(`${show(path, world)}: ${ENDED}`);
      for (const path of kept) world.warn(`${show(path, world)}: ${KEPT}`);
      for (const path of damaged) world.warn(describeDamaged(path));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      world.warn(error.message);
    }
  }
  return isChanged;
}

/** Gives those of these files, by their real paths, for which a decided rekey waits. */
export async function filesOfRekeys(paths: readonly string[]): Promise<readonly string[]> {
  const { readBatches, readDecision } = await import('../vault/batch-record.ts');
  const waiting = new Set<string>();
  for (const folder of new Set(paths.map((path) => dirname(path)))) {
    await reading(folder, async () => {
      for (const { id, main, files } of (await readBatches(folder)).records) {
        if ((await readDecision(main, id)) === null) continue;
        for (const { name } of files) waiting.add(join(folder, name));
      }
    });
  }
  return paths.filter((path) => waiting.has(path));
}

/** Gives a sentence for each killed rekey of these folders that a real run would end. */
export async function describeRekeys(folders: readonly string[]): Promise<readonly string[]> {
  if (folders.length === 0) return [];
  const { readBatches, readDecision } = await import('../vault/batch-record.ts');
  const notes: string[] = [];
  for (const folder of folders) {
    await reading(folder, async () => {
      const { records, damaged } = await readBatches(folder);
      notes.push(...damaged.map(describeDamaged));
      for (const { id, main } of records) {
        if ((await readDecision(main, id)) !== null) notes.push(`${folder}: ${REKEY_WAITS}`);
      }
    });
  }
  return notes;
}

async function reading(folder: string, operation: () => Promise<void>): Promise<void> {
  try {
    await operation();
  } catch (error) {
    const code = systemCode(error);
    if (code === null) throw error;
    const found = `the records of rekeys in ${stateFolder(folder)} cannot be read (${code})`;
    throw new InputError({ code: 'E_FILE', found, fix: 'make them readable for this user' });
  }
}

function describeDamaged(path: string): string {
  return `the record ${path} of an interrupted rekey is damaged: run the rekey again with both vault passwords, then remove that record`;
}

const show = (path: string, { cwd }: World): string => showPath(path, cwd);

const ENDED = 'ended what an interrupted rekey had begun';

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
