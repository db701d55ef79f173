import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { loadInventory } from '../src/inventory.ts';
import type { HostView } from '../src/inventory.ts';
import { startInventoryOracle } from './helpers/ansible-inventory.ts';
import type { InventoryAnswer, InventoryOracle } from './helpers/ansible-inventory.ts';
import { toTyped } from './helpers/ansible-loader.ts';
import { generatedInventory, writeInventory } from './helpers/generated-inventory.ts';
import type { GeneratedInventory } from './helpers/generated-inventory.ts';
import { ansibleSkip } from './helpers/python.ts';

const skip = await ansibleSkip();

/** Set for longer runs. */
const RUNS = Number(process.env['MATRIX_TOKENS_ORACLE_RUNS'] ?? 200);

test(
  'hosts, values and types of generated inventories are what Ansible sees',
  { skip },
  async () => {
    const oracle = await startInventoryOracle();
    try {
      const property = fc.asyncProperty(generatedInventory, (generated) =>
        compare(generated, oracle),
      );
      await fc.assert(property, { numRuns: RUNS, includeErrorInReport: true });
    } finally {
      oracle.close();
    }
  },
);

async function compare(generated: GeneratedInventory, oracle: InventoryOracle): Promise<void> {
  const cwd = mkdtempSync(join(tmpdir(), 'matrix-tokens-oracle-'));
  try {
    const written = writeInventory(cwd, generated);
    const args = [
      ...written.inventory.flatMap((source) => ['-i', source]),
      ...written.extraVars.flatMap((text) => ['-e', text]),
      '--playbook-dir',
      written.playbookDir,
    ];
    const theirs = await oracle.list(args, cwd);
    const views = await loadInventory({ ...written, cwd, decrypt: null });
    assert.deepEqual(effectiveValues(views), theirs.hosts, theirs.detail);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

/** What wins on each host, without the names that `ansible-inventory` leaves out. */
function effectiveValues(views: readonly HostView[]): InventoryAnswer['hosts'] {
  return Object.fromEntries(
    views.map((view) => {
      const magic = view.layers.filter((layer) => layer.kind === 'magic');
      const isMagic = (name: string): boolean =>
        magic.some((layer) => layer.vars?.has(name) === true);
      const names = [...view.names()].filter((name) => !isMagic(name));
      return [view.name, Object.fromEntries(names.map((name) => [name, valueOf(view, name)]))];
    }),
  );
}

function valueOf(view: HostView, name: string): unknown {
  const { found } = view.lookup(name);
  return found === null ? 'nothing' : toTyped(found.entry.value);
}
