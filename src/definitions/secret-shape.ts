// What vars say about a secret: where it comes from is read, the secret itself not.
import type { Resolved } from '../ansible/references.ts';
import { InputError, settleAll, type Position } from '../errors.ts';
import type { MapEntry, MapNode, YamlNode } from '../yaml/node.ts';
import { hideSecret } from '../secret.ts';
import { readTree, readValue, type ValueReader } from './values.ts';

/**
 * Opens the maps like `{file}` and `{command}`, which are no secrets, and leaves everything else
 * closed. Throws like readValue, and for a command into which something of a vault would go.
 */
export function readSecretShape(node: YamlNode, reader: ValueReader): YamlNode | Promise<YamlNode> {
  if (node.kind === 'seq') return readTree(node, reader);
  if (node.kind === 'map') return readSource(node, reader);
  const resolved = reader.host.resolve(node);
  if (resolved.kind === 'found' && resolved.node.kind === 'map') {
    return readSource(resolved.node, reader);
  }
  hideOpen(resolved);
  return node;
}

/** Reads a map of the host in which the value of one key is a secret. Throws like readSecretShape. */
export async function readSecretSetting(
  node: YamlNode,
  secretKey: string,
  reader: ValueReader,
): Promise<YamlNode> {
  const value = await readValue(node, reader);
  if (value.kind !== 'map') {
    // Who forgot the map has written the secret itself here.
    hideOpenSecret(node, reader);
    return value;
  }
  const entries = await settleAll(
    value.entries.map(async (entry): Promise<MapEntry> => {
      const read = entry.key === secretKey ? readSecretShape : readTree;
      return { ...entry, value: await read(entry.value, reader) };
    }),
  );
  return { ...value, entries };
}

/** A secret that stands in the open is hidden before anything is said: it may stand elsewhere too. */
export function hideOpenSecret(node: YamlNode, { host }: ValueReader): void {
  hideOpen(host.resolve(node));
}

function hideOpen(resolved: Resolved): void {
  if (resolved.kind !== 'found' || resolved.node.kind !== 'scalar') return;
  const { tag, value } = resolved.node;
  if (tag !== 'vault' && typeof value === 'string') hideSecret(value);
}

async function readSource(map: MapNode, reader: ValueReader): Promise<MapNode> {
  const entries = await settleAll(
    map.entries.map(async (entry): Promise<MapEntry> => {
      const read = entry.key === 'command' ? readOpenTree : readTree;
      return { ...entry, value: await read(entry.value, reader) };
    }),
  );
  return { ...map, entries };
}

/** Everybody on the machine can see the arguments of a program. */
async function readOpenTree(node: YamlNode, reader: ValueReader): Promise<YamlNode> {
  const at = findVaulted(node, reader);
  if (at !== null) throw new InputError(vaulted(at));
  // What Ansible renders may come out of a vault.
  const { host, decrypt } = reader;
  const value = await readValue(node, { host, decrypt });
  if (value.kind !== 'seq') return value;
  return {
    ...value,
    items: await settleAll(value.items.map((item) => readOpenTree(item, reader))),
  };
}

/** Gives the place where a value comes out of a vault, or null. */
function findVaulted(node: YamlNode, { host }: ValueReader): Position | null {
  const resolved = host.resolve(node);
  if (resolved.kind !== 'found' && resolved.kind !== 'text') return null;
  const inside = resolved.kind === 'found' ? [resolved.node] : resolved.parts;
  for (const part of inside) {
    if (typeof part !== 'string' && part.kind === 'scalar' && part.tag === 'vault') return part.at;
  }
  const files = new Set(host.layers.filter((layer) => layer.encrypted).map(({ file }) => file));
  return resolved.trail.find(({ file }) => files.has(file)) ?? null;
}

function vaulted(at: Position): ConstructorParameters<typeof InputError>[0] {
  return {
    code: 'E_VALUE',
    at,
    found: 'a vaulted value in a password command',
    wanted: 'plain text: everybody on the machine can see the arguments of a program',
    fix: 'write the argument in plain text, or the password itself as a vaulted value',
  };
}
