// Inventories that are programs or the settings of a plugin: only Ansible can run them. It lists
// what they say, in JSON, without group_vars and host_vars, which are read as for any inventory.
// What it prints may hold secrets and is never shown.
import { InputError, type Position } from '../errors.ts';
import type { MapNode, YamlNode } from '../yaml/node.ts';
import { getEntry, scalarText } from '../yaml/node.ts';
import { parseYaml } from '../yaml/parse.ts';
import { addGroup, addHosts, createDraft, toSource } from './inventory.ts';
import type { InventoryDraft, InventorySource } from './inventory.ts';
import { QUIET, type RunWithInput } from './render-call.ts';

/** Gives what an inventory says; null where there is no Ansible. Throws InputError. */
export type ListInventory = (path: string, file: string) => Promise<InventorySource | null>;

export interface ListingOptions {
  /** Finds `ansible-inventory`. */
  readonly program: () => string | null;
  /** Options that name vault password files; no passwords. */
  readonly vaultArguments: readonly string[];
  readonly run: RunWithInput;
}

const ENVIRONMENT: Readonly<Record<string, string>> = {
  ...QUIET,
  ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED: 'true',
  // There is no such plugin: an empty list would not do.
  ANSIBLE_VARS_ENABLED: 'ansible.builtin.none',
};

/** Makes the function that has inventories listed, each once a run. */
export function createListing({ program, vaultArguments, run }: ListingOptions): ListInventory {
  const listed = new Map<string, Promise<InventorySource | null>>();
  const list: ListInventory = async (path, file) => {
    const found = program();
    if (found === null) return null;
    const args = ['-i', path, '--list', '--export', ...vaultArguments];
    const { exitCode, stdout } = await run(found, args, { input: '', env: ENVIRONMENT });
    if (exitCode !== 0) throw noList(file, `which Ansible cannot list (code ${exitCode})`);
    return parseListing(stdout.toString('utf8'), file);
  };
  return (path, file) => {
    const listing = listed.get(path) ?? list(path, file);
    listed.set(path, listing);
    return listing;
  };
}

/**
 * Reads what `ansible-inventory --list --export` prints. Everything stands at the beginning of
 * `file`. Throws InputError (E_INVENTORY) for anything else.
 */
export function parseListing(text: string, file: string): InventorySource {
  const at = { file, line: 1, column: 1 };
  const root = movedTo(parseJson(text, file), at);
  const draft = createDraft();
  for (const { key, value } of mapOf(root, file).entries) {
    if (key !== '_meta') readGroup(draft, scalarText(key), mapOf(value, file), at);
  }
  const meta = getEntry(mapOf(root, file), '_meta')?.value;
  const vars = meta === undefined ? undefined : getEntry(mapOf(meta, file), 'hostvars')?.value;
  if (vars === undefined) throw noList(file, 'whose list names no variables of hosts');
  for (const { key, value } of mapOf(vars, file).entries) {
    const name = scalarText(key);
    const ungrouped = addGroup(draft, 'ungrouped');
    const host =
      draft.hosts.get(name) ?? addHosts(draft, ungrouped, { names: [name], port: null }, at)[0];
    for (const entry of mapOf(value, file).entries)
      host?.vars.set(scalarText(entry.key), entry.value);
  }
  return toSource(draft, file);
}

function readGroup(draft: InventoryDraft, name: string, map: MapNode, at: Position): void {
  const group = addGroup(draft, name, at);
  for (const { key, value } of map.entries) {
    if (key === 'children') {
      for (const child of namesIn(value, at.file)) {
        addGroup(draft, child, at);
        group.children.add(child);
      }
    } else if (key === 'hosts') {
      addHosts(draft, group, { names: namesIn(value, at.file), port: null }, at);
    } else if (key === 'vars') {
      for (const entry of mapOf(value, at.file).entries)
        group.vars.set(scalarText(entry.key), entry.value);
    } else throw noList(at.file, 'whose list holds a key of an unknown kind');
  }
}

/** Errors of the parser would show places in a text that nobody has. */
function parseJson(text: string, file: string): YamlNode {
  try {
    JSON.parse(text);
    const node = parseYaml(text, file);
    if (node !== null) return node;
  } catch {
    // Said below.
  }
  throw noList(file, 'whose list is no JSON');
}

function mapOf(node: YamlNode, file: string): MapNode {
  if (node.kind === 'map') return node;
  throw noList(file, 'whose list is not built like one');
}

function namesIn(node: YamlNode, file: string): string[] {
  const items = node.kind === 'seq' ? node.items : [];
  const names = items.flatMap((item) =>
    item.kind === 'scalar' && typeof item.value === 'string' ? [item.value] : [],
  );
  if (node.kind === 'seq' && names.length === items.length) return names;
  throw noList(file, 'whose list is not built like one');
}

function movedTo(node: YamlNode, at: Position): YamlNode {
  if (node.kind === 'scalar') return { ...node, at };
  if (node.kind === 'seq') return { ...node, at, items: node.items.map((one) => movedTo(one, at)) };
  const entries = node.entries.map((entry) => ({ ...entry, at, value: movedTo(entry.value, at) }));
  return { ...node, at, entries };
}

function noList(file: string, found: string): InputError {
  return new InputError({
    code: 'E_INVENTORY',
    at: { file, line: 1, column: 1 },
    found: `an inventory ${found}`,
    wanted: 'one that Ansible can list with the variables of the environment that it gets',
    fix: `see why: ansible-inventory -i ${file} --list`,
  });
}
