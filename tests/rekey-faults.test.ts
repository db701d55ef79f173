// What goes wrong while a rekey is under way, and several of them at once.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { outcomesOf, reportOf } from './helpers/provision-project.ts';
import { BY_HAND, FILES, makeRekeyProject, passwordsOf } from './helpers/rekey-project.ts';
import type { SmallDiskResult } from './helpers/rekey-small-disk.ts';

const ARGS = ['--new-vault-id', 'prod@new_pass'];
const DECIDED = '^done rename .*decided\\.json$';
const WORKER = fileURLToPath(new URL('./helpers/rekey-small-disk.js', import.meta.url));
const MOUNT = 'mount -t tmpfs -o size=1m none "$1" && shift && exec "$@"';

test('a file that somebody changes after the decision is kept and told; the same rekey ends it', async (t) => {
  const rekey = await makeRekeyProject(t);
  const { project } = rekey;
  const changed = (rekey.before.get(BY_HAND) ?? '').replace('# mine', '# yours');
  const meddle = { on: DECIDED, file: BY_HAND, text: changed };
  const run = await project.run([...ARGS, '--json'], { task: 'rekey', preload: { meddle } });
  assert.equal(run.exitCode, 1, run.stderr);
  const news = reportOf(run).services.find(({ service }) => service === 'news');
  assert.deepEqual([news?.outcome, news?.code], ['failed', 'REKEY_UNFINISHED']);
  assert.match(
    news?.message ?? '',
    /it was changed meanwhile; what somebody else wrote there was left alone$/,
  );
  assert.equal(outcomesOf(run)['rss'], 'changed');
  assert.equal(await project.read(BY_HAND), changed);
  const again = await project.run(ARGS, { task: 'rekey' });
  assert.equal(again.exitCode, 0, again.stderr);
  assert.match(
    again.stderr,
    /warning: .*by hand\.yml: it was changed after a rekey was\s+interrupted/,
  );
  assert.match(await project.read(BY_HAND), /# yours[^]*AES256;prod\r\n/);
  await project.write(BY_HAND, (await project.read(BY_HAND)).replace('# yours', '# mine'));
  assert.deepEqual(await passwordsOf(rekey), ['new', 'new', 'new', 'new']);
  assert.ok([...project.tree().keys()].every((path) => !path.includes('.matrix-tokens')));
});

test('a run whose lock is taken away changes nothing', async (t) => {
  const rekey = await makeRekeyProject(t);
  const lock = 'host_vars/beta/vault_matrix_tokens/.matrix-tokens/bot.yml.lock';
  const nonce = 'a'.repeat(32);
  const text = JSON.stringify({ host: 'elsewhere', pid: 1, nonce, since: 0 });
  const meddle = { on: '^done rename .*batch\\.json$', file: lock, text };
  const run = await rekey.project.run([...ARGS, '--json'], { task: 'rekey', preload: { meddle } });
  assert.equal(run.exitCode, 1, run.stderr);
  const codes = reportOf(run).services.map(({ code }) => code);
  assert.deepEqual(codes, ['REKEY_FAILED', 'REKEY_FAILED', 'REKEY_FAILED', 'REKEY_FAILED']);
  assert.match(reportOf(run).services[0]?.message ?? '', /its lock was taken away from this run/);
  assert.deepEqual(await passwordsOf(rekey), ['old', 'old', 'old', 'old']);
});

test('of several at once one does it, and the others find it done', async (t) => {
  const rekey = await makeRekeyProject(t);
  const runs = await Promise.all(
    Array.from({ length: 4 }, () => rekey.project.run([...ARGS, '--json'], { task: 'rekey' })),
  );
  for (const run of runs) assert.equal(run.exitCode, 0, run.stderr);
  const words = runs.map((run) => Object.values(outcomesOf(run)).toSorted().join());
  assert.deepEqual(words.toSorted(), [
    'changed,changed,changed,changed',
    ...Array.from({ length: 3 }, () => 'ok,ok,ok,ok'),
  ]);
  assert.deepEqual(await passwordsOf(rekey), ['new', 'new', 'new', 'new']);
  assert.ok([...rekey.project.tree().keys()].every((path) => !path.includes('.matrix-tokens')));
});

test(
  'a full disk: nothing is changed, and with room again everything is',
  { skip: await mountSkip() },
  async () => {
    const { exitCode, report, full, next } = await playOnSmallDisk();
    assert.equal(exitCode, 1);
    assert.match(
      report.services[0]?.message ?? '',
      /no space left on the device.*no file was changed/,
    );
    assert.deepEqual(
      full,
      FILES.map(() => 'old'),
    );
    assert.deepEqual(
      next,
      FILES.map(() => 'new'),
    );
  },
);

async function mountSkip(): Promise<string | false> {
  const mounted = promisify(execFile)('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'none', '/mnt']);
  return mounted.then(
    () => false,
    () => 'this system lets nobody mount a file system in a namespace of its own (unshare -Urm)',
  );
}

async function playOnSmallDisk(): Promise<SmallDiskResult> {
  const folder = await mkdtemp(join(tmpdir(), 'matrix-tokens-disk-'));
  try {
    const env = { ...process.env, TMPDIR: folder };
    const args = ['-Urm', 'sh', '-c', MOUNT, 'sh', folder, process.execPath, WORKER];
    const { stdout } = await promisify(execFile)('unshare', args, { env });
    return JSON.parse(stdout) as SmallDiskResult;
  } finally {
    await rmdir(folder);
  }
}
