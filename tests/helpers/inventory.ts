import { resolve } from 'node:path';
import type { AnsibleConfig } from '../../src/ansible/config.ts';
import { readDefinitions } from '../../src/definitions.ts';
import type { Definitions } from '../../src/definitions/types.ts';
import { InputError, type Fault } from '../../src/errors.ts';
import { loadInventory } from '../../src/inventory.ts';
import type { HostView } from '../../src/inventory.ts';
import { withFolder } from './folder.ts';

export interface LoadOptions {
  /** Default: `inv/hosts.yml`. */
  readonly inventory?: readonly string[];
  /** Relative to the folder; default: the folder itself. */
  readonly playbook?: string;
  /** Default: no ansible.cfg. */
  readonly config?: AnsibleConfig;
}

/** Loads the hosts of an inventory in a folder, as the command line does there. */
export async function loadHosts(
  folder: string,
  { inventory = ['inv/hosts.yml'], playbook = '.', config }: LoadOptions = {},
): Promise<readonly HostView[]> {
  return loadInventory({
    inventory,
    extraVars: [],
    playbookDir: resolve(folder, playbook),
    cwd: folder,
    decrypt: null,
    ...(config === undefined ? {} : { config }),
  });
}

/** Reads the definitions of one host with these variables. Throws InputError. */
export async function definitionsOf(vars: object): Promise<Definitions> {
  const inventory = { all: { hosts: { example: vars } } };
  const files = { 'inv/hosts.yml': JSON.stringify(inventory) };
  const found: Definitions[] = [];
  await withFolder(files, async (folder) => {
    found.push(await readDefinitions(await loadHosts(folder), null));
  });
  const [definitions] = found;
  if (definitions === undefined) throw new Error('nothing was read');
  return definitions;
}

/** Gives the faults that the work throws; none where it throws nothing. Rethrows what is a bug. */
export async function faultsFrom(work: () => unknown): Promise<readonly Fault[]> {
  try {
    await work();
    return [];
  } catch (error) {
    if (error instanceof InputError) return error.faults;
    throw error;
  }
}
