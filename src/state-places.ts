// Where word of earlier runs is looked for, whatever vars say by now, and where a new entry of the
// journal goes: beside its file if that is one of these places, otherwise to the inventory itself.
import { accessSync, constants, readdirSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import type { HostView } from './inventory.ts';
import type { LocatedService } from './plan/types.ts';
import { TARGET_FOLDER } from './target.ts';
import { resolveTarget } from './vault/real-path.ts';
import { stateFolder } from './vault/state-path.ts';

/** More levels of folders than anybody has below host_vars/<host>/. */
const MOST_LEVELS = 10;

/** Looks into a folder, once. */
export type ViewFolder = (folder: string) => FolderView;

interface FolderView {
  readonly mayHaveState: boolean;
  readonly links: ReadonlySet<string>;
  /** Without hidden ones; null: it cannot be listed. */
  readonly folders: readonly string[] | null;
}

/** Gives a view of folders as they are now. */
export function viewFolders(): ViewFolder {
  const seen = new Map<string, FolderView>();
  return (folder) => {
    const view = seen.get(folder) ?? lookInto(folder);
    seen.set(folder, view);
    return view;
  };
}

function lookInto(path: string): FolderView {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    const state = basename(stateFolder(path));
    const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
    const links = entries.filter((entry) => entry.isSymbolicLink());
    return {
      mayHaveState: entries.some(({ name }) => name === state),
      links: new Set(links.map(({ name }) => name)),
      folders: folders.map(({ name }) => name),
    };
  } catch (error) {
    // A folder that cannot be listed may still be searched.
    const isGone = ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');
    return { mayHaveState: !isGone, links: new Set(), folders: isGone ? [] : null };
  }
}

/**
 * Gives the folders where files of a host may stand that no service names any more: it may have been
 * switched off, or sent to another file, since a session was left.
 */
export function usualFolders({ inventoryFolder, ...host }: HostView, view: ViewFolder): string[] {
  const { playbookFolder } = host;
  const isOne = playbookFolder === inventoryFolder || !mayHold(view(playbookFolder), 'host_vars');
  const roots = isOne ? [inventoryFolder] : [inventoryFolder, playbookFolder];
  const folders = roots.map((root) => join(root, 'host_vars', host.name));
  return [inventoryFolder, ...folders.flatMap((folder) => foldersIn(folder, view))];
}

function mayHold({ folders, links }: FolderView, name: string): boolean {
  return folders === null || folders.includes(name) || links.has(name);
}

/** Gives a folder with all those below it, also behind links. */
export function foldersIn(folder: string, view: ViewFolder): string[] {
  const followed = new Set<string>();
  const walk = (path: string, levels: number): string[] => {
    const { folders, links } = view(path);
    if (folders === null) return [path, join(path, TARGET_FOLDER)];
    if (levels === 0) return [path];
    const linked = [...links].map((name) => join(path, name)).filter(isNew);
    const below = [...folders.map((name) => join(path, name)), ...linked];
    return [path, ...below.flatMap((one) => walk(one, levels - 1))];
  };
  /** Links may lead in a circle. */
  const isNew = (link: string): boolean => {
    const real = realFolder(link);
    if (real === null || followed.has(real)) return false;
    followed.add(real);
    return true;
  };
  return walk(folder, MOST_LEVELS);
}

/** Gives null for anything but a folder. */
function realFolder(link: string): string | null {
  try {
    return realpathSync(`${link}${sep}`);
  } catch {
    return null;
  }
}

/**
 * Gives the folder for the journal of a service. Where a later run would not look beside the file once
 * the service names another one, that is the folder of the inventory, as long as it can be written.
 */
export async function journalFolder({ definition, target }: LocatedService): Promise<string> {
  const beside = dirname(await resolveTarget(target.file));
  const { inventoryFolder, playbookFolder, name } = definition.host;
  if (target.isDefault || !isWritable(inventoryFolder)) return beside;
  for (const root of [inventoryFolder, playbookFolder]) {
    const own = await resolveTarget(join(root, 'host_vars', name));
    if (isSearched(beside, own)) return beside;
  }
  return resolveTarget(inventoryFolder);
}

function isSearched(folder: string, own: string): boolean {
  const inside = relative(own, folder);
  if (inside === '') return true;
  const parts = inside.split(sep);
  if (isAbsolute(inside) || parts.length > MOST_LEVELS) return false;
  return !parts.some((part) => part.startsWith('.'));
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
