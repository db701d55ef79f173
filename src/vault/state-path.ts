import { join } from 'node:path';

/** Gives the path of the state folder beside the files in `folder`. */
export function stateFolder(folder: string): string {
  return join(folder, '.matrix-tokens');
}
