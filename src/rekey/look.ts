// What there is to encrypt again. Nothing is changed here.
import { dirname, join } from 'node:path';
import { checkNames, namesIn, picker, type AssessOptions } from '../assess.ts';
import { readDefinitions } from '../definitions.ts';
import type { Definitions } from '../definitions/types.ts';
import { settleAll, type Position } from '../errors.ts';
import type { InventoryOptions, Source } from '../provision/source.ts';
import type { VaultAccess } from '../provision/vault-access.ts';
import type { World } from '../provision/world.ts';
import type { Outcome } from '../report/types.ts';
import { locateServices } from '../target.ts';
import { resolveTarget } from '../vault/real-path.ts';
import { findCandidates, ownFolders } from './candidates.ts';
import { chooseSealed, type Judged } from './choose.ts';
import { rekeyCommand } from './command.ts';
import { readHeld } from './held.ts';
import type { NewPassword, RekeyKeys } from './keys.ts';
import { placeKey, type Places } from './outcomes.ts';
import type { HeldFile } from './types.ts';
import { unheldOutcomes } from './unheld.ts';

export interface RekeyOptions extends AssessOptions, InventoryOptions, NewPassword {
  /** True: write nothing. */
  readonly check: boolean;
  /** Seconds to wait for another run on the same files; undefined: 60. */
  readonly lockTimeout: number | undefined;
  /** Vault IDs of the values that are meant; none: the only one that they have. */
  readonly oldVaultIds: readonly string[];
}

/** What a rekey works with. */
export interface RekeyRun {
  readonly options: RekeyOptions;
  readonly world: World;
  /** Opens with the old passwords and the new one. */
  readonly source: Source;
  readonly keys: RekeyKeys;
}

/** What there is. */
export interface RekeyView {
  readonly judged: readonly Judged[];
  /** Where vars define the services. */
  readonly places: Places;
  /** Services of which there is nothing to encrypt again. */
  readonly unheld: readonly Outcome[];
  /** Folders in which an earlier rekey may have left something. */
  readonly folders: readonly string[];
  readonly notes: readonly string[];
}

/** Reads all files. Throws InputError with every fault of all of them. */
export async function look(run: RekeyRun): Promise<RekeyView> {
  const { options, world, source, keys } = run;
  const { hosts, notes } = await source.load();
  const { vault } = source;
  const definitions = await readDefinitions(hosts, vault.decrypt, vault.renderer);
  const { cwd, env } = world;
  const { decrypt } = vault;
  const located = await locateServices(definitions.services, { cwd, env, decrypt });
  const own = ownFolders(hosts, definitions.folders);
  const candidates = await findCandidates(own, located, cwd);
  const files = await readAll(candidates, vault);
  checkNames(options.services, new Set([...namesIn(definitions), ...files.flatMap(servicesOf)]));
  const isPicked = picker(options.services);
  const judged = await chooseSealed(
    files.flatMap((file) => pick(file, isPicked)),
    {
      keys,
      oldIds: options.oldVaultIds,
      commandFor: (file) => rekeyCommand(file, options, world),
    },
  );
  const services = located.filter(({ definition }) => isPicked(definition.name));
  const unwanted = definitions.unwanted.filter(({ name }) => isPicked(name));
  return {
    judged,
    places: placesOf(definitions),
    unheld: unheldOutcomes(services, unwanted, isHeldBy(judged)),
    folders: await foldersOf([
      ...own.map(({ path }) => join(path, '*')),
      ...candidates.map(({ path }) => path),
    ]),
    notes: [...new Set([...notes, ...definitions.notes, ...judged.flatMap(noteOthers)])],
  };
}

/** Gives the files that would be changed, by their real paths, with the names that messages use. */
export function filesToChange({ judged }: RekeyView): ReadonlyMap<string, string> {
  const old = judged.filter(({ state }) => state === 'old');
  return new Map(old.map(({ file }) => [file.path, file.shown]));
}

async function readAll(
  candidates: Awaited<ReturnType<typeof findCandidates>>,
  { decryptFile }: VaultAccess,
): Promise<readonly HeldFile[]> {
  if (decryptFile === null) throw new Error('a rekey has at least its new password');
  const held = await settleAll(candidates.map((candidate) => readHeld(candidate, decryptFile)));
  return held.filter((file) => file !== null);
}

function servicesOf({ sealed }: HeldFile): string[] {
  return sealed.flatMap(({ values }) => values.map(({ holder }) => holder.service));
}

function placesOf({ services, unwanted, unknown }: Definitions): Places {
  return new Map<string, Position>(
    [...services, ...unwanted, ...unknown].map(({ host, name, at }) => [
      placeKey(host.name, name),
      at,
    ]),
  );
}

/** A whole file can be changed only if all of its services are meant. */
function pick(file: HeldFile, isPicked: (name: string) => boolean): HeldFile[] {
  const sealed = file.sealed.flatMap((one) => {
    const values = one.values.filter(({ holder }) => isPicked(holder.service));
    return values.length === 0 ? [] : [{ ...one, values }];
  });
  if (sealed.length === 0) return [];
  const left = file.sealed
    .filter(({ node }) => node === null)
    .flatMap(({ values }) => values)
    .find(({ holder }) => !isPicked(holder.service));
  return [{ ...file, sealed, stranger: file.stranger ?? left?.name ?? null }];
}

function isHeldBy(judged: readonly Judged[]): (host: string, service: string) => boolean {
  const held = judged.flatMap(({ sealed }) =>
    sealed.values.map(({ holder }) => placeKey(holder.host, holder.service)),
  );
  const known = new Set(held);
  return (host, service) => known.has(placeKey(host, service));
}

function noteOthers({ state, file }: Judged): string[] {
  if (state !== 'old' || file.others === 0) return [];
  const what = file.others === 1 ? 'another vaulted value' : `${file.others} other vaulted values`;
  const keeps =
    file.others === 1
      ? 'belongs to no service and keeps its'
      : 'belong to no service and keep their';
  return [`${what} in ${file.shown} ${keeps} password`];
}

async function foldersOf(files: readonly string[]): Promise<readonly string[]> {
  const folders = new Set<string>();
  for (const file of files) folders.add(dirname(await resolveTarget(file)));
  return [...folders];
}
