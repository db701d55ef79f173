// Reads a value that is needed: references are followed and inline vault values opened. What an
// inline value holds is taken as it is: Ansible does not template it either.
import type { Renderer } from '../ansible/render.ts';
import type { Fault, Position } from '../errors.ts';
import { InputError, settleAll } from '../errors.ts';
import type { HostView } from '../inventory.ts';
import type { MapNode, ScalarNode, SeqNode, YamlNode } from '../yaml/node.ts';
import { getEntry, scalarText } from '../yaml/node.ts';
import type { Decrypt } from './types.ts';

/** On a command line everybody on the machine could read it. */
const WRITE_VALUE =
  "if the braces belong to the value, write !unsafe 'VALUE'; otherwise write the value itself, or hand it over with -e @file";

/** A value that only a vault could tell, and no vault password was given. */
export class ClosedVaultError extends Error {
  override name = 'ClosedVaultError' as const;
  readonly at: Position;

  constructor(message: string, at: Position) {
    super(message);
    this.at = at;
  }
}

export interface ValueReader {
  readonly host: HostView;
  /** Null: no vault password was given. */
  readonly decrypt: Decrypt | null;
  /** Absent: what only Ansible can render is a fault. */
  readonly renderer?: Renderer;
}

/**
 * Gives the value that a node stands for on the reader's host; maps and lists come with their
 * inner values unread. Throws InputError (E_REFERENCE, E_TEMPLATE) or ClosedVaultError.
 */
export async function readValue(node: YamlNode, reader: ValueReader): Promise<YamlNode> {
  const resolved = reader.host.resolve(node);
  switch (resolved.kind) {
    case 'found':
      return openVault(resolved.node, reader);
    case 'text':
      return joinText(resolved.parts, resolved.at, reader);
    case 'undefined':
      throw resolved.closed.length > 0 && reader.decrypt === null
        ? new ClosedVaultError(
            `'${resolved.name}' may stand in ${resolved.closed.join(', ')}`,
            resolved.at,
          )
        : new InputError(undefinedReference(resolved.name, resolved.at, reader.host));
    case 'template':
      // Before ansible-core 2.19 a lone vaulted value comes back closed.
      return openVault(readRendered(node, resolved.at, reader), reader);
    case 'cycle':
      throw new InputError({
        code: 'E_REFERENCE',
        at: resolved.at,
        found: `variables that refer to each other in a circle: ${resolved.names.join(' → ')}`,
        wanted: 'a value at the end of the chain',
      });
  }
}

/** Where it is only noted, the fault is that of a first look: the value is read again. */
function readRendered(node: YamlNode, at: Position, reader: ValueReader): YamlNode {
  const { host, decrypt, renderer } = reader;
  if (node.kind !== 'scalar' || renderer === undefined) throw new InputError(complexTemplate(at));
  const rendered = renderer.find(host, node);
  if (rendered.kind === 'value') return rendered.node;
  const hasClosed = host.layers.some(({ vars }) => vars === null);
  if (rendered.kind === 'failed' && decrypt === null && hasClosed) {
    throw new ClosedVaultError('Ansible renders nothing without the vault password', at);
  }
  if (rendered.kind !== 'failed') throw new InputError(complexTemplate(at));
  const { undefinedName } = rendered;
  throw new InputError(
    undefinedName === undefined
      ? notRendered(at, reader, renderer, rendered.reason)
      : undefinedReference(undefinedName, at, host),
  );
}

/**
 * Tells whether a node stands for itself, with everything in it, on every host: no references, no
 * vault values. What many hosts share is looked at once.
 */
export function isLiteral(node: YamlNode): boolean {
  if (node.kind === 'scalar') {
    const mayRefer = typeof node.value === 'string' && node.tag === undefined;
    return node.tag !== 'vault' && !(mayRefer && /\{[{%#]/.test(node.value));
  }
  const known = literals.get(node);
  if (known !== undefined) return known;
  const inside = node.kind === 'seq' ? node.items : node.entries.map(({ value }) => value);
  const isAll = inside.every(isLiteral);
  literals.set(node, isAll);
  return isAll;
}

const literals = new WeakMap<YamlNode, boolean>();

/** Reads a node with everything in it. Throws like readValue, with all faults at once. */
export async function readTree(node: YamlNode, reader: ValueReader): Promise<YamlNode> {
  if (isLiteral(node)) return node;
  const value = await readValue(node, reader);
  if (value.kind === 'map') return readMap(value, reader);
  if (value.kind === 'seq') return readSeq(value, reader);
  return value;
}

async function readMap(map: MapNode, reader: ValueReader): Promise<MapNode> {
  const entries = await settleAll(
    map.entries.map(async (entry) => ({ ...entry, value: await readTree(entry.value, reader) })),
  );
  return { ...map, entries };
}

async function readSeq(seq: SeqNode, reader: ValueReader): Promise<SeqNode> {
  return { ...seq, items: await settleAll(seq.items.map((item) => readTree(item, reader))) };
}

async function openVault(node: YamlNode, reader: ValueReader): Promise<YamlNode> {
  if (node.kind !== 'scalar' || node.tag !== 'vault') return node;
  return { kind: 'scalar', at: node.at, value: await openText(node, reader), tag: 'unsafe' };
}

function openText(node: ScalarNode, reader: ValueReader): Promise<string> {
  if (reader.decrypt === null) throw new ClosedVaultError('its value is vaulted', node.at);
  return reader.decrypt(scalarText(node.value), node.at);
}

async function joinText(
  parts: readonly (string | ScalarNode)[],
  at: Position,
  reader: ValueReader,
): Promise<ScalarNode> {
  let text = '';
  for (const part of parts) text += typeof part === 'string' ? part : await openText(part, reader);
  return { kind: 'scalar', at, value: text, tag: 'unsafe' };
}

function undefinedReference(name: string, at: Position, host: HostView): Fault {
  return {
    code: 'E_REFERENCE',
    at,
    found: `a reference to '${name}', which is not defined for host ${host.name}`,
    wanted:
      host.play === undefined
        ? 'a variable of the inventory, of host_vars, group_vars or -e'
        : 'a variable that this play sees',
    fix:
      host.play === undefined
        ? `define '${name}', or write the value itself (defaults of roles are not seen here)`
        : `define '${name}', or write the value itself (defaults of a role are seen only if the role stands before this one)`,
  };
}

function complexTemplate(at: Position): Fault {
  return {
    code: 'E_TEMPLATE',
    at,
    found: 'Jinja that only Ansible can render',
    wanted: 'a plain value, or references like {{ name }} and {{ map.key }}',
    fix: WRITE_VALUE,
  };
}

/** What Ansible said may hold anything: of it there is only the kind of error, and perhaps a name. */
function notRendered(
  at: Position,
  { host }: ValueReader,
  { lacksTyped }: Renderer,
  reason: string | undefined,
): Fault {
  const why = reason === undefined ? '' : `: ${reason}`;
  if (host.play !== undefined) {
    return {
      code: 'E_TEMPLATE',
      at,
      found: `Jinja that Ansible cannot render in this play${why}`,
      wanted: 'a value that it can',
      fix: 'look at it with ansible.builtin.debug, on a terminal that nobody else sees',
    };
  }
  return {
    code: 'E_TEMPLATE',
    at,
    found: `Jinja that Ansible could not render with the variables of the inventory${why}`,
    wanted: 'a value that needs no defaults of roles and no facts',
    fix: lacksTyped
      ? 'a vault password that was typed is not handed over to Ansible: give it with `--vault-password-file FILE`'
      : WRITE_VALUE,
  };
}

/** Gives a node as plain data for schema checks; dates become objects, so that no type fits. */
export function toPlain(node: YamlNode): unknown {
  if (node.kind === 'seq') return node.items.map(toPlain);
  if (node.kind === 'map') {
    return Object.fromEntries(
      node.entries.map((entry) => [scalarText(entry.key), toPlain(entry.value)]),
    );
  }
  return typeof node.value === 'bigint' ? Number(node.value) : node.value;
}

/** Gives the text of a scalar under a key; null where there is none. */
export function textOf(map: MapNode, key: string): string | null {
  const node = getEntry(map, key)?.value;
  return node?.kind === 'scalar' && node.value !== null ? scalarText(node.value) : null;
}

/** Gives the text of a scalar; an empty one for maps and lists. */
export function nodeText(node: YamlNode): string {
  return node.kind === 'scalar' ? scalarText(node.value) : '';
}
