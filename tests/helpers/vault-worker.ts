// What the tests of src/vault need as a process of its own, to be killed or started by the dozen:
//
//   node vault-worker.js hold TARGET           takes the lock, says so, keeps it
//   node vault-worker.js die TARGET            takes the lock and is killed with it
//   node vault-worker.js count TARGET TURNS    adds 1 to the number in TARGET, TURNS times; every other
//                                              time it leaves its lock behind like a dead process
//   node vault-worker.js prepare TARGET        reserves room for TARGET under its lock, says so, stays
//   node vault-worker.js journal TARGET TURNS  writes an entry for TARGET and drops it, TURNS times
//   node vault-worker.js full-disk FOLDER      the steps of a full disk; prints what happened as JSON
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { prepareFile } from '../../src/vault/atomic-file.ts';
import { dropEntry, writeEntry } from '../../src/vault/journal.ts';
import { acquireLock } from '../../src/vault/lock.ts';
import { StoreError } from '../../src/vault/store-error.ts';

const [command = '', target = '', turns = '1'] = process.argv.slice(2);
const WAIT = { waitMs: 120_000 };

const commands: Record<string, () => Promise<void>> = {
  hold: async () => {
    await acquireLock(target, WAIT);
    await stay();
  },
  die: async () => {
    await acquireLock(target, WAIT);
    process.kill(process.pid, 'SIGKILL');
  },
  count: async () => {
    for (let turn = 0; turn < Number(turns); turn += 1) await countOnce(turn);
  },
  prepare: async () => {
    await acquireLock(target, WAIT);
    await prepareFile(target, { reserve: 1000 });
    await stay();
  },
  journal: async () => {
    for (let turn = 0; turn < Number(turns); turn += 1) await journalOnce(turn);
  },
  'full-disk': async () => {
    process.stdout.write(JSON.stringify(await fillDisk(target)));
  },
};

await commands[command]?.();

async function stay(): Promise<void> {
  process.stdout.write(`ready ${process.pid}\n`);
  await setTimeout(600_000);
}

/** Reads, lets others run, writes: two at a time would lose a turn. */
async function countOnce(turn: number): Promise<void> {
  const lock = await acquireLock(target, WAIT);
  const old = Number(await readFile(target, 'utf8').catch(() => '0'));
  await writeFile(`${target}.inside`, String(process.pid), { flag: 'wx' });
  await setTimeout(Math.random() * 3);
  await lock.check();
  await writeFile(target, String(old + 1));
  await rm(`${target}.inside`);
  if (turn % 2 === 0) await lock.release();
  else await abandon();
}

/** The lock is then that of a process which has ended, and whose ID is in use again. */
async function abandon(): Promise<void> {
  const file = join(dirname(target), '.matrix-tokens', `${basename(target)}.lock`);
  const record = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  await writeFile(`${file}.${process.pid}`, JSON.stringify({ ...record, start_time: '1' }));
  await rename(`${file}.${process.pid}`, file);
}

async function journalOnce(turn: number): Promise<void> {
  const entry = {
    id: `${process.pid}-${turn}`,
    host: 'a.example.com',
    service: 'rss',
    user_id: '@bot.rss:example.com',
    device_id: `DEVICE${turn}`,
    base_url: 'https://matrix.example.com',
    target,
    at: Date.now(),
  };
  await writeEntry(dirname(target), entry);
  const text = await readFile(join(dirname(target), `.matrix-tokens/${entry.id}.session.json`));
  if (text.length === 0) throw new Error('an entry is not whole');
  await dropEntry(dirname(target), entry);
}

async function fillDisk(folder: string): Promise<Record<string, unknown>> {
  const [old, later] = [join(folder, 'old.yml'), join(folder, 'later.yml')];
  await writeFile(old, 'old');
  const reserved = await prepareFile(old, { reserve: 50_000 });
  const tooShort = await prepareFile(later, { reserve: 10 });
  await fill(folder);
  const result: Record<string, unknown> = {
    refusedOld: await attempt(prepareFile(old, { reserve: 50_000 })),
    refusedNew: await attempt(prepareFile(join(folder, 'made/made/x.yml'), { reserve: 50_000 })),
    refusedEntry: await attempt(writeBigEntry(folder)),
    refusedCommit: await attempt(tooShort.commit('x'.repeat(50_000))),
    oldMeanwhile: await readFile(old, 'utf8'),
  };
  await tooShort.discard();
  await reserved.commit('n'.repeat(50_000));
  result['stored'] = (await readFile(old, 'utf8')) === 'n'.repeat(50_000);
  execFileSync('mount', ['-o', 'remount,ro', folder]);
  result['readOnly'] = await attempt(prepareFile(old, { reserve: 5 }));
  result['readOnlyNew'] = await attempt(prepareFile(join(folder, 'made/x.yml'), { reserve: 5 }));
  result['names'] = (await readdir(folder)).sort();
  return result;
}

async function writeBigEntry(folder: string): Promise<void> {
  await mkdir(join(folder, 'journal'));
  const service = 'x'.repeat(50_000);
  const texts = { service, host: '', user_id: '', device_id: '', base_url: '', target: 'x.yml' };
  try {
    await writeEntry(join(folder, 'journal'), { id: 'big', at: 0, ...texts });
  } finally {
    await rm(join(folder, 'journal'), { recursive: true });
  }
}

async function fill(folder: string): Promise<void> {
  for (let size = 65_536; size >= 1; size = Math.floor(size / 4)) {
    const full = writeFile(join(folder, 'filler'), 'x'.repeat(size), { flag: 'a' });
    const done = await full.then(
      () => true,
      () => false,
    );
    if (done) size *= 4;
  }
}

async function attempt(operation: Promise<unknown>): Promise<string> {
  try {
    await operation;
    return 'no error';
  } catch (error) {
    return error instanceof StoreError ? error.message : `another error: ${String(error)}`;
  }
}
