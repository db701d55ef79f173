import { join } from 'node:path';
import { InputError } from '../errors.ts';
import type { Fault } from '../errors.ts';
import type { Layer } from './layer.ts';
import { addFaults } from './text-file.ts';
import { findVarsFiles, listVarsFolder, loadVarsFiles } from './vars-files.ts';
import type { VarsFile, VarsFileOptions, VarsFolderListing } from './vars-files.ts';

export type VarsFolder = 'group_vars' | 'host_vars';

export type VarsNames = Readonly<Record<VarsFolder, ReadonlySet<string>>>;

/** Gives what a folder's group_vars or host_vars hold for a name, lowest precedence first. */
export type VarsLayers = (folder: string, kind: VarsFolder, name: string) => readonly Layer[];

interface FoundFiles {
  readonly kind: VarsFolder;
  readonly name: string;
  readonly paths: readonly string[];
}

/**
 * Loads what stands for these groups and hosts in `group_vars` and `host_vars` of the folders.
 * Throws InputError with the faults of all files.
 */
export async function loadVarsFolders(
  folders: readonly string[],
  names: VarsNames,
  options: VarsFileOptions,
): Promise<VarsLayers> {
  const faults: Fault[] = [];
  const found = findAll(listFolders(folders, faults, options.show), names, { ...options, faults });
  const paths = [...found.values()].flatMap((each) => each.paths);
  const files = await loadVarsFiles(paths, options).catch((error) => addFaults(faults, error));
  if (files === null || faults.length > 0) throw new InputError(faults);
  const layers = new Map<string, readonly Layer[]>();
  for (const [key, each] of found) layers.set(key, toLayers(each, files, options.show));
  return (folder, kind, name) => layers.get(join(folder, kind, name)) ?? [];
}

function findAll(
  folders: readonly ListedFolder[],
  names: VarsNames,
  { show, faults }: Pick<VarsFileOptions, 'show'> & { readonly faults: Fault[] },
): Map<string, FoundFiles> {
  const found = new Map<string, FoundFiles>();
  for (const { kind, listing } of folders) {
    for (const name of names[kind]) {
      try {
        const paths = findVarsFiles(listing, name, show);
        if (paths.length > 0) found.set(join(listing.path, name), { kind, name, paths });
      } catch (error) {
        addFaults(faults, error);
      }
    }
  }
  return found;
}

interface ListedFolder {
  readonly kind: VarsFolder;
  readonly listing: VarsFolderListing;
}

function listFolders(
  folders: readonly string[],
  faults: Fault[],
  show: VarsFileOptions['show'],
): ListedFolder[] {
  const kinds = ['group_vars', 'host_vars'] as const;
  return folders.flatMap((base) =>
    kinds.flatMap((kind): ListedFolder[] => {
      try {
        const listing = listVarsFolder(join(base, kind), show);
        return listing === null ? [] : [{ kind, listing }];
      } catch (error) {
        addFaults(faults, error);
        return [];
      }
    }),
  );
}

function toLayers(
  found: FoundFiles,
  files: ReadonlyMap<string, VarsFile>,
  show: VarsFileOptions['show'],
): Layer[] {
  return found.paths.flatMap((path) => {
    const file = files.get(path);
    return file === undefined
      ? []
      : { kind: found.kind, file: show(path), path, of: found.name, ...file };
  });
}
