// The part of Jinja that needs no Jinja: `{{ name }}`, `{{ a.b }}`, `{{ a['b'] }}`, alone (the
// value keeps its type, as in ansible-core 2.19 and later) or mixed with text. Everything whose
// outcome depends on more than that, or on Ansible's version, is answered with `template`.
import type { Position } from '../errors.ts';
import { getEntry } from '../yaml/node.ts';
import type { ScalarNode, YamlNode } from '../yaml/node.ts';
import type { Lookup } from './layer.ts';

export interface FoundValue {
  readonly kind: 'found';
  /** Of any type; a vault scalar is still closed, strings inside maps and lists are unresolved. */
  readonly node: YamlNode;
  /** The places passed, first the one asked for. */
  readonly trail: readonly Position[];
}

export interface FoundText {
  readonly kind: 'text';
  readonly at: Position;
  /** To be joined; a node among them is a vault scalar that is still to be decrypted. */
  readonly parts: readonly (string | ScalarNode)[];
  readonly trail: readonly Position[];
}

export type Resolved =
  | FoundValue
  | FoundText
  | {
      readonly kind: 'undefined';
      /** What no readable file defines, such as `a` or `a.b`. */
      readonly name: string;
      readonly at: Position;
      /** Closed vault files that might define it. */
      readonly closed: readonly string[];
    }
  | { readonly kind: 'template'; readonly at: Position }
  | { readonly kind: 'cycle'; readonly names: readonly string[]; readonly at: Position };

interface Reference {
  readonly name: string;
  readonly keys: readonly string[];
}

/** What was passed on the way to a value. */
interface Chase {
  readonly lookup: (name: string) => Lookup;
  readonly names: readonly string[];
  readonly nodes: readonly YamlNode[];
  readonly trail: readonly Position[];
  /** Shared by all branches: references that double at each step must not run for ever. */
  readonly budget: { left: number };
}

const MARKER = /\{\{|\{%|\{#/g;
const REFERENCE =
  /\{\{[ \t\n]*([A-Za-z_]\w*)((?:\.[A-Za-z_]\w*|\[(?:'[^'\\{}\n]*'|"[^"\\{}\n]*")\])*)[ \t\n]*\}\}/y;
const KEY = /\.(\w+)|\['([^']*)'\]|\["([^"]*)"\]/g;
const MOST_STEPS = 1000;

/** Words of Jinja's own, and variables that Ansible sets over the user's during a run. */
const NOT_FROM_FILES = new Set(
  (
    'true false none True False None and else if in is not or ' +
    'ansible_check_mode ansible_collection_name ansible_config_file ansible_dependent_role_names ' +
    'ansible_diff_mode ansible_facts ansible_forks ansible_inventory_sources ansible_limit ' +
    'ansible_play_batch ansible_play_hosts ansible_play_hosts_all ansible_play_name ' +
    'ansible_play_role_names ansible_playbook_python ansible_role_name ansible_role_names ' +
    'ansible_run_tags ansible_skip_tags ansible_verbosity ansible_version environment groups ' +
    'hostvars omit play_hosts role_name role_names role_path role_uuid vars'
  ).split(' '),
);

/** Attributes of a Python dict, which Jinja prefers to a key of the same name. */
const DICT_METHODS = new Set(
  'clear copy fromkeys get items keys pop popitem setdefault update values'.split(' '),
);

/**
 * Follows the references in a value, lazily: only what the value needs is looked at. Values that
 * hold none, `!unsafe` and vault scalars are found as they are.
 */
export function resolveNode(node: YamlNode, lookup: (name: string) => Lookup): Resolved {
  return resolve(node, { lookup, names: [], nodes: [], trail: [], budget: { left: MOST_STEPS } });
}

function resolve(node: YamlNode, before: Chase): Resolved {
  const chase = { ...before, trail: [...before.trail, node.at] };
  const found: FoundValue = { kind: 'found', node, trail: chase.trail };
  if (node.kind !== 'scalar' || node.tag !== undefined) return found;
  if (typeof node.value !== 'string' || node.value.search(MARKER) === -1) return found;
  if (before.nodes.includes(node)) return { kind: 'cycle', names: before.names, at: node.at };
  const pieces = before.budget.left-- > 0 ? splitReferences(node.value) : null;
  if (pieces === null) return { kind: 'template', at: node.at };
  const inside = { ...chase, nodes: [...chase.nodes, node] };
  const [first] = pieces;
  if (pieces.length === 1 && typeof first === 'object') return follow(first, node.at, inside);
  return joinPieces(pieces, node.at, inside);
}

/** Gives text and plain references in turn, or null where anything is not plainly plain. */
function splitReferences(text: string): (string | Reference)[] | null {
  // Jinja turns CR into LF and drops a newline at the end that Ansible puts back depending on the
  // value before it.
  if (text.includes('\r') || text.endsWith('\n')) return null;
  const pieces: (string | Reference)[] = [];
  let end = 0;
  for (;;) {
    MARKER.lastIndex = end;
    const start = MARKER.exec(text)?.index ?? text.length;
    if (start > end) pieces.push(text.slice(end, start));
    if (start === text.length) return pieces;
    REFERENCE.lastIndex = start;
    const match = REFERENCE.exec(text);
    if (match === null) return null;
    pieces.push({ name: match[1] ?? '', keys: splitKeys(match[2] ?? '') });
    end = REFERENCE.lastIndex;
  }
}

function splitKeys(path: string): string[] {
  return [...path.matchAll(KEY)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

function follow(reference: Reference, at: Position, before: Chase): Resolved {
  const { name, keys } = reference;
  if (NOT_FROM_FILES.has(name) || keys.some((key) => DICT_METHODS.has(key)))
    return { kind: 'template', at };
  const chase = { ...before, names: [...before.names, [name, ...keys].join('.')] };
  const { found, closed } = chase.lookup(name);
  if (found === null) return { kind: 'undefined', name, at, closed };
  let value = resolve(found.entry.value, chase);
  for (const [index, key] of keys.entries()) {
    if (value.kind !== 'found' && value.kind !== 'text') return value;
    const entry =
      value.kind === 'found' && value.node.kind === 'map' ? getEntry(value.node, key) : undefined;
    const path = [name, ...keys.slice(0, index + 1)].join('.');
    if (entry === undefined) return { kind: 'undefined', name: path, at, closed };
    value = resolve(entry.value, { ...chase, trail: value.trail });
  }
  return value;
}

function joinPieces(pieces: (string | Reference)[], at: Position, chase: Chase): Resolved {
  const parts: (string | ScalarNode)[] = [];
  const trail = [...chase.trail];
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      parts.push(piece);
      continue;
    }
    const value = follow(piece, at, { ...chase, trail: [] });
    if (value.kind !== 'found' && value.kind !== 'text') return value;
    const found = value.kind === 'text' ? value.parts : printNode(value.node);
    if (found === null) return { kind: 'template', at };
    parts.push(...found);
    trail.push(...value.trail);
  }
  const joined = joinStrings(parts);
  return readsAsData(joined)
    ? { kind: 'template', at }
    : { kind: 'text', at, parts: joined, trail };
}

/** Gives what Jinja prints for a value inside text; null where that is not plain. */
function printNode(node: YamlNode): (string | ScalarNode)[] | null {
  if (node.kind !== 'scalar') return null;
  if (node.tag === 'vault') return [node];
  const text = printScalar(node);
  return text === null ? null : [text];
}

function printScalar({ value, float }: ScalarNode): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') return float === true ? printFloat(value) : value.toString();
  return value === null ? null : value.iso.replace('T', ' ');
}

/** As Python's `repr`, for the range in which it writes no exponent. */
function printFloat(value: number): string | null {
  const size = Math.abs(value);
  if (!(size >= 1e-4 && size < 1e16)) return null;
  return Number.isInteger(value) ? `${value}.0` : value.toString();
}

function joinStrings(parts: readonly (string | ScalarNode)[]): (string | ScalarNode)[] {
  const joined: (string | ScalarNode)[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (typeof part === 'string' && typeof last === 'string') joined.splice(-1, 1, last + part);
    else joined.push(part);
  }
  return joined;
}

/** Before 2.19, Ansible turned a text that looks like Python data into that data. */
function readsAsData(parts: readonly (string | ScalarNode)[]): boolean {
  const [first] = parts;
  if (typeof first !== 'string') return false;
  return /^[[{]/.test(first) || (parts.length === 1 && /^(?:True|False)$/.test(first));
}
