// What is known in a play of where a value stands, and which of two would win.
import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { test } from 'node:test';
import type { Layer, LayerKind } from '../src/ansible/layer.ts';
import type { PlayFolders } from '../src/play/folders.ts';
import { calledPath } from '../src/play/folders.ts';
import { compareLayers, kindOf, layerOf } from '../src/play/layers.ts';
import { homeFolder } from '../src/play/inventories.ts';
import { withFolder } from './helpers/folder.ts';

const PLAY: PlayFolders = {
  host: 'h1',
  folders: ['/p/inventory', '/p/more', '/p'],
  sources: ['/p/inventory/hosts.yml', '/p/more'],
  playbookFolder: '/p',
  cwd: '/p',
};

/** From what loses to what wins. */
const ORIGINS: readonly (readonly [origin: string | null, kind: LayerKind])[] = [
  ['/p/roles/base/defaults/main.yml', 'default'],
  ['/p/inventory/hosts.yml', 'inventory'],
  ['/p/inventory/group_vars/all.yml', 'group_vars'],
  ['/p/group_vars/all.yml', 'group_vars'],
  ['/p/inventory/host_vars/h1/vars.yml', 'host_vars'],
  ['/p/inventory/host_vars/h1/vault_matrix_tokens/rss.yml', 'host_vars'],
  ['/p/inventory/host_vars/h1/zz.yml', 'host_vars'],
  ['/p/more/host_vars/h1.yml', 'host_vars'],
  ['/p/host_vars/h1/a.yml', 'host_vars'],
  ['/p/site.yml', 'play'],
  ["<CLI option '-e'>", 'extra'],
  [null, 'unknown'],
];

function layerAt(origin: string | null): Layer {
  const at = { file: origin ?? 'variable x of host h1', line: 0, column: 0 };
  const value = { kind: 'scalar', at, value: '' } as const;
  return layerOf({ entry: { at, key: 'x', value }, origin }, PLAY);
}

test('the place of a value tells what it is to the host', () => {
  for (const [origin, kind] of ORIGINS) assert.equal(kindOf(origin, PLAY), kind, String(origin));
  // Vars of a role win over host_vars, its defaults do not; another host's folder is not ours.
  assert.equal(kindOf('/p/roles/base/vars/main.yml', PLAY), 'play');
  assert.equal(kindOf('/p/inventory/host_vars/h10/vars.yml', PLAY), 'play');
  assert.equal(kindOf('<something else>', PLAY), 'unknown');
});

test('layers stand in the order in which Ansible lets them win', () => {
  const layers = ORIGINS.map(([origin]) => layerAt(origin));
  const sorted = layers.toReversed().toSorted((a, b) => compareLayers(a, b, PLAY));
  assert.deepEqual(
    sorted.map(({ path, kind }) => path ?? kind),
    ORIGINS.map(([origin, kind]) => (origin?.startsWith('/') === true ? origin : kind)),
  );
});

test('files go beside the last inventory that names the host, as on the command line', async () => {
  const files = {
    'a/hosts.yml': 'all: {hosts: {h1: , h2: }}\n',
    'b/hosts.yml': 'all: {hosts: {h2: }}\n',
    'c/cloud.yml': 'plugin: some.cloud.inventory\n',
  };
  await withFolder(files, async (folder) => {
    const sources = Object.keys(files).map((file) => `${folder}/${file}`);
    const common = { playbookFolder: folder, cwd: folder, file: null };
    const homeOf = (host: string, more: object = {}): Promise<string> =>
      homeFolder({ ...common, sources, host, ...more });
    assert.equal(await homeOf('h1'), `${folder}/a`);
    assert.equal(await homeOf('h2'), `${folder}/b`);
    // Only Ansible knows what a cloud says; it tells which inventory named the host first.
    assert.equal(await homeOf('h3', { file: `${folder}/c/cloud.yml` }), `${folder}/c`);
    assert.equal(await homeOf('h1', { sources: [`${folder}/c/cloud.yml`] }), `${folder}/c`);
    assert.equal(await homeOf('h1', { sources: ['h1,'] }), folder);
    assert.equal(await homeOf('h1', { sources: [] }), folder);
  });
});

test('a file behind a link has the name by which its inventory is called', async () => {
  await withFolder({ 'real/host_vars/h1/vars.yml': '' }, async (folder) => {
    symlinkSync(`${folder}/real`, `${folder}/inventory`);
    const folders = [`${folder}/inventory`, folder];
    const path = `${folder}/real/host_vars/h1/vars.yml`;
    assert.equal(calledPath(path, { folders }), `${folder}/inventory/host_vars/h1/vars.yml`);
    assert.equal(calledPath(`${folder}/site.yml`, { folders }), `${folder}/site.yml`);
  });
});
