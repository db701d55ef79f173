// Is there a value already? The effective value counts, in whatever file it stands.
import type { Layer, Lookup } from '../ansible/layer.ts';
import type { VariablePath } from '../definitions/types.ts';
import { formatPosition, InputError, type Position } from '../errors.ts';
import { checkEnvelope } from '../vault/envelope.ts';
import { describeType, getEntry, scalarText, type YamlNode } from '../yaml/node.ts';
import type { LocatedService, Presence } from './types.ts';

/** Texts that people and documentation leave in the place of a token. */
const PLACEHOLDER = /^(?:|todo|generate_token|[a-z0-9_ -]*_here)$/i;

const PURE_REFERENCE = /^\s*\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}\s*$/;

/** Variables that refer to each other in a circle are a fault of `resolve`; this only ends. */
const LONGEST_CHAIN = 50;

interface ChainEnd {
  /** Where a value would have to be written to be seen. */
  readonly write: VariablePath;
  readonly node: YamlNode | null;
  /** Where the value stands. */
  readonly layer: Layer | null;
  readonly closed: readonly string[];
}

/**
 * Gives what is known of the value that a variable has on the host of a service.
 * Throws InputError (E_TOKEN_VALUE, E_REFERENCE, E_TEMPLATE) for what can be no token.
 */
export function findPresence(located: LocatedService, path: VariablePath): Presence {
  const end = followChain(located, path);
  if (end.node === null) {
    return end.closed.length > 0
      ? { kind: 'unknown', closed: end.closed }
      : { kind: 'missing', write: end.write };
  }
  return judge(located, end.node, end);
}

/** Follows `{{ name }}` to the variable at the end: it is the one to be written. */
function followChain(located: LocatedService, path: VariablePath): ChainEnd {
  let write = path;
  for (let step = 0; step < LONGEST_CHAIN; step++) {
    const { node, layer, closed } = valueAt(located, write);
    const next = node === null ? null : pureReference(node);
    if (next === null) return { write, node, layer, closed };
    write = [next];
  }
  return { write, ...valueAt(located, path), closed: [] };
}

/** Gives the variable at the end of a chain of references. Throws InputError (E_TOKEN_VALUE). */
export function findEnd(located: LocatedService, path: VariablePath): VariablePath {
  return followChain(located, path).write;
}

function pureReference(node: YamlNode): string | null {
  if (node.kind !== 'scalar' || node.tag !== undefined || typeof node.value !== 'string')
    return null;
  return PURE_REFERENCE.exec(node.value)?.[1] ?? null;
}

function valueAt(located: LocatedService, [name, ...keys]: VariablePath): Omit<ChainEnd, 'write'> {
  const { found, closed } = lookup(located, name);
  let node: YamlNode | null = found?.entry.value ?? null;
  for (const key of keys) {
    if (node === null || isNothing(node)) return { node: null, layer: null, closed: [] };
    if (node.kind !== 'map') throw new InputError(notAMap(name, node, node.at));
    node = getEntry(node, key)?.value ?? null;
  }
  return { node, layer: found?.layer ?? null, closed: found === null ? closed : [] };
}

/** A key without a value, where a map is wanted, is a map that nobody has filled yet. */
function isNothing(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

/** A file that Ansible does not load for the host decides by itself, as if loaded last. */
function lookup(located: LocatedService, name: string): Lookup {
  const { unloaded } = located.target;
  if (unloaded === undefined) return located.definition.host.lookup(name);
  const { layer } = unloaded;
  const entry = layer?.vars?.get(name);
  if (layer === null || entry === undefined) {
    return { found: null, closed: layer?.vars === null ? [layer.file] : [] };
  }
  return { found: { entry, layer }, closed: [] };
}

function judge(located: LocatedService, node: YamlNode, end: ChainEnd): Presence {
  const resolved = located.definition.host.resolve(node);
  switch (resolved.kind) {
    case 'found':
      return judgeValue(resolved.node, end);
    case 'text':
      return { kind: 'present', node, layer: end.layer, name: end.write[0] };
    case 'undefined':
      if (resolved.closed.length > 0) return { kind: 'unknown', closed: resolved.closed };
      throw new InputError({
        code: 'E_REFERENCE',
        at: resolved.at,
        found: `a token made from '${resolved.name}', which is not defined`,
        wanted: 'a reference like "{{ name }}" alone, which then names the variable to fill',
      });
    case 'template':
      return judgeRendered(located, node, end, resolved.at);
    case 'cycle':
      throw new InputError({
        code: 'E_REFERENCE',
        at: resolved.at,
        found: `variables that refer to each other in a circle: ${resolved.names.join(' → ')}`,
      });
  }
}

function judgeValue(node: YamlNode, { write, layer }: ChainEnd): Presence {
  const present: Presence = { kind: 'present', node, layer, name: write[0] };
  if (node.kind !== 'scalar') throw new InputError(noToken(node));
  if (node.tag === 'vault') {
    checkEnvelope(scalarText(node.value), node.at);
    return present;
  }
  if (node.value === null) return { kind: 'placeholder', write, at: node.at };
  if (typeof node.value !== 'string') throw new InputError(noToken(node));
  return PLACEHOLDER.test(node.value.trim())
    ? { kind: 'placeholder', write, at: node.at }
    : present;
}

/** Where Ansible is at hand, it says whether there is a token; where a new one belongs, nobody can. */
function judgeRendered(
  located: LocatedService,
  node: YamlNode,
  end: ChainEnd,
  at: Position,
): Presence {
  const rendered = located.definition.host.play?.render(node);
  const presence = rendered?.kind === 'value' ? judgeValue(rendered.node, end) : null;
  if (presence?.kind === 'present') return presence;
  throw new InputError({
    code: 'E_TEMPLATE',
    at,
    found: 'a token that comes out of Jinja other than plain references',
    wanted: 'a token, a reference like "{{ name }}", or no value',
  });
}

/** Says why a value counts as missing. */
export function describeMissing(presence: Presence, path: VariablePath): string {
  const name = path.join(' → ');
  if (presence.kind === 'placeholder') {
    return `only a placeholder for ${name} at ${formatPosition(presence.at)}`;
  }
  return `${name} has no value`;
}

function noToken(node: YamlNode): ConstructorParameters<typeof InputError>[0] {
  return {
    code: 'E_TOKEN_VALUE',
    at: node.at,
    found: `${describeType(node)} in the place of a token`,
    wanted: 'a string, or no value so that one is written',
  };
}

function notAMap(
  name: string,
  node: YamlNode,
  at: Position,
): ConstructorParameters<typeof InputError>[0] {
  return {
    code: 'E_TOKEN_VALUE',
    at,
    found: `${describeType(node)} on the way to a token in '${name}'`,
    wanted: 'a map, as the path in `variables` says',
  };
}
