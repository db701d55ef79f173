// The other way into a run: a play of Ansible, for one host. Ansible has loaded and merged the
// variables; the role's action plugin hands over those that are asked for.
import { readVaultSettings } from './ansible/config.ts';
import { openPlayVariables, type Ask, type PlayVariables } from './ansible/play-variables.ts';
import { createPlayRenderer } from './ansible/play-renderer.ts';
import { InputError } from './errors.ts';
import type { HostView } from './inventory.ts';
import { findFolders, shownPath, textOf, textsOf, type PlayFolders } from './play/folders.ts';
import { viewPlayHost } from './play/host.ts';
import { homeFolder } from './play/inventories.ts';
import { readPlayRequest, type PlayRequest } from './play/request.ts';
import type { Source } from './provision/source.ts';
import { vaultAccessWith, vaultRules } from './provision/vault-access.ts';
import type { World } from './provision/world.ts';
import { keyringOf, type VaultRules, type VaultSecret } from './vault/keyring.ts';
import { bytesToPassword } from './vault/password-bytes.ts';

export { readPlayRequest, type PlayRequest };

/** Gives the host of a play. Throws InputError where the play uses the role in a way it cannot do. */
export function openPlay(request: PlayRequest, ask: Ask, { cwd, env }: World): Source {
  const plain = openPlayVariables(ask, { host: '', show: (path) => path });
  const host = textOf(plain, 'inventory_hostname') ?? '';
  const folders = findFolders(plain, host, cwd);
  const show = remember((path) => shownPath(path, folders));
  const variables = openPlayVariables(ask, { host, show });
  checkUse(request, variables);
  return {
    vault: {
      ...openVault(request, { cwd, env }),
      renderer: createPlayRenderer(variables),
      listInventory: null,
    },
    load: async () => ({ hosts: [await viewHost(request, variables, folders)], notes: [] }),
  };
}

/** Every value has a place, and many stand in one file: asking the disk once is enough. */
function remember(show: (path: string) => string): (path: string) => string {
  const known = new Map<string, string>();
  return (path) => {
    const shown = known.get(path) ?? show(path);
    known.set(path, shown);
    return shown;
  };
}

function openVault(
  { secrets }: PlayRequest,
  settings: Pick<World, 'cwd' | 'env'>,
): ReturnType<typeof vaultAccessWith> {
  const given = secrets.map(([label, hex]): VaultSecret => ({
    label,
    password: bytesToPassword(Buffer.from(hex, 'hex')),
  }));
  return vaultAccessWith(keyringOf(given, rulesIn(settings)));
}

/** Ansible has read its settings; those that only we cannot read change nothing here. */
function rulesIn(settings: Pick<World, 'cwd' | 'env'>): Partial<VaultRules> {
  try {
    return vaultRules(readVaultSettings(settings));
  } catch (error) {
    if (error instanceof InputError) return {};
    throw error;
  }
}

async function viewHost(
  request: PlayRequest,
  variables: PlayVariables,
  folders: PlayFolders,
): Promise<HostView> {
  const file = textOf(variables, 'inventory_file');
  return viewPlayHost({
    ...folders,
    variables,
    names: request.names,
    groups: textsOf(variables, 'group_names'),
    inventoryFolder: await homeFolder({ ...folders, file }),
  });
}

/** Said before anything is read: with these keywords no run could do what they promise. */
function checkUse(request: PlayRequest, variables: PlayVariables): void {
  if (request.async > 0) {
    throw new InputError({
      code: 'E_PLAY',
      found: 'async, which would leave a login to itself',
      wanted: 'the role without async and poll: later tasks need its tokens',
    });
  }
  const hosts = textsOf(variables, 'ansible_play_batch');
  if (!request.runOnce || hosts.length <= 1) return;
  throw new InputError({
    code: 'E_PLAY',
    found: `run_once in a play of ${hosts.length} hosts, which would give the tokens of one host to all of them`,
    wanted: 'the role without run_once: every host has tokens of its own',
    fix: 'take run_once away; `serial: 1` does one host after the other',
  });
}
