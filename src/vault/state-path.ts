import { dirname, join } from 'node:path';

/** Gives the path of the state folder beside the files in `folder`. */
export function stateFolder(folder: string): string {
  return join(folder, '.matrix-tokens');
}

/** Gives the folders above a path, the nearest first. */
export function foldersAbove(path: string): string[] {
  const above = dirname(path);
  return above === path ? [] : [above, ...foldersAbove(above)];
}
