// Who wants no token: what is switched off, bridges, and modes in which the playbook refuses one.
import type { MapNode, YamlNode } from '../yaml/node.ts';
import { getEntry, scalarText } from '../yaml/node.ts';
import type { CatalogEntry } from './catalog.ts';
import type { SecretSource } from './types.ts';
import { readValue, textOf, type ValueReader } from './values.ts';

/**
 * Gives why a service wants no token, or null where it wants one. `own`: what its definition, not
 * the defaults, has to log in with. Throws like readValue.
 */
export async function whyUnwanted(
  map: MapNode,
  catalog: CatalogEntry | undefined,
  own: { readonly password: SecretSource | null; readonly hasLogin: boolean },
  reader: ValueReader,
): Promise<string | null> {
  const enabled = getEntry(map, 'enabled');
  if (enabled !== undefined && isOff(enabled.value)) return 'enabled: false';
  if (enabled === undefined && catalog?.enabled !== undefined) {
    const value = await readVariable(catalog.enabled, reader);
    if (isFalse(value)) return `${catalog.enabled} is false`;
  }
  const kind = textOf(map, 'kind') ?? catalog?.kind ?? 'bot';
  if (kind === 'bridge' && own.password === null && !own.hasLogin) return 'uses its as_token';
  return conflictingMode(catalog, reader);
}

function isOff(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.value === false;
}

async function conflictingMode(
  catalog: CatalogEntry | undefined,
  reader: ValueReader,
): Promise<string | null> {
  for (const { variable, equals } of catalog?.unwanted_when ?? []) {
    const value = await readVariable(variable, reader, { open: equals !== undefined });
    if (value === null) continue;
    if (equals === undefined && isSet(value)) return `${variable} is set: no token is wanted`;
    if (equals !== undefined && isEqual(value, equals)) {
      return `${variable} is ${String(equals)}: no token is wanted`;
    }
  }
  return null;
}

/**
 * Gives the value of a variable of the catalog, or null where the inventory has none. With `open:
 * false` a vaulted value, or a text with one in it, stays closed. Throws like readValue.
 */
export async function readVariable(
  name: string,
  reader: ValueReader,
  { open = true }: { open?: boolean } = {},
): Promise<YamlNode | null> {
  const entry = reader.host.lookup(name).found?.entry;
  if (entry === undefined) return null;
  const resolved = open ? null : reader.host.resolve(entry.value);
  if (resolved?.kind === 'text') return entry.value;
  if (resolved?.kind === 'found') return resolved.node;
  return readValue(entry.value, reader);
}

function isFalse(node: YamlNode | null): boolean {
  return node?.kind === 'scalar' && isEqual(node, false);
}

/** Tells whether a value is true, or a word that Ansible's playbooks take for it. */
export function isTrue(node: YamlNode): boolean {
  return isEqual(node, true);
}

/** Ansible's playbooks compare after `| bool`, so the words count like the values. */
function isEqual(node: YamlNode, wanted: string | number | boolean): boolean {
  if (node.kind !== 'scalar') return false;
  if (typeof wanted !== 'boolean') return node.value === wanted;
  const words = wanted
    ? ['true', 'yes', 'on', '1', 'y', 't']
    : ['false', 'no', 'off', '0', 'n', 'f'];
  return words.includes(scalarText(node.value).toLowerCase());
}

/** Tells whether a value says anything. */
export function isSet(node: YamlNode): boolean {
  return node.kind !== 'scalar' || (node.value !== null && node.value !== '');
}
