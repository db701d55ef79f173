// With `hash_behaviour=merge` a path into a map counts beside other maps of that name. What is said of a
// file that is to be written is held against what is read once it is written.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { readAnsibleConfig } from '../src/ansible/config.ts';
import { readDefinitions } from '../src/definitions.ts';
import { findOverride } from '../src/plan/override.ts';
import type { LocatedService } from '../src/plan/types.ts';
import { locateServices } from '../src/target.ts';
import { getEntry } from '../src/yaml/node.ts';
import type { YamlNode } from '../src/yaml/node.ts';
import { withFolder } from './helpers/folder.ts';
import { loadHosts } from './helpers/inventory.ts';
import type { HostView } from '../src/inventory.ts';

const PATH = ['bots', 'rss', 'token'] as const;
const OURS = 'inv/host_vars/h/m.yml';
const INVENTORY = JSON.stringify({
  all: {
    children: { g: { hosts: { h: null } } },
    vars: { matrix_domain: 'example.com', matrix_tokens_services: { rss: { password: 'x' } } },
  },
});

/** What another file has of the map, up to the value itself. */
const some = fc.constantFrom(
  'bots: {}',
  'bots: {news: 1}',
  'bots: {rss: {}}',
  'bots: {rss: {user: x}}',
  'bots: {rss: {token: other}}',
  'bots: {rss: {token: ~}}',
  'bots: {rss: text}',
  'bots: {rss: ~}',
  'bots: text',
  'bots: ~',
);

/** Mostly nothing: else some file always stands in the way. */
const other = fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: some });

const others = fc.record({
  'inv/group_vars/all.yml': other,
  'inv/group_vars/g.yml': other,
  'inv/host_vars/h/a.yml': other,
  'inv/host_vars/h/z.yml': other,
  'play/host_vars/h.yml': other,
});

async function hostIn(cwd: string): Promise<HostView> {
  const config = readAnsibleConfig({ cwd, env: { ANSIBLE_HASH_BEHAVIOUR: 'merge' } });
  const [host] = await loadHosts(cwd, { playbook: 'play', config });
  return host ?? assert.fail();
}

async function locate(cwd: string): Promise<LocatedService> {
  const { services } = await readDefinitions([await hostIn(cwd)], null);
  const at = { file: 'x', line: 1, column: 1 };
  const asked = services.map((one) => ({ ...one, vaultFile: { path: 'host_vars/h/m.yml', at } }));
  const [located] = await locateServices(asked, { cwd, env: {}, decrypt: null });
  return located ?? assert.fail();
}

function valueAt(host: HostView): YamlNode | null {
  let node: YamlNode | null = host.lookup(PATH[0]).found?.entry.value ?? null;
  for (const key of PATH.slice(1)) {
    node = node?.kind === 'map' ? (getEntry(node, key)?.value ?? null) : null;
  }
  return node;
}

/** Texts in files below ours, which a person has written and would miss. */
function isInTheWay(text: string | null): boolean {
  return text === 'bots: text' || text === 'bots: {rss: text}';
}

test('where maps are merged, what is said to win wins, and hides nothing', async () => {
  const told = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(others, async (given) => {
      const present = Object.entries(given).filter(([, text]) => text !== null);
      const files = Object.fromEntries(present.map(([path, text]) => [path, `${text}\n`]));
      const base = { 'inv/hosts.yml': INVENTORY, 'inv/host_vars/h/m.yml': 'x: 1\n', 'play/x': '' };
      await withFolder({ ...files, ...base }, async (cwd) => {
        const said = findOverride(await locate(cwd), [...PATH])?.code ?? 'wins';
        told.set(said, (told.get(said) ?? 0) + 1);
        writeFileSync(join(cwd, OURS), 'x: 1\nbots: {rss: {token: ours}}\n');
        const node = valueAt(await hostIn(cwd));
        const wins = node?.kind === 'scalar' && node.value === 'ours';
        const below = ['inv/group_vars/all.yml', 'inv/group_vars/g.yml', 'inv/host_vars/h/a.yml'];
        const hides = Object.entries(given).some(
          ([path, text]) => below.includes(path) && isInTheWay(text),
        );
        const expected = wins ? (hides ? 'E_HIDES_MAP' : 'wins') : 'E_OVERRIDDEN';
        assert.equal(said, expected, JSON.stringify(files));
      });
    }),
    { numRuns: 300 },
  );
  // Of 300, about 180, 35 and 85.
  assert.ok(['wins', 'E_HIDES_MAP', 'E_OVERRIDDEN'].every((one) => (told.get(one) ?? 0) > 5));
});
