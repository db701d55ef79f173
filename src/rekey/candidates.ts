// The files that may hold values of services: those in our own folders, whoever still defines their
// services, and every vars file of a host in which a variable of a definition stands.
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { showPath } from '../ansible/text-file.ts';
import type { VariablePath } from '../definitions/types.ts';
import type { HostView } from '../inventory.ts';
import { findEnd } from '../plan/presence.ts';
import type { LocatedService } from '../plan/types.ts';
import { TARGET_FOLDER } from '../target.ts';
import { resolveTarget } from '../vault/real-path.ts';
import type { Candidate, Holder } from './types.ts';

const ENDING = '.yml';

/** A file that was found, and for whom. */
interface Found {
  readonly file: string;
  readonly holder: Holder;
}

/** Gives the files in our folders, and those that hold variables of these services. */
export async function findCandidates(
  folders: readonly OwnFolder[],
  located: readonly LocatedService[],
  cwd: string,
): Promise<readonly Candidate[]> {
  const found = [...folders.flatMap(ownFiles), ...located.flatMap(definedFiles)];
  const candidates = new Map<string, Candidate>();
  for (const { file, holder } of found) {
    const path = await resolveTarget(file);
    const known = candidates.get(path);
    const holders = [...(known?.holders ?? []), holder];
    candidates.set(path, { path, shown: known?.shown ?? showPath(file, cwd), holders });
  }
  return [...candidates.values()];
}

/** A folder of ours. */
export interface OwnFolder {
  readonly path: string;
  readonly host: string;
}

/** Gives our folders of these hosts; `vaultDirs` are those below matrix_tokens_vault_dir. */
export function ownFolders(
  hosts: readonly HostView[],
  vaultDirs: readonly string[],
): readonly OwnFolder[] {
  return [
    ...hosts.map(({ inventoryFolder, name }) => ({
      path: join(inventoryFolder, 'host_vars', name, TARGET_FOLDER),
      host: name,
    })),
    ...vaultDirs.map((path) => ({ path, host: basename(path) })),
  ];
}

/** A service may have been switched off since: its file is still read, and has to be opened. */
function ownFiles({ path, host }: OwnFolder): Found[] {
  return listFiles(path).map((name) => ({
    file: join(path, name),
    holder: { host, service: basename(name, ENDING), userId: null, paths: 'all' },
  }));
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(ENDING) && !name.startsWith('.'));
  } catch {
    // What cannot be listed was not read as vars either: that has been told.
    return [];
  }
}

function definedFiles(service: LocatedService): Found[] {
  const { definition, target } = service;
  const { accessToken, deviceId } = definition.variables;
  const paths = [accessToken, deviceId].flatMap((path): VariablePath[] =>
    path === null ? [] : [path, findEnd(service, path)],
  );
  const { host, name, userId } = definition;
  const holder: Holder = { host: host.name, service: name, userId, paths };
  const unloaded = target.unloaded?.layer ?? null;
  const layers = [...host.layers, ...(unloaded === null ? [] : [unloaded])];
  return layers.flatMap(({ kind, path, vars }) => {
    const isFile = path !== null && (kind === 'host_vars' || kind === 'group_vars');
    const holdsOne = paths.some(([first]) => vars?.has(first) === true);
    return isFile && holdsOne ? [{ file: path, holder }] : [];
  });
}
