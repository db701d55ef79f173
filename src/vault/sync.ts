import { open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { giveToOwnerOf } from './owner.ts';
import { systemCode } from './store-error.ts';

/** What file systems say that cannot sync a folder; there is nothing better to do on them. */
const CANNOT_SYNC = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'];

/** Makes what was created, renamed or removed in a folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } catch (error) {
    if (!CANNOT_SYNC.includes(systemCode(error) ?? '')) throw error;
  } finally {
    await folder.close();
  }
}

/**
 * Creates a file that must not exist, 0600, whole and synced; its folder is not synced. Where that
 * fails there is none.
 */
export async function createSynced(path: string, content: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await giveToOwnerOf(dirname(path), path);
    await writeAll(file, Buffer.from(content));
    await file.sync();
  } catch (error) {
    await rm(path, { force: true }).catch(() => null);
    throw error;
  } finally {
    await file.close();
  }
}

/** Writes all bytes from the file's beginning on, over whatever stands there. */
export async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, done);
    done += bytesWritten;
  }
}
