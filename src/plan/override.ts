// Would the file to be written win? Later layers replace earlier ones, whole values at a time; with
// `hash_behaviour=merge` maps are merged, and only what stands in the way of the path counts.
import { relative, sep } from 'node:path';
import type { Layer } from '../ansible/layer.ts';
import type { VariablePath } from '../definitions/types.ts';
import { formatPosition, type Fault } from '../errors.ts';
import { getEntry, type MapEntry } from '../yaml/node.ts';
import type { LocatedService } from './types.ts';

/** Gives the fault if a value written to the service's file would not count, or would hide others. */
export function findOverride(service: LocatedService, path: VariablePath): Fault | null {
  const { host } = service.definition;
  const holders = host.layers.filter((layer) => layer.vars?.has(path[0]) === true);
  const others = holders.filter((layer) => layer.path !== service.target.file);
  if (service.target.unloaded !== undefined) return null;
  // Where maps are not merged, whoever has the name has all of it.
  const counted: VariablePath = host.mergeMaps ? path : [path[0]];
  const passes = (layer: Layer): boolean => follow(layer, counted).isOpen;
  const above = others.filter((layer) => ranksAbove(layer, service, path[0]));
  const winner = above.findLast((layer) => !passes(layer));
  if (winner !== undefined)
    return overridden(service, winner, { path, entry: follow(winner, counted).entry });
  // A map in the file itself hides those of the others already.
  if (path.length === 1 || others.length < holders.length) return null;
  const isHidden = (layer: Layer): boolean => {
    const { entry, isWhole, isOpen } = follow(layer, counted);
    return !isOpen && !isNull(entry) && !(host.mergeMaps && isWhole);
  };
  const other = others.findLast(isHidden);
  return other === undefined ? null : hidesMap(service, path, other);
}

interface Followed {
  /** The last on the path that the layer has. */
  readonly entry: MapEntry | undefined;
  readonly isWhole: boolean;
  /** A map that lacks what follows: merged with one that has it, both stay. */
  readonly isOpen: boolean;
}

function follow(layer: Layer, [name, ...keys]: VariablePath): Followed {
  let entry = layer.vars?.get(name);
  for (const key of keys) {
    if (entry?.value.kind !== 'map') return { entry, isWhole: false, isOpen: false };
    const next = getEntry(entry.value, key);
    if (next === undefined) return { entry, isWhole: false, isOpen: true };
    entry = next;
  }
  return { entry, isWhole: true, isOpen: false };
}

function isNull(entry: MapEntry | undefined): boolean {
  return entry?.value.kind === 'scalar' && entry.value.value === null;
}

/**
 * Would this layer rank above the file? Files of one folder are loaded in the order of their names, a
 * folder in the place of its name. Above host_vars beside the inventory stand those of the playbook,
 * then -e and what a play sets. What cannot be known of a file that does not exist yet counts as
 * above. Where Ansible does not tell who sets a variable, it counts as above as soon as the file has
 * a value that does not come through: so nobody is logged in twice for nothing.
 */
function ranksAbove(layer: Layer, { definition, target }: LocatedService, name: string): boolean {
  const { host } = definition;
  const own = host.layers.findIndex((one) => one.path === target.file);
  if (layer.kind === 'default') return false;
  if (layer.kind === 'unknown') return host.layers[own]?.vars?.has(name) === true;
  if (own !== -1) return host.layers.indexOf(layer) > own;
  const root = [host.inventoryFolder, host.playbookFolder].find((folder) =>
    isInside(target.file, folder),
  );
  if (root === undefined) return layer.kind !== 'inventory' || layer.of === host.name;
  if (layer.kind !== 'host_vars') return layer.kind === 'extra' || layer.kind === 'play';
  if (layer.path === null || !isInside(layer.path, root)) {
    return root !== host.playbookFolder;
  }
  return isAfter(relative(root, layer.path), relative(root, target.file));
}

function isInside(file: string, folder: string): boolean {
  return relative(folder, file).startsWith(`host_vars${sep}`);
}

function isAfter(file: string, other: string): boolean {
  const [a, b] = [file.split(sep), other.split(sep)];
  const index = a.findIndex((part, i) => part !== b[i]);
  return (
    index !== -1 && Buffer.compare(Buffer.from(a[index] ?? ''), Buffer.from(b[index] ?? '')) > 0
  );
}

function overridden(
  service: LocatedService,
  winner: Layer,
  { path, entry }: { readonly path: VariablePath; readonly entry: MapEntry | undefined },
): Fault {
  return {
    code: 'E_OVERRIDDEN',
    at: entry?.at,
    found: `a value of ${path[0]} that would win over the one in ${service.target.shown}`,
    wanted: `nothing above ${service.target.shown} that sets ${path[0]}`,
    fix: howToRemove(winner, path[0], entry),
  };
}

function howToRemove({ kind }: Layer, name: string, entry: MapEntry | undefined): string {
  const at = entry?.at;
  if (at === undefined || kind === 'extra') return `leave ${name} out of -e`;
  if (at.line !== 0) return `remove the line ${formatPosition(at)}`;
  return `find what sets ${name} after host_vars (a play, set_fact, the vars of a role, -e), and remove it`;
}

function hidesMap(service: LocatedService, path: VariablePath, other: Layer): Fault {
  const { name, host } = service.definition;
  const entry = other.vars?.get(path[0]);
  const file =
    other.kind === 'host_vars' && other.path !== null
      ? relative(host.inventoryFolder, other.path)
      : null;
  const reference =
    `write \`"{{ vault_${name}_access_token }}"\` in its place in that map, and remove 'variables' ` +
    `of service '${name}'`;
  return {
    code: 'E_HIDES_MAP',
    at: entry?.at,
    found: `the map ${path[0]}, which one in ${service.target.shown} would hide as a whole`,
    wanted: 'the token in a variable of its own, or in the file that holds the map',
    fix: file === null ? reference : `${reference}; or add \`vault_file: ${file}\` to it`,
  };
}
