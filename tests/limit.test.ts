import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { InputError } from '../src/errors.ts';
import { loadInventory } from '../src/inventory.ts';
import { startInventoryOracle } from './helpers/ansible-inventory.ts';
import { withFolder } from './helpers/folder.ts';
import {
  generatedInventory,
  generatedLimits,
  writeInventory,
} from './helpers/generated-inventory.ts';
import { createTally, oracleRuns } from './helpers/oracle-tally.ts';
import { ansibleSkip } from './helpers/python.ts';

const skip = await ansibleSkip();

const FILES = {
  hosts: `loose
[web]
w1
w2.example.com
[db]
d1
d2
[site:children]
web
db
[empty]
[far]
d2
far[1:12]
fe80::1
`,
  'a.retry': 'w1\n\nd1\n',
  'empty.retry': '\n',
  'gone.retry': 'w1\ngone\n',
};

const LIMITS = `
web d1,w1 site ungrouped,w2.example.com, all * w* w? *1 web:db web:!w1 site:&far !db &web:&site
all,!ungrouped,!far ~w ~.*1$ ~(w|d)[12] ~far\\d{2} ~^d2$ ~w.*\\.com far[0] far[-1] far[1:3] far[2:] far[0:0]
far[3-5] web[1] site[0:2] w*[1] far[-12] far1[0] far[1]* d[12] [dw]1 [!dw]* far[2-4] fe80::1 @a.retry
@a.retry,!w1 @a.retry:far[0] w1:22 web[5],db far[9:20] all[0:3] ungr* s*te:!*.com w1,w1 empty,web
`
  .trim()
  .split(/\s+/);

test('limits leave the hosts that Ansible leaves, in its order', { skip }, async () => {
  await withFolder(FILES, async (cwd) => {
    const oracle = await startInventoryOracle();
    const theirs = await oracle.limit(['hosts'], LIMITS, cwd).finally(oracle.close);
    const agreed = await Promise.all(
      LIMITS.map(async (limit, index) => {
        const ours = await limited(cwd, limit).catch((error: unknown) => error);
        if (ours instanceof InputError) return false;
        assert.deepEqual(ours, theirs[index], limit);
        return true;
      }),
    );
    const refused = LIMITS.filter((_, index) => agreed[index] === false);
    assert.deepEqual(refused, ['d[12]', 'w1:22', 'web[5],db']);
  });
});

test(
  'generated limits leave the hosts that Ansible leaves, or are refused',
  { skip },
  async (t) => {
    const oracle = await startInventoryOracle();
    const runs = oracleRuns(100);
    const tally = createTally('limits', runs.seed);
    const property = fc.asyncProperty(
      generatedInventory,
      generatedLimits,
      async (inventory, limits) =>
        withFolder({}, async (cwd) => {
          const written = writeInventory(cwd, { ...inventory, files: [], extra: [] });
          const theirs = await oracle.limit(written.inventory, limits, cwd);
          for (const [index, limit] of limits.entries()) {
            const views = await tally.ours(() =>
              loadInventory({ ...written, limit, cwd, decrypt: null }),
            );
            const names = views?.map(({ name }) => name).toSorted();
            if (names !== undefined) assert.deepEqual(names, theirs[index]?.toSorted(), limit);
            tally.count(views, { isRead: (theirs[index] ?? null) !== null });
          }
        }),
    );
    await fc.assert(property, { ...runs, includeErrorInReport: true }).finally(oracle.close);
    t.diagnostic(tally.text());
    assert.ok(tally.same > runs.numRuns, 'most limits are read');
  },
);

test('names that are not in the inventory are all told', async () => {
  assert.deepEqual(await codesOf('web,wbe,gone'), ['E_LIMIT', 'E_LIMIT']);
});

test('a limit that leaves no host is refused, and so is an empty one', async () => {
  assert.deepEqual(await codesOf('empty'), ['E_LIMIT']);
  assert.deepEqual(await codesOf(''), ['E_LIMIT']);
  assert.deepEqual(await codesOf(' , '), ['E_LIMIT']);
});

test('a slice of hosts that Ansible orders anew at every run is refused', async () => {
  const groups = ['a', 'b', 'c', 'd'];
  const deep = groups.map((name) => `[${name}]\n${name}1\n[${name}x:children]\n${name}\n`);
  const hosts = `${deep.join('')}[top:children]\nax\nbx\ncx\ndx\n`;
  await withFolder({ hosts }, async (cwd) => {
    const error: unknown = await limited(cwd, 'top[0]').catch((reason: unknown) => reason);
    assert.ok(error instanceof InputError);
    assert.equal(error.faults[0]?.code, 'E_UNSUPPORTED');
    assert.deepEqual(await limited(cwd, 'ax[0],top'), ['a1', 'b1', 'c1', 'd1']);
  });
});

test('what Python reads in another way than JavaScript is refused', async () => {
  const patterns = ['~(?P<x>w)', '~w++', '~(?i)W', '~[[:alpha:]]', '~(?<x>w)', '~(', '[z-a]1'];
  assert.deepEqual(
    await codesOf(patterns.join()),
    patterns.map(() => 'E_UNSUPPORTED'),
  );
});

test('a name that is nearly right is told, and where it stands', async () => {
  await withFolder(FILES, async (cwd) => {
    const error: unknown = await limited(cwd, 'lose,@gone.retry').catch(
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof InputError);
    const [typo, gone] = error.faults;
    assert.equal(typo?.fix, "did you mean 'loose'?");
    assert.deepEqual(gone?.at, { file: 'gone.retry', line: 2, column: 1 });
  });
  assert.deepEqual(await codesOf('@empty.retry'), ['E_LIMIT']);
  assert.deepEqual(await codesOf('@nowhere'), ['E_FILE']);
  assert.deepEqual(await codesOf('web\nall'), ['E_LIMIT']);
});

async function limited(cwd: string, limit: string): Promise<string[]> {
  const options = { inventory: ['hosts'], extraVars: [], playbookDir: cwd, cwd, decrypt: null };
  const hosts = await loadInventory({ ...options, limit });
  return hosts.map((host) => host.name);
}

async function codesOf(limit: string): Promise<string[]> {
  let codes: string[] = [];
  await withFolder(FILES, async (cwd) => {
    const error: unknown = await limited(cwd, limit).catch((reason: unknown) => reason);
    assert.ok(error instanceof InputError, String(error));
    codes = error.faults.map((fault) => fault.code);
  });
  return codes;
}
