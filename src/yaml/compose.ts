// From the YAML package's document to data nodes, by the rules of Ansible's loader where they
// differ from YAML 1.2: what scalars mean, which tags there are, how `<<` merges, which keys are
// the same. What the loader takes, but nobody could want, is refused.
import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { Alias, Node, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import type { Fault } from '../errors.ts';
import { DEEPEST, duplicateKey, MOST_FAULTS, QUOTE_JINJA, yamlFault } from './faults.ts';
import { checkPair, checkScalarSyntax, scalarText } from './libyaml.ts';
import type { Wrong } from './libyaml.ts';
import { keyIdentity, mergeEntries } from './merge.ts';
import type { MapEntry, ScalarNode, YamlNode } from './node.ts';
import type { Locate } from './position.ts';
import { resolvePlain } from './scalar.ts';
import type { ScalarMeaning } from './scalar.ts';
import { isUnsupported, resolveTagged } from './tags.ts';

/** More values than this, counting each alias in full, is a bomb and no vars file. */
const MOST_VALUES = 1_000_000;

const ANCHOR_NAME = /^[A-Za-z0-9_-]+$/;
const COLLECTION_TAGS = { map: 'tag:yaml.org,2002:map', seq: 'tag:yaml.org,2002:seq' };
const STR_TAG = 'tag:yaml.org,2002:str';

const NO_MAP = {
  found: 'a << whose value is no map',
  fix: 'name a map by its alias, as in "<<: *name"',
};

interface Anchor {
  /** Null while its own value is still being read. */
  readonly node: YamlNode | null;
  readonly size: number;
  readonly unsafe: boolean;
}

interface Composition {
  readonly text: string;
  readonly locate: Locate;
  readonly faults: Fault[];
  readonly anchors: Map<string, Anchor>;
  /** Values so far, each alias counted in full. */
  count: number;
}

interface Scope {
  readonly unsafe: boolean;
  /** Inside [ ] or { }. */
  readonly flow: boolean;
  readonly depth: number;
}

/** Makes data nodes of a document's contents. What is wrong is added to `faults`. */
export function compose(root: Node, text: string, locate: Locate, faults: Fault[]): YamlNode {
  const composition: Composition = { text, locate, faults, anchors: new Map(), count: 0 };
  return toNode(composition, root, { unsafe: false, flow: false, depth: 0 });
}

function toNode(composition: Composition, node: Node, scope: Scope): YamlNode {
  if (isAlias(node)) return followAlias(composition, node, scope);
  if (node.anchor === undefined) return toValue(composition, node, scope);
  const { anchors, count } = composition;
  const name = node.anchor;
  if (scope.unsafe) refuse(composition, node, 'an anchor inside a value tagged !unsafe');
  if (anchors.has(name)) refuse(composition, node, 'an anchor whose name is taken already');
  if (!ANCHOR_NAME.test(name)) refuse(composition, node, 'an anchor that is no plain word');
  const unsafe = node.tag === '!unsafe';
  anchors.set(name, { node: null, size: 0, unsafe });
  const value = toValue(composition, node, scope);
  anchors.set(name, { node: value, size: composition.count - count, unsafe });
  return value;
}

function followAlias(composition: Composition, alias: Alias, scope: Scope): YamlNode {
  const anchor = composition.anchors.get(alias.source);
  if (scope.unsafe) return refuse(composition, alias, 'an alias inside a value tagged !unsafe');
  if (anchor === undefined)
    return refuse(composition, alias, 'an alias without an anchor above it');
  if (anchor.node === null) return refuse(composition, alias, 'an alias inside its own anchor');
  composition.count += anchor.size;
  if (composition.count <= MOST_VALUES) return anchor.node;
  return refuse(composition, alias, 'aliases that make more than a million values');
}

function toValue(composition: Composition, node: Exclude<Node, Alias>, scope: Scope): YamlNode {
  composition.count += 1;
  if (isScalar(node)) return toScalar(composition, node, scope);
  if (scope.depth >= DEEPEST) return refuse(composition, node, 'maps and lists nested too deeply');
  const inside = {
    unsafe: scope.unsafe || node.tag === '!unsafe',
    flow: scope.flow || node.flow === true,
    depth: scope.depth + 1,
  };
  const kind = isSeq(node) ? 'seq' : 'map';
  if (node.tag !== undefined && node.tag !== '!unsafe' && node.tag !== COLLECTION_TAGS[kind]) {
    refuseTag(composition, node, node.tag);
  }
  return isMap(node) ? toMap(composition, node, inside) : toSeq(composition, node, inside);
}

function toSeq(composition: Composition, node: YAMLSeq, scope: Scope): YamlNode {
  const items = node.items.map((item) => toNode(composition, item as Node, scope));
  return { kind: 'seq', at: composition.locate(startOf(node)), items };
}

function toScalar(composition: Composition, node: Scalar, scope: Scope): ScalarNode {
  const at = composition.locate(startOf(node));
  const wrong = checkScalarSyntax(node, composition.text, { flow: scope.flow });
  if (wrong !== null) refuse(composition, node, wrong.found, wrong.fix);
  const found = meaningOf(composition, node);
  if (scope.unsafe && typeof found.value === 'string' && !('tag' in found)) {
    return { kind: 'scalar', at, value: found.value, tag: 'unsafe' };
  }
  return { kind: 'scalar', at, ...found };
}

function meaningOf(composition: Composition, node: Scalar): ScalarMeaning {
  const text = scalarText(node, composition.text);
  if (node.tag === undefined && node.type !== 'PLAIN') return { value: text };
  const found = node.tag === undefined ? resolvePlain(text) : resolveTagged(node.tag, text);
  if (found === undefined) return refuseTag(composition, node, node.tag ?? '');
  return found ?? refuse(composition, node, 'a value that Ansible cannot read', 'put it in quotes');
}

function toMap(composition: Composition, node: YAMLMap, scope: Scope): YamlNode {
  const own = new Map<string, MapEntry>();
  const merged: (readonly MapEntry[])[] = [];
  for (const pair of node.items as Pair<Node, Node | null>[]) {
    if (isMergeKey(pair.key)) merged.push(...readMerge(composition, pair, scope));
    else addEntry(composition, own, toEntry(composition, pair, scope));
  }
  const at = composition.locate(startOf(node));
  if (merged.length === 0) return { kind: 'map', at, entries: [...own.values()] };
  const entries = mergeEntries([...merged, [...own.values()]], (entry) => {
    composition.faults.push(
      yamlFault(entry.at, 'a key that is the same as a merged one to Python'),
    );
  });
  composition.count += entries.length;
  return { kind: 'map', at, entries };
}

function isMergeKey(key: Node): boolean {
  return isScalar(key) && key.type === 'PLAIN' && key.tag === undefined && key.value === '<<';
}

/** Gives the maps to merge; of several in a list, the first counts most and so comes last. */
function readMerge(
  composition: Composition,
  pair: Pair<Node, Node | null>,
  scope: Scope,
): (readonly MapEntry[])[] {
  const faultsBefore = composition.faults.length;
  const value = toPairValue(composition, pair, scope);
  if (isTaggedUnsafe(composition, pair.value)) {
    refuse(composition, pair.key, 'a << whose value is tagged !unsafe');
  }
  if (composition.faults.length > faultsBefore) return [];
  const nodes = value.kind === 'seq' ? value.items.toReversed() : [value];
  const maps = nodes.filter((node) => node.kind === 'map');
  if (maps.length < nodes.length) refuse(composition, pair.key, NO_MAP.found, NO_MAP.fix);
  return maps.map(({ entries }) => entries);
}

/** Whether Ansible still sees the tag after a merge depends on what it happened to read before. */
function isTaggedUnsafe({ anchors }: Composition, node: Node | null): boolean {
  const nodes = isSeq(node) ? [node, ...(node.items as Node[])] : [node];
  return nodes.some((one) =>
    isAlias(one) ? anchors.get(one.source)?.unsafe === true : one?.tag === '!unsafe',
  );
}

function toEntry(composition: Composition, pair: Pair<Node, Node | null>, scope: Scope): MapEntry {
  const wrong = checkPair(pair, composition.text);
  if (wrong !== null) refuseOnce(composition, pair.key, wrong);
  const key = toKey(composition, pair.key, scope);
  return { ...key, value: toPairValue(composition, pair, scope) };
}

function toPairValue(
  composition: Composition,
  { key, value }: Pair<Node, Node | null>,
  scope: Scope,
): YamlNode {
  if (value !== null) return toNode(composition, value, scope);
  return { kind: 'scalar', at: composition.locate(key.range?.[1] ?? 0), value: null };
}

function toKey(
  composition: Composition,
  node: Node,
  { flow }: Scope,
): Pick<MapEntry, 'at' | 'key'> {
  const at = composition.locate(startOf(node));
  if (isScalar(node) && node.type === 'PLAIN') {
    if (node.value === '=') return { at, key: '=' };
    if (node.value === '') refuse(composition, node, 'a colon without a key before it');
  }
  const isPlainKey = isAlias(node) || (isScalar(node) && [undefined, STR_TAG].includes(node.tag));
  const key = isPlainKey ? toNode(composition, node, { unsafe: false, flow, depth: 0 }) : null;
  if (key?.kind === 'scalar' && key.tag === undefined) return { at, key: key.value };
  refuse(composition, node, 'a key that is no plain value', QUOTE_JINJA);
  return { at, key: null };
}

function addEntry(composition: Composition, own: Map<string, MapEntry>, entry: MapEntry): void {
  const identity = keyIdentity(entry.key);
  const first = own.get(identity);
  if (first === undefined) own.set(identity, entry);
  else composition.faults.push(duplicateKey(entry.at, first.at));
}

function refuseTag(composition: Composition, node: Node, tag: string): ScalarNode {
  const found = 'a tag that Ansible does not know';
  if (!isUnsupported(tag)) return refuse(composition, node, found, 'use !vault, !unsafe or none');
  const at = composition.locate(startOf(node));
  const name = tag.replace(/^.*:/, '!!');
  composition.faults.push({ code: 'E_UNSUPPORTED', at, found: `the tag ${name}` });
  return { kind: 'scalar', at, value: null };
}

/** Notes a fault and gives a value to go on with, so that all faults of a file are found. */
function refuse(composition: Composition, node: Node, found: string, fix?: string): ScalarNode {
  const at = composition.locate(startOf(node));
  composition.faults.push(yamlFault(at, found, undefined, fix));
  return { kind: 'scalar', at, value: null };
}

/** What is wrong with a whole line is often found twice. */
function refuseOnce(composition: Composition, node: Node, wrong: Wrong): void {
  const { line } = composition.locate(startOf(node));
  if (composition.faults.length >= MOST_FAULTS) return;
  if (composition.faults.some(({ at }) => at?.line === line)) return;
  refuse(composition, node, wrong.found, wrong.fix);
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}
