// Disks of their own, for root on Linux, in a mount namespace of its own: an ext4 file system in a
// file, mounted over a loop device, that loses its power, so that what has come to the image at an
// instant is what is left; and a small tmpfs that is filled.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Cleanup } from './provision-project.ts';

export interface Disk {
  /** Where it is mounted. */
  readonly folder: string;
  /** What it holds now is what `reset` brings back. */
  keep(): Promise<void>;
  reset(): Promise<void>;
  /** The command that makes the trouble, to be run while a call waits. */
  readonly trouble: readonly string[];
  /** Ends the trouble: after a power cut with what was on the disk then. */
  comeBack(): Promise<void>;
}

const run = promisify(execFile);

/** In front of a command: its mounts are seen by nobody else, and end with it. */
export const OWN_MOUNTS = ['unshare', '--mount', '--propagation', 'private'] as const;

const PROBE = `set -e
cd "$1" && truncate -s 4M image && mkfs.ext4 -q -F image && mkdir disk && mount -o loop image disk`;

/** Gives false where such a disk can be made, else the reason for skipping (in CI: false, too). */
export async function diskSkip(): Promise<string | false> {
  const folder = await mkdtemp(join(tmpdir(), 'matrix-tokens-probe-'));
  try {
    const [command, ...args] = OWN_MOUNTS;
    await run(command, [...args, 'sh', '-c', PROBE, 'sh', folder]);
    return false;
  } catch {
    if (process.env['CI'] === 'true') return false;
    return 'this user cannot mount a file system (root, a loop device and mkfs.ext4 are wanted)';
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Makes a small disk that its trouble fills to the last byte. */
export async function makeSmallDisk(t: Cleanup): Promise<Disk> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'matrix-tokens-small-')));
  await run('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'none', folder]);
  t.after(async () => {
    await run('umount', [folder]);
    await rm(folder, { recursive: true });
  });
  const filler = join(folder, 'filler');
  const comeBack = () => rm(filler, { force: true });
  const fill = 'dd if=/dev/zero of="$1" bs=4k 2>/dev/null; exit 0';
  return {
    folder,
    keep: comeBack,
    reset: comeBack,
    trouble: ['sh', '-c', fill, 'sh', filler],
    comeBack,
  };
}

/** Makes a disk whose trouble is a power cut. */
export async function makeDisk(t: Cleanup): Promise<Disk> {
  const place = await realpath(await mkdtemp(join(tmpdir(), 'matrix-tokens-disk-')));
  const [folder, image, kept, left] = ['disk', 'image', 'kept', 'left'].map((name) => {
    return join(place, name);
  }) as [string, string, string, string];
  await mkdir(folder);
  await run('truncate', ['-s', '6M', image]);
  await run('mkfs.ext4', ['-q', '-F', '-b', '1024', '-J', 'size=1', image]);
  // Nothing is written by itself: only what is synced comes to the image.
  const mount = () => run('mount', ['-o', 'loop,noatime,commit=300', image, folder]);
  const umount = () => run('umount', [folder]);
  await mount();
  t.after(async () => {
    await umount();
    await rm(place, { recursive: true });
  });
  const replaceBy = async (other: string): Promise<void> => {
    await umount();
    await run('cp', ['--sparse=always', other, image]);
    await mount();
  };
  return {
    folder,
    keep: async () => {
      await umount();
      await run('cp', ['--sparse=always', image, kept]);
      await mount();
    },
    reset: () => replaceBy(kept),
    trouble: ['cp', '--sparse=always', image, left],
    comeBack: () => replaceBy(left),
  };
}
