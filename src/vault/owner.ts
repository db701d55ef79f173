// Root often works in a folder of somebody else. What it leaves there must belong to that person:
// one unreadable file in host_vars makes every Ansible command fail for them.
import type { Stats } from 'node:fs';
import { chown, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

type Owner = Pick<Stats, 'uid' | 'gid'>;

/** Gives a file or folder that was just made in `folder` to the folder's owner, if root made it. */
export async function giveToOwnerOf(folder: string, path: string): Promise<void> {
  if (process.geteuid?.() !== 0) return;
  await giveToOwner(await stat(folder), path);
}

/** Gives a file this owner, where it has another one. Throws EPERM where that is not allowed. */
export async function giveToOwner(owner: Owner, path: string): Promise<void> {
  if (!isSame(owner, await stat(path))) await chown(path, owner.uid, owner.gid);
}

/** Gives an open file this owner, where it has another one. Throws EPERM where that is not allowed. */
export async function giveTo(owner: Owner, file: FileHandle): Promise<void> {
  if (!isSame(owner, await file.stat())) await file.chown(owner.uid, owner.gid);
}

function isSame(one: Owner, two: Owner): boolean {
  return one.uid === two.uid && one.gid === two.gid;
}
