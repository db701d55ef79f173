// The folders of a play. Ansible follows a link that host_vars stands behind, and remembers the path
// behind it; here every file has the name by which its inventory is called.
import { realpathSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import type { PlayVariables } from '../ansible/play-variables.ts';
import { showPath } from '../ansible/text-file.ts';
import { scalarText } from '../yaml/node.ts';
import { inventoryFolder } from './inventories.ts';

const VARS_FOLDERS = ['group_vars', 'host_vars'];

/** What the folders of a play are for one host. */
export interface PlayFolders {
  readonly host: string;
  /** Those of the inventories in their order, then that of the playbook: later ones win. */
  readonly folders: readonly string[];
  /** The inventories as Ansible has them: absolute paths, and lists of hosts. */
  readonly sources: readonly string[];
  readonly playbookFolder: string;
  readonly cwd: string;
}

/** Reads what the play says of its folders. */
export function findFolders(variables: PlayVariables, host: string, cwd: string): PlayFolders {
  const playbookFolder = textOf(variables, 'playbook_dir') ?? cwd;
  const sources = textsOf(variables, 'ansible_inventory_sources');
  const folders = sources.map((source) => inventoryFolder(source, playbookFolder));
  const own = folders.filter((folder) => folder !== playbookFolder);
  return { host, folders: [...own, playbookFolder], sources, playbookFolder, cwd };
}

/** Gives a path as its inventory or playbook is called. */
export function calledPath(path: string, { folders }: Pick<PlayFolders, 'folders'>): string {
  for (const folder of folders) {
    for (const kind of VARS_FOLDERS) {
      const called = join(folder, kind);
      const inside = relative(realPath(called), path);
      if (!inside.startsWith('..') && !isAbsolute(inside)) return join(called, inside);
    }
  }
  return path;
}

/** Gives a path for messages. */
export function shownPath(path: string, play: Pick<PlayFolders, 'folders' | 'cwd'>): string {
  return showPath(calledPath(path, play), play.cwd);
}

/** Gives the text of a variable that Ansible itself sets; null where it has none. */
export function textOf(variables: PlayVariables, name: string): string | null {
  const node = variables.find(name)?.entry.value;
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : null;
}

/** The same for a list of texts. */
export function textsOf(variables: PlayVariables, name: string): string[] {
  const node = variables.find(name)?.entry.value;
  const items = node?.kind === 'seq' ? node.items : [];
  return items.flatMap((item) => (item.kind === 'scalar' ? [scalarText(item.value)] : []));
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
