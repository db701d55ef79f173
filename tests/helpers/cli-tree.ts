import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** What stands below a folder: by path, its mode, when it was written, its bytes. */
export type Tree = ReadonlyMap<string, string>;

const FOLDER = 'folder ';

/** Gives what stands below a folder, or of a single file. */
export function readTree(path: string): Tree {
  const tree = new Map<string, string>();
  addTo(tree, path, '');
  return tree;
}

/** Gives a tree without the times of its folders: a lock may have been made there and removed. */
export function withoutFolderTimes(tree: Tree): Tree {
  return new Map(
    [...tree].map(([path, what]) => [
      path,
      what.startsWith(FOLDER) ? what.replace(/ \S+$/, '') : what,
    ]),
  );
}

/** Gives a line for each difference of two trees. */
export function compareTrees(before: Tree, after: Tree): string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].toSorted();
  return paths.flatMap((path) => {
    const [old, now] = [before.get(path), after.get(path)];
    if (old === now) return [];
    const what = old === undefined ? 'is new' : now === undefined ? 'is gone' : 'has changed';
    return [`${path === '' ? '.' : path} ${what}`];
  });
}

function addTo(tree: Map<string, string>, root: string, inside: string): void {
  const path = join(root, inside);
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return;
  const mode = (stats.mode & 0o7777).toString(8);
  if (!stats.isDirectory()) {
    const bytes = stats.isSymbolicLink() ? readlinkSync(path) : readFileSync(path, 'base64');
    tree.set(inside, `${mode} ${stats.uid} ${stats.ino} ${stats.mtimeMs} ${bytes}`);
    return;
  }
  // The time of a folder says that something was made in it and removed again.
  tree.set(inside, `${FOLDER}${mode} ${stats.uid} ${stats.mtimeMs}`);
  for (const name of readdirSync(path)) addTo(tree, root, join(inside, name));
}
