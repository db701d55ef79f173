import { join } from 'node:path';
import { InputError } from '../errors.ts';
import type { Fault } from '../errors.ts';
import type { Layer } from './layer.ts';
import { addFaults } from './text-file.ts';
import { findVarsFiles, isFolder, loadVarsFiles } from './vars-files.ts';
import type { VarsFile, VarsFileOptions } from './vars-files.ts';

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
  const found = findAll(varsFolders(folders, options.show), names, { ...options, faults });
  const paths = [...found.values()].flatMap((each) => each.paths);
  const files = await loadVarsFiles(paths, options).catch((error) => addFaults(faults, error));
  if (files === null || faults.length > 0) throw new InputError(faults);
  const layers = new Map<string, readonly Layer[]>();
  for (const [key, each] of found) layers.set(key, toLayers(each, files, options.show));
  return (folder, kind, name) => layers.get(join(folder, kind, name)) ?? [];
}

function findAll(
  folders: readonly [path: string, kind: VarsFolder][],
  names: VarsNames,
  { show, faults }: Pick<VarsFileOptions, 'show'> & { readonly faults: Fault[] },
): Map<string, FoundFiles> {
  const found = new Map<string, FoundFiles>();
  for (const [folder, kind] of folders) {
    for (const name of names[kind]) {
      try {
        const paths = findVarsFiles(folder, name, show);
        if (paths.length > 0) found.set(join(folder, name), { kind, name, paths });
      } catch (error) {
        addFaults(faults, error);
      }
    }
  }
  return found;
}

function varsFolders(
  folders: readonly string[],
  show: VarsFileOptions['show'],
): [string, VarsFolder][] {
  return folders
    .flatMap((base): [string, VarsFolder][] => [
      [join(base, 'group_vars'), 'group_vars'],
      [join(base, 'host_vars'), 'host_vars'],
    ])
    .filter(([folder]) => isFolder(folder, show));
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
