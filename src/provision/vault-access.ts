// The vault passwords of a run: read when the first one is needed, and then only once.
import { accessSync, constants } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { readAnsibleConfig } from '../ansible/config.ts';
import type { VaultConfig } from '../ansible/config-vault.ts';
import { createListing, type ListingOptions, type ListInventory } from '../ansible/dynamic.ts';
import { createRenderer, type Renderer, type RendererOptions } from '../ansible/render.ts';
import type { Decrypt } from '../definitions/types.ts';
import { hideSecret } from '../secret.ts';
import type { Keyring, VaultRules, VaultSecret } from '../vault/keyring.ts';
import { isTyped, type PasswordSources } from '../vault/password-sources.ts';
import type { PasswordIo } from '../vault/passwords.ts';
import type { World } from './world.ts';

const SETTINGS = [
  'ANSIBLE_COLLECTIONS_PATH',
  'ANSIBLE_CONFIG',
  'ANSIBLE_FILTER_PLUGINS',
  'ANSIBLE_HASH_BEHAVIOUR',
  'ANSIBLE_INVENTORY_PLUGINS',
  'ANSIBLE_LOOKUP_PLUGINS',
  'ANSIBLE_TEST_PLUGINS',
];

export interface VaultOptions {
  readonly vaultPasswordFiles: readonly string[];
  readonly vaultIds: readonly string[];
  readonly askVaultPass: boolean;
  /** Of `--encrypt-vault-id`. */
  readonly encryptVaultId: string | undefined;
  readonly inventory: readonly string[];
  readonly playbookDir: string | undefined;
}

export interface VaultAccess {
  /** Gives the passwords: none where no source of one was given. Throws InputError. */
  keyring(): Promise<Keyring>;
  /** The passwords that have opened something: those were not mistyped. */
  readonly proved: ReadonlySet<VaultSecret>;
  /** Opens an inline value; null where no source of a password was given. */
  readonly decrypt: Decrypt | null;
  /** The same for a whole file. */
  readonly decryptFile: ((envelope: string, file: string) => Promise<string>) | null;
  /** Renders what only Ansible can, with the password files of the run. */
  readonly renderer: Renderer;
  /** Has Ansible list what is no file of hosts; null: not in this run. */
  readonly listInventory: ListInventory | null;
}

/**
 * Gives access to the vault with the password sources of options and settings. Ansible gets
 * `alsoForAnsible` besides: a source as `--vault-id` takes it.
 */
export function openVaultAccess(
  options: VaultOptions,
  world: World,
  alsoForAnsible: readonly string[] = [],
): VaultAccess {
  const { vault: config } = readAnsibleConfig(world);
  const sources: PasswordSources = {
    identityList: config.identityList,
    vaultIds: options.vaultIds,
    vaultPasswordFiles: options.vaultPasswordFiles,
    settingsFile: config.passwordFile,
    askVaultPass: options.askVaultPass || config.askPass,
  };
  const rules = vaultRules(config, options.encryptVaultId);
  let loading: Promise<Keyring> | null = null;
  const keyring = (): Promise<Keyring> => (loading ??= load(sources, rules, world));
  const vaultIds = [...options.vaultIds, ...alsoForAnsible];
  const ansible = openAnsible({ ...options, vaultIds }, world);
  if (hasSource(sources)) return { keyring, ...openWith(keyring), ...ansible };
  return { keyring, proved: new Set(), decrypt: null, decryptFile: null, ...ansible };
}

type Opening = Pick<VaultAccess, 'decrypt' | 'decryptFile' | 'proved'>;

/** Gives access to the vault with passwords that are at hand. */
export function vaultAccessWith(given: Keyring): Pick<VaultAccess, 'keyring'> & Opening {
  const keyring = (): Promise<Keyring> => Promise.resolve(given);
  if (given.secrets.length === 0) {
    return { keyring, proved: new Set(), decrypt: null, decryptFile: null };
  }
  return { keyring, ...openWith(keyring) };
}

/** Gives what opens values and files with a keyring: each envelope once. */
export function openWith(keyring: () => Promise<Keyring>): Opening {
  const opened = new Map<string, Promise<string>>();
  const proved = new Set<VaultSecret>();
  const openNow: Decrypt = async (envelope, at) => {
    const { openText } = await import('../vault/keyring.ts');
    const { text, secret } = await openText(envelope, await keyring(), at);
    proved.add(secret);
    return text;
  };
  const openOnce: Decrypt = (envelope, at) => {
    const known = opened.get(envelope);
    if (known !== undefined) return known;
    const opening = openNow(envelope, at);
    opened.set(envelope, opening);
    return opening;
  };
  // Whoever encrypts a single value does not want to see it anywhere, whatever it is used for.
  const decrypt: Decrypt = async (envelope, at) => {
    const text = await openOnce(envelope, at);
    hideSecret(text);
    return text;
  };
  const decryptFile = (envelope: string, file: string): Promise<string> =>
    openOnce(envelope, { file, line: 1, column: 1 });
  return { decrypt, decryptFile, proved };
}

/** Gives Ansible's rules as the settings have them; `encryptVaultId` is that of the option. */
export function vaultRules(config: VaultConfig, encryptVaultId?: string): VaultRules {
  const { encryptIdentity: setting } = config;
  const named = setting === null ? null : { label: setting.value, origin: setting.origin };
  return {
    onlyOwnId: config.idMatch,
    unnamedId: config.identity,
    encryptId:
      encryptVaultId === undefined
        ? named
        : { label: encryptVaultId, origin: '--encrypt-vault-id' },
  };
}

/** Passwords that are typed stay here: Ansible gets the files that the options name. */
function openAnsible(
  options: VaultOptions,
  world: World,
): Pick<VaultAccess, 'renderer' | 'listInventory'> {
  const vaultArguments = [
    ...options.vaultIds.flatMap((id) => (isTyped(id) ? [] : ['--vault-id', id])),
    ...options.vaultPasswordFiles.flatMap((file) => ['--vault-password-file', file]),
  ];
  const settings: Omit<RendererOptions & ListingOptions, 'program'> = {
    inventory: () => inventoriesOf(options, world),
    playbookDir: options.playbookDir ?? '.',
    vaultArguments,
    lacksTyped: options.askVaultPass || options.vaultIds.some(isTyped),
    run: (file, args, { input, env }) =>
      world.run(file, args, { input, env: { ...settingsIn(world.env), ...env } }),
  };
  const program = (name: string) => () => findProgram(name, world.env);
  return {
    renderer: createRenderer(settings, program('ansible')),
    listInventory: createListing({ ...settings, program: program('ansible-inventory') }),
  };
}

/** Ansible adds one inventory of ours, and with any `-i` it does not look into its settings. */
function inventoriesOf({ inventory }: VaultOptions, { cwd, env }: World): readonly string[] {
  const given = inventory.filter(Boolean);
  return given.length > 0 ? given : readAnsibleConfig({ cwd, env }).inventory;
}

/** What Ansible itself would read of the environment, as far as it holds no secrets. */
function settingsIn(env: World['env']): Record<string, string> {
  return Object.fromEntries(
    SETTINGS.flatMap((name) => {
      const value = env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function findProgram(name: string, env: World['env']): string | null {
  const folders = (env['PATH'] ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, name)).find(isRunnable) ?? null;
}

function isRunnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function hasSource(sources: PasswordSources): boolean {
  const { identityList, vaultIds, vaultPasswordFiles, settingsFile, askVaultPass } = sources;
  const count = identityList.length + vaultIds.length + vaultPasswordFiles.length;
  return count > 0 || settingsFile !== null || askVaultPass;
}

async function load(sources: PasswordSources, rules: VaultRules, world: World): Promise<Keyring> {
  const { loadVaultSecrets } = await import('../vault/passwords.ts');
  return { ...rules, secrets: await loadVaultSecrets(sources, rules, passwordIo(world)) };
}

/** Gives what reading vault passwords needs of the world. */
export function passwordIo(world: World): PasswordIo {
  return {
    cwd: world.cwd,
    env: world.env,
    readFile: (file) => readFile(file),
    isExecutable,
    // A script may ask a person: as under Ansible it has our stdin and stderr.
    run: (file, args) => world.run(file, args, { stdin: 'inherit' }),
    prompt: world.prompt,
    warn: (text) => world.warn(text),
  };
}

/** As Ansible asks: any executable bit makes a script of it. */
async function isExecutable(file: string): Promise<boolean> {
  const stats = await stat(file).catch(() => null);
  return stats !== null && stats.isFile() && (stats.mode & 0o111) !== 0;
}
