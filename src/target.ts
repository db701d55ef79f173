// Where the values of a service go. Names become paths here and nowhere else.
import { existsSync, lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { Layer } from './ansible/layer.ts';
import { showPath } from './ansible/text-file.ts';
import type { Decrypt, ServiceDefinition } from './definitions/types.ts';
import { InputError, settleAll, type Fault } from './errors.ts';
import type { HostInPlay } from './inventory.ts';
import { findPresence } from './plan/presence.ts';
import type { LocatedService, Target } from './plan/types.ts';
import {
  ENDINGS,
  misplacedFault,
  VARS_FOLDERS,
  wouldBeLoaded,
  type NamedFile,
} from './target/loaded.ts';
import { readTarget } from './target/read.ts';
import { throwawayFault } from './target/throwaway.ts';

/** The folder of our own files in host_vars/<host>/; sorts after vars.yml, vault and vault.yml. */
export const TARGET_FOLDER = 'vault_matrix_tokens';

export interface TargetOptions {
  /** Folder that shown paths are relative to. */
  readonly cwd: string;
  /** Tells of jobs whose folders vanish. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly decrypt: Decrypt | null;
}

/** Gives the file of each service. Throws InputError (E_TARGET). */
export async function locateServices(
  definitions: readonly ServiceDefinition[],
  options: TargetOptions,
): Promise<readonly LocatedService[]> {
  // The services of a host mostly share a folder.
  const tools = {
    ...options,
    isFolder: rememberAnswers(isFolder),
    realFolder: rememberAnswers(realPath),
  };
  return settleAll(
    definitions.map(async (definition) => ({
      definition,
      target: await locate(definition, tools),
    })),
  );
}

interface Tools extends TargetOptions {
  readonly isFolder: (path: string) => boolean;
  readonly realFolder: (path: string) => string;
}

function rememberAnswers<T>(ask: (path: string) => T): (path: string) => T {
  const answers = new Map<string, T>();
  return (path) => {
    const answer = answers.get(path) ?? ask(path);
    answers.set(path, answer);
    return answer;
  };
}

/**
 * Gives a sentence for each file that the playbook has to name, since Ansible finds it not by itself.
 * The role loads what it writes.
 */
export function targetNotes(located: readonly LocatedService[]): string[] {
  const unloaded = located.filter(
    ({ definition, target }) => target.unloaded !== undefined && definition.host.play === undefined,
  );
  const notes = unloaded.map(({ target }) =>
    target.isDefault
      ? `Ansible does not read ${dirname(target.shown)} by itself: the role matrix_tokens does, or name its files in vars_files`
      : `Ansible does not read ${target.shown} by itself: name it in vars_files`,
  );
  return [...new Set(notes)];
}

/**
 * In a play, Ansible may have read these files before another run wrote to them: where it knows of no
 * token, they are read anew. Throws InputError.
 */
export async function seeTargets(
  located: readonly LocatedService[],
  options: TargetOptions,
): Promise<void> {
  const files = new Map<HostInPlay, Layer[]>();
  for (const service of located) {
    const { definition, target } = service;
    const { play } = definition.host;
    if (play === undefined || target.unloaded !== undefined || !isMissing(service)) continue;
    const layer = await readTarget(target, definition, options);
    files.set(play, [...(files.get(play) ?? []), ...(layer === null ? [] : [layer])]);
  }
  for (const [play, layers] of files) play.see(layers);
}

function isMissing(service: LocatedService): boolean {
  const { accessToken, deviceId } = service.definition.variables;
  const paths = deviceId === null ? [accessToken] : [accessToken, deviceId];
  try {
    return paths.some((path) => findPresence(service, path).kind !== 'present');
  } catch (error) {
    // It is told when everything is planned.
    if (error instanceof InputError) return true;
    throw error;
  }
}

async function locate(definition: ServiceDefinition, options: Tools): Promise<Target> {
  const { host, vaultFile, vaultDir } = definition;
  if (vaultFile === null && vaultDir !== null) return locateIn(vaultDir, definition, options);
  if (vaultFile === null) {
    const folder = join(host.inventoryFolder, 'host_vars', host.name, TARGET_FOLDER);
    return describe(join(folder, `${definition.name}.yml`), definition, options, 'default');
  }
  const file = isAbsolute(vaultFile.path)
    ? vaultFile.path
    : resolve(host.inventoryFolder, vaultFile.path);
  const named = { file, shown: showPath(file, options.cwd), at: vaultFile.at };
  checkInside(named, definition);
  checkNoInventory(named, definition);
  const layer = findLayer(file, definition);
  const target = describe(layer?.path ?? file, definition, options, 'vault_file');
  if (layer !== undefined || wouldBeLoaded(file, host)) return target;
  return readIfUnloaded(target, named, definition, options);
}

/** The file of a service in the folder that matrix_tokens_vault_dir names for all hosts. */
async function locateIn(
  { path, at }: NonNullable<ServiceDefinition['vaultDir']>,
  definition: ServiceDefinition,
  options: Tools,
): Promise<Target> {
  const file = join(path, definition.host.name, `${definition.name}.yml`);
  const target = describe(file, definition, options, 'vault_dir');
  if (wouldBeLoaded(file, definition.host)) return target;
  return readIfUnloaded(target, { file, shown: target.shown, at }, definition, options);
}

async function readIfUnloaded(
  target: Target,
  named: NamedFile,
  definition: ServiceDefinition,
  options: Tools,
): Promise<Target> {
  const misplaced = misplacedFault(named, definition.host);
  if (misplaced !== null) throw new InputError(misplaced);
  return { ...target, unloaded: { layer: await readTarget(target, definition, options) } };
}

function describe(
  file: string,
  { host }: ServiceDefinition,
  tools: Tools,
  namedBy: 'default' | 'vault_file' | 'vault_dir',
): Target {
  const roots = [host.inventoryFolder, host.playbookFolder];
  const [harm] = roots.flatMap((root) => switchedOff(file, root, tools));
  const shown = showPath(file, tools.cwd);
  const fleeting = throwawayFault({ file, shown, isNamed: namedBy === 'vault_dir' }, tools.env);
  const isDefault = namedBy !== 'vault_file';
  // We make no links; a folder may be one all the same.
  const real = isDefault ? join(tools.realFolder(dirname(file)), basename(file)) : realPath(file);
  return { file, real, shown, isDefault, harm: harm ?? fleeting };
}

/** A new folder host_vars/<host>/ would silently switch off a file host_vars/<host>.yml. */
function switchedOff(file: string, root: string, { cwd, isFolder }: Tools): Fault[] {
  const [kind = '', name = '', ...below] = relative(root, file).split(sep);
  if (!VARS_FOLDERS.includes(kind) || name === '') return [];
  if (below.length === 0) return outranked(file, cwd);
  const folder = join(root, kind, name);
  if (isFolder(folder)) return [];
  const ending = ENDINGS.find((one) => isFile(folder + one));
  if (ending === undefined) return [];
  const [single, into] = [showPath(folder + ending, cwd), showPath(folder, cwd)];
  return [
    {
      code: 'E_HOST_VARS_FILE',
      at: { file: single, line: 1, column: 1 },
      found: `the variables of ${name} in a single file`,
      wanted:
        'a folder: beside a folder of the same name Ansible would not read this file any more',
      fix: ['move it:', ...moveCommands(single, into)].join('\n'),
    },
  ];
}

/** Of several spellings of one name Ansible takes the first: a new one switches the others off. */
function outranked(file: string, cwd: string): Fault[] {
  if (existsSync(file)) return [];
  const index = ENDINGS.findLastIndex((ending) => file.endsWith(ending));
  const base = file.slice(0, file.length - (ENDINGS[index] ?? '').length);
  const rival = ENDINGS.slice(index + 1).find((ending) => existsSync(base + ending));
  if (rival === undefined) return [];
  return [
    {
      code: 'E_HOST_VARS_FILE',
      at: { file: showPath(base + rival, cwd), line: 1, column: 1 },
      found: `a file that Ansible would not read any more beside ${showPath(file, cwd)}`,
      wanted: 'another vault_file: this one, or one in a folder of that name',
    },
  ];
}

function moveCommands(file: string, folder: string): string[] {
  const make = `mkdir ${quote(folder)}`;
  const into = quote(`${folder}/vars.yml`);
  if (file !== folder) return [make, `mv ${quote(file)} ${into}`];
  return [
    `mv ${quote(file)} ${quote(`${file}.moved`)}`,
    make,
    `mv ${quote(`${file}.moved`)} ${into}`,
  ];
}

/** Gives a path as one word of a shell. */
function quote(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

function checkInside({ file, shown, at }: NamedFile, { host }: ServiceDefinition): void {
  if (isBelow(file, host.inventoryFolder) || isBelow(file, host.playbookFolder)) return;
  throw new InputError({
    code: 'E_TARGET',
    at,
    found: `vault_file ${shown}, which is outside of the inventory and the playbook`,
    wanted: 'a file below the folder of the inventory or of the playbook',
  });
}

/** A variable at the top level of an inventory would be a group to Ansible. */
function checkNoInventory({ file, shown, at }: NamedFile, { host }: ServiceDefinition): void {
  if (!host.isInventory(file) && !host.isInventory(realPath(file))) return;
  throw new InputError({
    code: 'E_TARGET',
    at,
    found: `vault_file ${shown}, which Ansible reads as an inventory`,
    wanted: `a file of variables, such as host_vars/${host.name}/vault.yml`,
  });
}

/** Gives the layer that is read from this file, also through a symlink. */
function findLayer(file: string, { host }: ServiceDefinition): Layer | undefined {
  const real = realPath(file);
  return host.layers.find((layer) => layer.path !== null && realPath(layer.path) === real);
}

function isBelow(file: string, folder: string): boolean {
  const inside = relative(folder, file);
  return inside !== '' && !inside.startsWith('..') && !isAbsolute(inside);
}

/** Gives the path with symlinks followed as far as it exists. */
function realPath(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    const parent = dirname(file);
    return parent === file ? file : join(realPath(parent), file.slice(parent.length));
  }
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}
