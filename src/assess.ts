// Everything that can be known without contacting anybody: the hosts, what they define, what is
// there and what is missing, and which sessions of earlier runs wait to be removed.
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Layer } from './ansible/layer.ts';
import { readDefinitions } from './definitions.ts';
import { didYouMean } from './definitions/suggest.ts';
import type { Definitions, UnknownService, UnwantedService } from './definitions/types.ts';
import { InputError, type Fault } from './errors.ts';
import type { HostView } from './inventory.ts';
import { planServices } from './plan.ts';
import type { Action } from './plan/types.ts';
import { ownerNotes } from './token-owners.ts';
import { foldersIn, usualFolders, viewFolders, type ViewFolder } from './state-places.ts';
import { locateServices, seeTargets, targetNotes } from './target.ts';
import type { JournalEntry } from './vault/journal.ts';
import { foldersAbove, stateFolder } from './vault/state-path.ts';
import { resolveTarget } from './vault/real-path.ts';
import type { Source } from './provision/source.ts';
import type { World } from './provision/world.ts';

export interface AssessOptions {
  /** Names that pick some services; none: all. */
  readonly services: readonly string[];
}

/** An entry of the journal with the folder that holds it. */
export interface WaitingSession {
  readonly entry: JournalEntry;
  /** The folder whose state folder holds the entry. */
  readonly folder: string;
}

export interface Assessment {
  readonly hosts: readonly HostView[];
  /** Where files of these hosts usually stand. */
  readonly folders: readonly string[];
  readonly actions: readonly Action[];
  readonly unwanted: readonly UnwantedService[];
  readonly unknown: readonly UnknownService[];
  readonly sessions: readonly WaitingSession[];
  /** Folders of targets in which an earlier run left something, or another one is at work. */
  readonly stateFolders: readonly string[];
  /** Journal entries that cannot be read. */
  readonly damaged: readonly string[];
  readonly notes: readonly string[];
  /** Whole-file vaults that were left closed. */
  readonly closed: readonly string[];
}

/** Reads and plans. Throws InputError with every fault of all hosts within the limit. */
export async function assess(
  options: AssessOptions,
  { vault, load }: Source,
  { cwd, env }: Pick<World, 'cwd' | 'env'>,
): Promise<Assessment> {
  const { hosts, notes } = await load();
  const definitions = await readDefinitions(hosts, vault.decrypt, vault.renderer);
  checkNames(options.services, namesIn(definitions));
  const targeting = { cwd, env, decrypt: vault.decrypt };
  const located = await locateServices(definitions.services, targeting);
  await seeTargets(located, targeting);
  const actions = planServices(located);
  const view = viewFolders();
  const folders = [
    ...new Set([
      ...hosts.flatMap((host) => usualFolders(host, view)),
      ...definitions.folders.flatMap((folder) => foldersIn(folder, view)),
    ]),
  ];
  const { sessions, damaged, stateFolders } = await readSessions({ actions, hosts, folders }, view);
  const isPicked = picker(options.services);
  const picked = actions.filter(({ definition }) => isPicked(definition.name));
  return {
    hosts,
    folders,
    actions: picked,
    unwanted: definitions.unwanted.filter(({ name }) => isPicked(name)),
    unknown: definitions.unknown.filter(({ name }) => isPicked(name)),
    sessions: sessions.filter(({ entry }) => isPicked(entry.service)),
    stateFolders,
    damaged,
    notes: [
      ...notes,
      ...definitions.notes,
      ...targetNotes(located),
      ...ownerNotes(picked),
      ...damaged.map(describeDamaged),
    ],
    closed: closedFiles(hosts),
  };
}

/** Gives the sessions that belong to a service: the same user, and its own file. */
export function sessionsOf(
  { definition }: Action,
  sessions: readonly WaitingSession[],
): readonly WaitingSession[] {
  return sessions.filter(
    ({ entry }) =>
      entry.host === definition.host.name &&
      entry.service === definition.name &&
      entry.user_id === definition.userId,
  );
}

/** What is to be done about a session of a service that no host defines any more. */
export const NO_SERVICE_OF_SESSION =
  'no service of this name and user wants a token any more: log this device out by hand, and remove its entry in .matrix-tokens/';

/** Tells whether some service would have a session removed. */
export function isDefined(session: WaitingSession, actions: readonly Action[]): boolean {
  return actions.some((action) => sessionsOf(action, [session]).length > 0);
}

/** Gives the sessions that still wait after a run. What cannot be read counts as it was before. */
export async function remainingSessions(
  assessment: Assessment,
  services: readonly string[],
): Promise<readonly WaitingSession[]> {
  try {
    const { sessions } = await readSessions(assessment, viewFolders());
    return sessions.filter(({ entry }) => picker(services)(entry.service));
  } catch (error) {
    if (error instanceof InputError) return assessment.sessions;
    throw error;
  }
}

/** Gives what tells whether a service is meant; without names all are. */
export function picker(names: readonly string[]): (name: string) => boolean {
  return (name) => names.length === 0 || names.includes(name);
}

/** Gives the names of all services that are defined, whatever became of them. */
export function namesIn({ services, unwanted, unknown }: Definitions): ReadonlySet<string> {
  return new Set([...services, ...unwanted, ...unknown].map((one) => one.name));
}

/** Throws InputError (E_UNKNOWN_SERVICE) for names that pick nothing. */
export function checkNames(names: readonly string[], known: ReadonlySet<string>): void {
  const faults = names
    .filter((name) => !known.has(name))
    .map((name): Fault => ({
      code: 'E_UNKNOWN_SERVICE',
      found: `the service '${name}', which no host within the limit defines`,
      wanted: known.size === 0 ? 'a defined service' : `one of ${[...known].toSorted().join(', ')}`,
      fix: didYouMean(name, known),
    }));
  if (faults.length > 0) throw new InputError(faults);
}

async function readSessions(
  { actions, hosts, folders: usual }: Pick<Assessment, 'actions' | 'hosts' | 'folders'>,
  view: ViewFolder,
): Promise<{
  sessions: WaitingSession[];
  damaged: string[];
  stateFolders: string[];
}> {
  const targets = actions.map(({ target }) => target.file);
  const places = usual.map((folder) => join(folder, '*'));
  const files = [...targets, ...places, ...hosts.flatMap(varsFiles)];
  const folders = new Set<string>();
  for (const file of withState(files, view)) folders.add(dirname(await resolveTarget(file)));
  for (const folder of new Set(actions.flatMap(foldersOfWord))) {
    if (existsSync(stateFolder(folder))) folders.add(await resolveTarget(folder));
  }
  const names = new Set(hosts.map((host) => host.name));
  const sessions: WaitingSession[] = [];
  const damaged: string[] = [];
  const stateFolders = [...folders].filter((folder) => existsSync(stateFolder(folder)));
  for (const folder of stateFolders) {
    const { readJournal } = await import('./vault/journal.ts');
    const journal = await readJournal(folder);
    const own = journal.entries.filter((entry) => names.has(entry.host));
    sessions.push(...own.map((entry) => ({ entry, folder })));
    damaged.push(...journal.damaged);
  }
  return { sessions, damaged, stateFolders };
}

/** A rekey changes whatever vars file holds a value. */
function varsFiles({ layers }: HostView): string[] {
  const isVars = ({ kind }: Layer): boolean => kind === 'host_vars' || kind === 'group_vars';
  return layers.filter(isVars).flatMap(({ path }) => path ?? []);
}

/**
 * Gives the folders in which there may be word of folders that were made for a target. What stands in
 * a state folder is believed, so it is looked for where the inventory is, or where it ends.
 */
function foldersOfWord({ definition, target }: Action): string[] {
  const above = foldersAbove(dirname(target.file));
  const end = above.indexOf(definition.host.inventoryFolder);
  if (end >= 0) return above.slice(0, end + 1);
  const nearest = above.find((folder) => existsSync(folder));
  return nearest === undefined || existsSync(dirname(target.file)) ? [] : [nearest];
}

/** Gives the files that may have a state folder. Most have none. Behind a link it may be anywhere. */
function withState(files: readonly string[], view: ViewFolder): string[] {
  return files.filter((file) => {
    const folder = view(dirname(file));
    return folder.mayHaveState || folder.links.has(basename(file));
  });
}

function describeDamaged(path: string): string {
  return `the journal entry ${path} is damaged: look into it, log that session out if it names one, and remove it`;
}

function closedFiles(hosts: readonly HostView[]): readonly string[] {
  const layers = hosts.flatMap((host) => host.layers.filter((layer) => layer.vars === null));
  return [...new Set(layers.map((layer) => layer.file))];
}
