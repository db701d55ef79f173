import assert from 'node:assert/strict';
import {
  chmod,
  chown,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import * as fc from 'fast-check';
import { InputError } from '../src/errors.ts';
import type { JournalEntry } from '../src/vault/journal.ts';
import { dropEntry, readJournal, writeEntry } from '../src/vault/journal.ts';
import { StoreError } from '../src/vault/store-error.ts';

const STATE = '.matrix-tokens';
const isRoot = process.geteuid?.() === 0;

const ENTRY: JournalEntry = {
  id: 'one-1_A',
  host: 'matrix.example.com',
  service: 'rss',
  user_id: '@bot.rss:example.com',
  device_id: 'ABCDEFGHIJ',
  base_url: 'https://matrix.example.com',
  target: '/inventory/host_vars/matrix.example.com/vault_matrix_tokens/rss.yml',
  at: 1_790_000_000_000,
};

test('an entry is read as it was written, and dropping it leaves nothing, not even folders', async (t) => {
  const folder = await makeFolder(t);
  const home = join(folder, 'host_vars/a/vault_matrix_tokens');
  await writeEntry(home, ENTRY);
  assert.deepEqual(await readJournal(home), { entries: [ENTRY], damaged: [] });
  assert.deepEqual(await readdir(home), [STATE]);
  await dropEntry(home, ENTRY);
  assert.deepEqual(await readdir(folder), []);
});

test('an entry says what a user was to be created as, and one of before that field is read', async (t) => {
  const folder = await makeFolder(t);
  const created = { ...ENTRY, id: 'created', created_as: 'admin', at: ENTRY.at + 1 } as const;
  await writeEntry(folder, ENTRY);
  await writeEntry(folder, created);
  assert.deepEqual(await readJournal(folder), { entries: [ENTRY, created], damaged: [] });
});

test('of two journals in folders that were made for both, the last one to go takes all along', async (t) => {
  const folder = await makeFolder(t);
  const homes = ['a', 'b'].map((host) => join(folder, `host_vars/${host}/vault_matrix_tokens`));
  for (const home of homes) await writeEntry(home, ENTRY);
  for (const home of homes) await dropEntry(home, ENTRY);
  assert.deepEqual(await readdir(folder), []);
});

test('folders that were there before, or have something else in them, stay', async (t) => {
  const folder = await makeFolder(t);
  await mkdir(join(folder, 'there'));
  await writeEntry(join(folder, 'there'), ENTRY);
  await dropEntry(join(folder, 'there'), ENTRY);
  assert.deepEqual(await readdir(folder), ['there']);
  await writeEntry(join(folder, 'made/made'), ENTRY);
  await writeFile(join(folder, 'made/by-somebody'), '');
  await dropEntry(join(folder, 'made/made'), ENTRY);
  assert.deepEqual(await readdir(join(folder, 'made')), ['by-somebody']);
});

test('the last entry takes the folder along, the others leave it', async (t) => {
  const folder = await makeFolder(t);
  const second = { ...ENTRY, id: 'two', at: ENTRY.at - 1 };
  await writeEntry(folder, ENTRY);
  await writeEntry(folder, second);
  assert.deepEqual((await readJournal(folder)).entries, [second, ENTRY]);
  await dropEntry(folder, second);
  assert.deepEqual((await readJournal(folder)).entries, [ENTRY]);
  await dropEntry(folder, ENTRY);
  await dropEntry(folder, ENTRY);
  assert.deepEqual(await readdir(folder), []);
});

test('an entry carries its own fields and no others, readable for its owner only', async (t) => {
  const folder = await makeFolder(t);
  await writeEntry(folder, {
    ...ENTRY,
    access_token: 'syt_canary',
    password: 'canary',
  } as JournalEntry);
  const file = join(folder, STATE, `${ENTRY.id}.session.json`);
  assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), ENTRY);
  assert.equal((await lstat(file)).mode & 0o777, 0o600);
});

test(
  'what root writes belongs to the owner of the folder',
  {
    skip: isRoot ? false : 'only root can give files away',
  },
  async (t) => {
    const folder = await makeFolder(t);
    await chown(folder, 1234, 4321);
    await writeEntry(folder, ENTRY);
    for (const name of ['', '.gitignore', `${ENTRY.id}.session.json`]) {
      const { uid, gid } = await lstat(join(folder, STATE, name));
      assert.deepEqual([uid, gid], [1234, 4321], name);
    }
  },
);

test('a folder without a journal, or a folder that is not there, has no entries', async (t) => {
  const folder = await makeFolder(t);
  const empty = { entries: [], damaged: [] };
  assert.deepEqual(await readJournal(folder), empty);
  assert.deepEqual(await readJournal(join(folder, 'not/there')), empty);
  assert.deepEqual(await readdir(folder), []);
});

test('damaged entries are named, and the good ones beside them are read', async (t) => {
  const folder = await makeFolder(t);
  await writeEntry(folder, ENTRY);
  const good = JSON.stringify(ENTRY);
  const damages: Record<string, string> = {
    empty: '',
    half: good.slice(0, 60),
    list: '[]',
    null: 'null',
    renamed: good,
    'no-device': JSON.stringify({ ...ENTRY, id: 'no-device', device_id: undefined }),
    'number-as-text': JSON.stringify({ ...ENTRY, id: 'number-as-text', at: '1' }),
    'text-as-number': JSON.stringify({ ...ENTRY, id: 'text-as-number', host: 1 }),
    'odd-kind': JSON.stringify({ ...ENTRY, id: 'odd-kind', created_as: 'king' }),
    'outside-id': JSON.stringify({ ...ENTRY, id: '../outside-id' }),
  };
  const file = (id: string): string => join(folder, STATE, `${id}.session.json`);
  for (const [id, text] of Object.entries(damages)) await writeFile(file(id), text);
  const journal = await readJournal(folder);
  assert.deepEqual(journal.entries, [ENTRY]);
  assert.deepEqual(journal.damaged, Object.keys(damages).map(file).sort());
});

test('an entry that is cut or changed anywhere is read whole or named, never a crash', async (t) => {
  const folder = await makeFolder(t);
  await writeEntry(folder, ENTRY);
  const file = join(folder, STATE, `${ENTRY.id}.session.json`);
  const text = await readFile(file, 'utf8');
  const place = fc.nat(text.length);
  await fc.assert(
    fc.asyncProperty(place, place, fc.string({ maxLength: 3 }), async (from, count, put) => {
      await writeFile(file, text.slice(0, from) + put + text.slice(from + count));
      const { entries, damaged } = await readJournal(folder);
      assert.equal(entries.length + damaged.length, 1);
      assert.ok(entries.every((entry) => typeof entry.device_id === 'string'));
    }),
    { numRuns: 300 },
  );
});

test('a journal that cannot be read is a fault, not an empty one', async (t) => {
  const folder = await makeFolder(t);
  await writeFile(join(folder, STATE), 'a file in the place of the folder');
  await assert.rejects(readJournal(folder), (error) => {
    assert.ok(error instanceof InputError);
    return error.faults[0]?.code === 'E_FILE' && error.message.includes(folder);
  });
  await assert.rejects(writeEntry(folder, ENTRY), (error) => {
    assert.ok(error instanceof StoreError);
    return /ENOTDIR.*; no login may be sent without it$/.test(error.message);
  });
  assert.equal((await lstat(join(folder, STATE))).isFile(), true);
});

test('an entry that cannot be dropped is an error that says so', async (t) => {
  const folder = await makeFolder(t);
  await writeEntry(folder, ENTRY);
  const state = join(folder, STATE);
  if (isRoot) await chown(folder, 65_534, 65_534);
  if (isRoot) await chown(state, 65_534, 65_534);
  await chmod(state, 0o500);
  if (isRoot) process.seteuid?.(65_534);
  try {
    await assert.rejects(dropEntry(folder, ENTRY), (error) => {
      assert.ok(error instanceof StoreError);
      return /EACCES.*; the next run will see this entry again$/.test(error.message);
    });
  } finally {
    if (isRoot) process.seteuid?.(0);
    await chmod(state, 0o700);
  }
});

test('an ID that is no file name is a bug, and nothing is written', async (t) => {
  const folder = await makeFolder(t);
  for (const id of ['', '../x', 'a/b', 'a.b', 'a\0', 'x'.repeat(101)]) {
    await assert.rejects(writeEntry(folder, { ...ENTRY, id }), /no file name/);
  }
  assert.deepEqual(await readdir(folder), []);
});

test('a folder that is reached by a link is the same folder', async (t) => {
  const folder = await makeFolder(t);
  await mkdir(join(folder, 'real'));
  await symlink('real', join(folder, 'link'));
  await writeEntry(join(folder, 'link'), ENTRY);
  assert.deepEqual((await readJournal(join(folder, 'real'))).entries, [ENTRY]);
  await dropEntry(join(folder, 'link'), ENTRY);
  assert.deepEqual(await readdir(join(folder, 'real')), []);
});

test('many entries come and go at once, and nothing is left of them', async (t) => {
  const folder = await makeFolder(t);
  const home = join(folder, 'host_vars/a/made');
  const work = Array.from({ length: 60 }, async (_, index) => {
    const entry = { ...ENTRY, id: `entry-${index}`, target: join(home, `${index % 5}.yml`) };
    await writeEntry(home, entry);
    assert.ok((await readJournal(home)).entries.some(({ id }) => id === entry.id));
    await dropEntry(home, entry);
  });
  await Promise.all(work);
  assert.deepEqual(await readdir(folder), []);
});

async function makeFolder(t: TestContext): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'matrix-tokens-journal-')));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}
