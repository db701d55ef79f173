// On a real file system of 256 KiB, mounted where nobody else sees it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const WORKER = fileURLToPath(new URL('./helpers/vault-worker.js', import.meta.url));
const MOUNT = 'mount -t tmpfs -o size=256k none "$1" && shift && exec "$@"';

const skip = await mountSkip();

test(
  'on a full disk what was prepared is stored, and all else is refused with nothing lost',
  {
    skip,
  },
  async () => {
    const result = await inSmallDisk((folder) => [process.execPath, WORKER, 'full-disk', folder]);
    const { folder, stdout } = result;
    const full = /^cannot write .*: no space left on the device \(ENOSPC\); /;
    const outcome = JSON.parse(stdout) as Record<string, string>;
    for (const step of ['refusedOld', 'refusedNew', 'refusedCommit', 'refusedEntry']) {
      assert.match(outcome[step] ?? '', full, step);
    }
    assert.match(outcome['refusedCommit'] ?? '', /later\.yml: .*; the file is as it was$/);
    assert.match(outcome['refusedEntry'] ?? '', /; no login may be sent without it$/);
    assert.equal(outcome['oldMeanwhile'], 'old');
    assert.equal(outcome['stored'], true);
    const readOnly = `cannot write ${folder}/old.yml: the file system is read-only (EROFS)`;
    assert.equal(outcome['readOnly'], `${readOnly}; the file is as it was`);
    assert.match(outcome['readOnlyNew'] ?? '', /EROFS/);
    assert.deepEqual(outcome['names'], ['filler', 'old.yml']);
  },
);

async function inSmallDisk(command: (folder: string) => string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'matrix-tokens-full-'));
  try {
    const args = ['-Urm', 'sh', '-c', MOUNT, 'sh', folder, ...command(folder)];
    return { folder, ...(await run('unshare', args)) };
  } finally {
    await rmdir(folder);
  }
}

async function mountSkip(): Promise<string | false> {
  try {
    await inSmallDisk(() => ['true']);
    return false;
  } catch {
    return 'this system lets nobody mount a file system in a namespace of its own (unshare -Urm)';
  }
}
