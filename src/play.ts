// The other way into a run: a play of Ansible, for one host. Ansible has loaded and merged the
// variables; the role's action plugin hands over those that are asked for.
import { openPlayVariables, type Ask, type PlayVariables } from './ansible/play-variables.ts';
import { createPlayRenderer } from './ansible/play-renderer.ts';
import { InputError } from './errors.ts';
import type { HostView } from './inventory.ts';
import { viewPlayHost } from './play/host.ts';
import { homeFolder, inventoryFolder } from './play/inventories.ts';
import { readPlayRequest, type PlayRequest } from './play/request.ts';
import type { Source } from './provision/source.ts';
import { vaultAccessWith } from './provision/vault-access.ts';
import type { World } from './provision/world.ts';
import type { VaultSecret } from './vault/keyring.ts';
import { bytesToPassword } from './vault/password-bytes.ts';
import { nodeText } from './definitions/values.ts';

export { readPlayRequest, type PlayRequest };

/** Gives the host of a play. Throws InputError where the play uses the role in a way it cannot do. */
export function openPlay(request: PlayRequest, ask: Ask, world: World): Source {
  const { cwd } = world;
  const secrets = request.secrets.map(([label, base64]): VaultSecret => ({
    label,
    password: bytesToPassword(Buffer.from(base64, 'base64')),
  }));
  const lookups = openPlayVariables(ask, { host: '', cwd });
  const host = textOf(lookups, 'inventory_hostname') ?? '';
  const variables = openPlayVariables(ask, { host, cwd });
  checkUse(request, variables);
  const renderer = createPlayRenderer(variables);
  const load = async (): Promise<HostView> => viewHost({ request, host, variables, cwd });
  return {
    vault: { ...vaultAccessWith(secrets), renderer, listInventory: null },
    load: async () => ({ hosts: [await load()], notes: [] }),
  };
}

interface ViewOptions {
  readonly request: PlayRequest;
  readonly host: string;
  readonly variables: PlayVariables;
  readonly cwd: string;
}

async function viewHost({ request, host, variables, cwd }: ViewOptions): Promise<HostView> {
  const playbookFolder = textOf(variables, 'playbook_dir') ?? cwd;
  const sources = textsOf(variables, 'ansible_inventory_sources');
  const file = textOf(variables, 'inventory_file');
  const home = await homeFolder({ sources, playbookFolder, host, file, cwd });
  const folders = sources.map((source) => inventoryFolder(source, playbookFolder));
  return viewPlayHost({
    host,
    variables,
    cwd,
    names: request.names,
    groups: textsOf(variables, 'group_names'),
    inventoryFolder: home,
    playbookFolder,
    sources: sources.filter((source) => source.startsWith('/')),
    folders: [...folders.filter((folder) => folder !== playbookFolder), playbookFolder],
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

function textOf(variables: PlayVariables, name: string): string | null {
  const node = variables.find(name)?.entry.value;
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : null;
}

function textsOf(variables: PlayVariables, name: string): string[] {
  const node = variables.find(name)?.entry.value;
  return node?.kind === 'seq' ? node.items.map(nodeText) : [];
}
