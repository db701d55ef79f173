// YAML inventories: maps of groups with `vars`, `children` and `hosts`.
import { InputError } from '../errors.ts';
import type { Fault, Position } from '../errors.ts';
import { describeType } from '../yaml/node.ts';
import type { MapEntry, MapNode, YamlNode } from '../yaml/node.ts';
import { parseYaml } from '../yaml/parse.ts';
import { parseHostNames } from './host-name.ts';
import {
  addGroup,
  addHosts,
  createDraft,
  PLAIN_READING,
  setVariable,
  toSource,
} from './inventory.ts';
import type { HostDraft, InventoryDraft, InventorySource, ReadingOptions } from './inventory.ts';

interface Reading {
  readonly draft: InventoryDraft;
  readonly faults: Fault[];
}

/**
 * Reads a YAML (or JSON) inventory.
 * @throws InputError with all faults of the file: E_YAML, E_INVENTORY for what Ansible refuses and
 * for groups that it would skip, E_UNSUPPORTED for patterns and plugin configurations.
 * @see https://docs.ansible.com/ansible/latest/collections/ansible/builtin/yaml_inventory.html
 */
export function parseYamlInventory(
  text: string,
  file: string,
  options: Pick<ReadingOptions, 'mergeMaps'> = PLAIN_READING,
): InventorySource {
  const reading: Reading = { draft: createDraft(options), faults: [] };
  const root = parseYaml(text, file);
  const start = { file, line: 1, column: 1 };
  if (root?.kind !== 'map' || root.entries.length === 0) {
    const found = root === null ? 'an empty file' : `${describeType(root)} at the top level`;
    throw new InputError(inventoryFault(root?.at ?? start, found, 'a map of groups'));
  }
  checkPlugin(root);
  for (const entry of root.entries) readGroup(reading, entry);
  if (reading.faults.length > 0) throw new InputError(reading.faults);
  return toSource(reading.draft, file);
}

function checkPlugin(root: MapNode): void {
  const plugin = root.entries.find(({ key }) => key === 'plugin');
  if (plugin === undefined) return;
  const fix = 'save what ansible-inventory --list --export prints for it, and give that file';
  const found = 'the configuration of an inventory plugin';
  throw new InputError({ code: 'E_UNSUPPORTED', at: plugin.at, found, fix });
}

function readGroup(reading: Reading, { at, key, value }: MapEntry): void {
  if (typeof key !== 'string' || key === '') return refuse(reading, at, 'a group without a name');
  if (!isMapOrNull(value)) {
    return refuse(reading, value.at, `${describeType(value)} in place of a group`, 'a map');
  }
  addGroup(reading.draft, key, at);
  if (value.kind !== 'map') return;
  for (const section of value.entries) readSection(reading, key, section);
}

/** Ansible skips other keys than these three. */
function readSection(reading: Reading, group: string, { key, value }: MapEntry): void {
  if (key !== 'vars' && key !== 'children' && key !== 'hosts') return;
  const entries = sectionEntries(value);
  if (entries === null) {
    refuse(reading, value.at, `${describeType(value)} under "${key}"`, 'a map');
    return;
  }
  for (const entry of entries) {
    if (key === 'vars') readVar(reading, addGroup(reading.draft, group), entry);
    else if (key === 'children') readChild(reading, group, entry);
    else readHost(reading, group, entry);
  }
}

/** A lone string stands for a map with this key. */
function sectionEntries(value: YamlNode): readonly MapEntry[] | null {
  if (value.kind === 'map') return value.entries;
  if (value.kind !== 'scalar' || value.tag === 'vault') return null;
  if (value.value === null) return [];
  const isText = typeof value.value === 'string';
  const nothing: YamlNode = { kind: 'scalar', at: value.at, value: null };
  return isText ? [{ at: value.at, key: value.value, value: nothing }] : null;
}

function readVar(
  reading: Reading,
  { vars, places }: Pick<HostDraft, 'vars' | 'places'>,
  { at, key, value }: MapEntry,
): void {
  if (typeof key === 'string') {
    setVariable(reading.draft, vars, key, value);
    places.set(key, at);
  } else refuse(reading, at, 'a variable whose name is not a string', 'a name in quotes');
}

function readChild(reading: Reading, group: string, entry: MapEntry): void {
  readGroup(reading, entry);
  if (typeof entry.key === 'string') addGroup(reading.draft, group).children.add(entry.key);
}

function readHost(reading: Reading, group: string, { at, key, value }: MapEntry): void {
  if (typeof key !== 'string') return refuse(reading, at, 'a host whose name is not a string');
  if (!isMapOrNull(value)) {
    return refuse(reading, value.at, `${describeType(value)} in place of a host's vars`, 'a map');
  }
  try {
    const names = parseHostNames(key, at);
    const hosts = addHosts(reading.draft, addGroup(reading.draft, group), names, at);
    if (value.kind !== 'map') return;
    for (const host of hosts) {
      for (const entry of value.entries) readVar(reading, host, entry);
    }
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    reading.faults.push(...error.faults);
  }
}

function isMapOrNull(node: YamlNode): boolean {
  return node.kind === 'map' || (node.kind === 'scalar' && node.value === null);
}

function refuse(reading: Reading, at: Position, found: string, wanted?: string): void {
  reading.faults.push(inventoryFault(at, found, wanted));
}

function inventoryFault(at: Position, found: string, wanted?: string): Fault {
  return { code: 'E_INVENTORY', at, found, wanted };
}
