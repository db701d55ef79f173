// Where the hosts of a run and its vault passwords come from. This one: what a command line names.
// The other one is a running play (src/play.ts).
import { resolve } from 'node:path';
import { readAnsibleConfig } from '../ansible/config.ts';
import { loadInventory, type HostView } from '../inventory.ts';
import { openVaultAccess, type VaultAccess, type VaultOptions } from './vault-access.ts';
import type { World } from './world.ts';

export interface LoadedHosts {
  readonly hosts: readonly HostView[];
  /** What the operator should know of how they were read. */
  readonly notes: readonly string[];
}

export interface Source {
  readonly vault: VaultAccess;
  /** Reads the hosts, each time anew. Throws InputError. */
  load(): Promise<LoadedHosts>;
}

/** What a command line says of hosts and their variables. */
export interface InventoryOptions extends VaultOptions {
  readonly limit: string | undefined;
  readonly extraVars: readonly string[];
}

interface SourceOptions {
  readonly isLooking?: boolean;
  readonly vault?: VaultAccess;
}

/**
 * Gives the hosts that options name. A run that only looks runs no program of an inventory. `vault`:
 * another access than the options give.
 */
export function openInventory(
  options: InventoryOptions,
  world: World,
  { isLooking = false, vault = openVaultAccess(options, world) }: SourceOptions = {},
): Source {
  const { cwd, env } = world;
  const list = isLooking ? null : vault.listInventory;
  return {
    vault,
    load: async () => {
      const config = readAnsibleConfig({ cwd, env });
      const hosts = await loadInventory({
        inventory: options.inventory,
        limit: options.limit,
        extraVars: options.extraVars,
        playbookDir: resolve(cwd, options.playbookDir ?? '.'),
        cwd,
        config,
        decrypt: vault.decryptFile,
        list,
      });
      return { hosts, notes: config.notes };
    },
  };
}
