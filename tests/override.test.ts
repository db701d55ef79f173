// Where a file that does not exist yet would stand in Ansible's order is predicted. The proof is to
// write it, and to look which value counts then.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { readDefinitions } from '../src/definitions.ts';
import { InputError } from '../src/errors.ts';
import { findOverride } from '../src/plan/override.ts';
import type { LocatedService } from '../src/plan/types.ts';
import { locateServices, targetNotes } from '../src/target.ts';
import { withFolder } from './helpers/folder.ts';
import { faultsFrom, loadHosts } from './helpers/inventory.ts';

const NAME = 'vault_rss_access_token';

/** The one service of a host `h` in the group `g`, with this vault_file. */
async function locate(cwd: string, vaultFile: string | null): Promise<LocatedService> {
  const [host] = await loadHosts(cwd, { playbook: 'play' });
  assert(host !== undefined);
  const { services } = await readDefinitions([host], null);
  const [definition] = services;
  assert(definition !== undefined);
  const at = { file: 'x', line: 1, column: 1 };
  const asked = { ...definition, vaultFile: vaultFile === null ? null : { path: vaultFile, at } };
  const [located] = await locateServices([asked], { cwd, env: {}, decrypt: null });
  return located ?? assert.fail();
}

/** Gives null for a file in the vars of others, or one that Ansible passes over. */
async function locateUnlessRefused(cwd: string, vaultFile: string): Promise<LocatedService | null> {
  try {
    return await locate(cwd, vaultFile);
  } catch (error) {
    if (error instanceof InputError && error.faults[0]?.code === 'E_TARGET') return null;
    throw error;
  }
}

const INVENTORY = JSON.stringify({
  all: {
    children: { g: { hosts: { h: null } } },
    vars: { matrix_domain: 'example.com', matrix_tokens_services: { rss: { password: 'x' } } },
  },
});

const part = fc.constantFrom(
  'a',
  'vars',
  'vault',
  'vault_matrix_tokens',
  'vault_matrix_tokens2',
  'zz',
  'Z',
  '_',
);
const name = fc.constantFrom(
  'a.yml',
  'rss.yml',
  'vault.yml',
  'vault',
  'zz.json',
  '.x.yml',
  'x~',
  'x.txt',
);
const inside = fc.oneof(
  name,
  fc.tuple(part, name).map(([folder, file]) => `${folder}/${file}`),
);
const path = fc
  .tuple(
    fc.constantFrom('inv', 'play'),
    fc.constantFrom('host_vars/h', 'group_vars/g', 'group_vars/all'),
    inside,
  )
  .map((parts) => parts.join('/'));

/** Paths of which none is a folder of another. */
const paths = fc
  .uniqueArray(path, { maxLength: 4 })
  .map((all) => all.filter((one) => !all.some((other) => other.startsWith(`${one}/`))));

test('a file that is said to win does win once it is written, wherever others stand', async () => {
  const target = fc.constantFrom(
    null,
    'host_vars/h/zz.yml',
    'host_vars/h/a/b.yml',
    '../play/host_vars/h/m.yml',
  );
  let won = 0;
  await fc.assert(
    fc.asyncProperty(paths, target, async (others, vaultFile) => {
      const files = Object.fromEntries(others.map((other) => [other, `${NAME}: other\n`]));
      await withFolder({ ...files, 'inv/hosts.yml': INVENTORY, 'play/x': '' }, async (cwd) => {
        const located = await locate(cwd, vaultFile);
        if (located.target.harm !== null) return;
        const said = findOverride(located, [NAME]);
        if (!writeInto(located.target.file)) return;
        const wins = await isWinner(cwd, located.target.file);
        assert.equal(said === null, wins, `${located.target.shown} with ${others.join(', ')}`);
        if (wins) won += 1;
      });
    }),
    { numRuns: 120 },
  );
  assert(won > 20, 'the cases are not all alike');
});

test('a file in group_vars is never said to win where it would not', async () => {
  const target = fc.constantFrom(
    'group_vars/g/t.yml',
    'group_vars/all/t.yml',
    'group_vars/all.yml',
  );
  await fc.assert(
    fc.asyncProperty(paths, target, async (others, vaultFile) => {
      const files = Object.fromEntries(others.map((other) => [other, `${NAME}: other\n`]));
      await withFolder({ ...files, 'inv/hosts.yml': INVENTORY, 'play/x': '' }, async (cwd) => {
        const located = await locateUnlessRefused(cwd, vaultFile);
        if (located === null || located.target.harm !== null) return;
        if (findOverride(located, [NAME]) !== null) return;
        if (!writeInto(located.target.file)) return;
        assert(await isWinner(cwd, located.target.file), others.join(', '));
      });
    }),
    { numRuns: 80 },
  );
});

test('a file that is said to be loaded is loaded once it is written, and no other', async () => {
  const odd = fc.oneof(
    path.map((one) => `../${one}`),
    fc.constantFrom(
      'files/x.yml',
      'host_vars/h.yml',
      'host_vars/other/x.yml',
      'group_vars/other.yml',
      '../play/x.yml',
      'host_vars/h/a.b/x.yml',
      'group_vars/g.json',
      'host_vars/hh.yml',
    ),
  );
  await fc.assert(
    fc.asyncProperty(odd, paths, async (vaultFile, others) => {
      const files = Object.fromEntries(others.map((other) => [other, 'a: 1\n']));
      await withFolder({ ...files, 'inv/hosts.yml': INVENTORY, 'play/x': '' }, async (cwd) => {
        const located = await locateUnlessRefused(cwd, vaultFile);
        const file = located?.target.file ?? join(cwd, 'inv', vaultFile);
        if (!writeInto(file)) return;
        const isLoaded = (await loadedPaths(cwd)).includes(file);
        const isSaid = located !== null && located.target.unloaded === undefined;
        assert.equal(isSaid, isLoaded, vaultFile);
      });
    }),
    { numRuns: 150 },
  );
});

test('a path into a map is refused where the map stands in another file as well', async () => {
  const files = {
    'inv/hosts.yml': INVENTORY,
    'inv/host_vars/h/vars.yml': 'bots: {a: 1}\n',
    'play/x': '',
  };
  await withFolder(files, async (cwd) => {
    const located = await locate(cwd, null);
    const fault = findOverride(located, ['bots', 'rss']);
    assert.equal(fault?.code, 'E_HIDES_MAP');
    assert.match(fault.fix ?? '', /add `vault_file: host_vars\/h\/vars.yml`/);
    assert.equal(findOverride(located, ['other', 'rss']), null);
    const same = await locate(cwd, 'host_vars/h/vars.yml');
    assert.equal(findOverride(same, ['bots', 'rss']), null);
  });
});

test('a path into a map is written where the map of the file itself counts, whatever is below it', async () => {
  const files = {
    'inv/hosts.yml': INVENTORY,
    'inv/group_vars/g.yml': 'bots: {low: 1}\nnone: ~\n',
    'inv/host_vars/h/a.yml': 'bots: {mine: 1}\n',
    'play/x': '',
  };
  await withFolder(files, async (cwd) => {
    const mine = await locate(cwd, 'host_vars/h/a.yml');
    assert.equal(findOverride(mine, ['bots', 'rss']), null);
    assert.equal(findOverride(mine, ['none', 'rss']), null, 'a null hides nothing');
    const low = await locate(cwd, 'group_vars/g.yml');
    assert.equal(findOverride(low, ['bots', 'rss'])?.code, 'E_OVERRIDDEN');
    assert.equal(findOverride(await locate(cwd, null), ['bots', 'rss'])?.code, 'E_HIDES_MAP');
  });
});

test('a new folder that would switch a vars file off is told, with every spelling of that file', async () => {
  for (const file of ['host_vars/h', 'host_vars/h.yml', 'host_vars/h.yaml', 'host_vars/h.json']) {
    const files = { 'inv/hosts.yml': INVENTORY, [`inv/${file}`]: '{}', 'play/x': '' };
    await withFolder(files, async (cwd) => {
      const { target } = await locate(cwd, null);
      assert.equal(target.harm?.code, 'E_HOST_VARS_FILE');
      assert.equal(target.harm.at?.file, `inv/${file}`);
    });
  }
});

test('a new file never makes Ansible stop reading another one unless that is told', async () => {
  const spelling = fc.constantFrom('', '.yml', '.yaml', '.json', '/x.yml', '/a/b.yml');
  const group = fc.constantFrom('host_vars/h', 'group_vars/g', 'group_vars/all');
  await fc.assert(
    fc.asyncProperty(group, spelling, fc.uniqueArray(spelling), async (base, own, others) => {
      const there = others.filter(
        (one) => one !== '' || !others.some((other) => other.startsWith('/')),
      );
      const files = Object.fromEntries(
        there.map((one) => [`inv/${base}${one}`, `{"a": "${one}"}`]),
      );
      await withFolder({ ...files, 'inv/hosts.yml': INVENTORY, 'play/x': '' }, async (cwd) => {
        const before = await loadedPaths(cwd);
        const target = (await locateUnlessRefused(cwd, `${base}${own}`))?.target;
        if (target === undefined || target.harm !== null || !writeInto(target.file)) return;
        const after = await loadedPaths(cwd);
        for (const one of before) assert(after.includes(one), `${one} with ${base}${own}`);
      });
    }),
    { numRuns: 150 },
  );
});

test('a vault_file outside of inventory and playbook is refused', async () => {
  await withFolder({ 'inv/hosts.yml': INVENTORY, 'play/x': '' }, async (cwd) => {
    for (const file of ['/etc/x.yml', '../x.yml', '../inv2/x.yml', '.']) {
      const faults = await faultsFrom(() => locate(cwd, file));
      assert.deepEqual(
        faults.map(({ code }) => code),
        ['E_TARGET'],
        file,
      );
    }
  });
});

test('a vault_file among the vars of others, or one that Ansible passes over, is refused', async () => {
  const others = [
    'other/x.yml',
    'other.yml',
    'h/.x.yml',
    'h/x~',
    'h/x.txt',
    'h/a.b/x.yml',
    'h/$x.yml',
  ];
  const files = [...others.map((one) => `host_vars/${one}`), 'group_vars/other/x.yml'];
  await withFolder({ 'inv/hosts.yml': INVENTORY, 'play/x': '' }, async (cwd) => {
    for (const file of files) {
      const [fault, ...rest] = await faultsFrom(() => locate(cwd, file));
      assert.equal(fault?.code, 'E_TARGET', file);
      assert.match(fault.wanted ?? '', /host_vars\/h\/NAME.yml|groups \(all, g\)/);
      assert.equal(rest.length, 0);
    }
  });
});

test('of a file elsewhere it is said that the playbook must name it, once a file', async () => {
  await withFolder({ 'inv/hosts.yml': INVENTORY, 'play/x': '' }, async (cwd) => {
    const unloaded = await locate(cwd, 'tokens/x.yml');
    const loaded = [await locate(cwd, null), await locate(cwd, 'group_vars/g/x.yml')];
    assert.deepEqual(targetNotes([unloaded, unloaded, ...loaded]), [
      'Ansible does not read inv/tokens/x.yml by itself: name it in vars_files',
    ]);
  });
});

async function loadedPaths(cwd: string): Promise<(string | null)[]> {
  const [host] = await loadHosts(cwd, { playbook: 'play' });
  return (host?.layers ?? []).map(({ path }) => path);
}

async function isWinner(cwd: string, file: string): Promise<boolean> {
  const [host] = await loadHosts(cwd, { playbook: 'play' });
  return host?.lookup(NAME).found?.layer.path === file;
}

/** Gives false where a file stands in the way. */
function writeInto(file: string): boolean {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(join(file), `${NAME}: ours\n`);
    return true;
  } catch {
    return false;
  }
}
