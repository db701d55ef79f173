// What of a file belongs to services.
import { readText } from '../ansible/text-file.ts';
import type { VariablePath } from '../definitions/types.ts';
import { isOurs, parseSessions } from '../store/text.ts';
import { isEnvelope } from '../vault/envelope.ts';
import { scalarText, type ScalarNode, type YamlNode } from '../yaml/node.ts';
import { parseYaml } from '../yaml/parse.ts';
import type { Candidate, HeldFile, Holder, Sealed, Value } from './types.ts';

/** Opens a whole encrypted file. */
export type OpenFile = (envelope: string, file: string) => Promise<string>;

/** Reads a file; null where nothing vaulted in it belongs to a service. Throws InputError. */
export async function readHeld(candidate: Candidate, openFile: OpenFile): Promise<HeldFile | null> {
  const { path, shown } = candidate;
  const text = readText(path, shown);
  const isWhole = isEnvelope(text);
  const plain = isWhole ? await openFile(text, shown) : text;
  const leaves = [...leavesOf(parseYaml(plain, shown), [])];
  const holders = candidate.holders.flatMap((holder) => knownHolder(holder, plain));
  const fit = leaves.filter(({ node }) => isWhole || node.tag === 'vault');
  const owned = fit.map((leaf) => ({ leaf, owners: ownersOf(leaf, holders) }));
  const values = owned.flatMap(({ leaf, owners }) => owners.map((holder) => ({ leaf, holder })));
  if (values.length === 0) return null;
  const strangers = owned.filter(({ owners }) => owners.length === 0).map(({ leaf }) => leaf);
  return {
    path,
    shown,
    text,
    sealed: isWhole ? [wholeFile(values, text, shown)] : inlineValues(values),
    stranger: isWhole ? (strangers[0]?.path.join('.') ?? null) : null,
    others: isWhole ? 0 : strangers.length,
  };
}

/** A value at the end of a path through maps; what stands in lists has no path of its own. */
interface Leaf {
  readonly path: readonly string[];
  readonly node: ScalarNode;
}

interface OwnedLeaf {
  readonly leaf: Leaf;
  readonly holder: Holder;
}

function* leavesOf(node: YamlNode | null, path: readonly string[]): Generator<Leaf> {
  if (node?.kind === 'map') {
    for (const { key, value } of node.entries) yield* leavesOf(value, [...path, scalarText(key)]);
  } else if (node?.kind === 'seq') {
    for (const [index, item] of node.items.entries()) yield* leavesOf(item, [...path, `${index}`]);
  } else if (node !== null) {
    yield { path, node };
  }
}

/** A file in our folder is ours if it says so; it also says whose values it holds. */
function knownHolder(holder: Holder, plain: string): Holder[] {
  if (holder.paths !== 'all') return [holder];
  if (!isOurs(plain)) return [];
  return [{ ...holder, userId: parseSessions(plain).get(holder.service)?.userId ?? null }];
}

/** Several hosts may share a value of a group; a service counts once for each of them. */
function ownersOf(leaf: Leaf, holders: readonly Holder[]): readonly Holder[] {
  const owners = new Map<string, Holder>();
  for (const holder of holders.filter((one) => wants(one, leaf))) {
    const key = JSON.stringify([holder.host, holder.service]);
    const userId = owners.get(key)?.userId ?? holder.userId;
    owners.set(key, { ...holder, userId });
  }
  return [...owners.values()];
}

function wants({ paths }: Holder, { path }: Leaf): boolean {
  return paths === 'all' || paths.some((one) => isSamePath(one, path));
}

function isSamePath(one: VariablePath, two: readonly string[]): boolean {
  return one.length === two.length && one.every((part, index) => part === two[index]);
}

function wholeFile(values: readonly OwnedLeaf[], envelope: string, file: string): Sealed {
  const at = { file, line: 1, column: 1 };
  return { node: null, at, envelope, values: values.map(toValue) };
}

/** An alias repeats a value: the envelope stands there only once. */
function inlineValues(values: readonly OwnedLeaf[]): Sealed[] {
  const sealed = new Map<string, Sealed>();
  for (const one of values) {
    const { node } = one.leaf;
    const place = `${node.at.line}:${node.at.column}`;
    const known = sealed.get(place)?.values ?? [];
    const envelope = scalarText(node.value);
    sealed.set(place, { node, at: node.at, envelope, values: [...known, toValue(one)] });
  }
  return [...sealed.values()];
}

function toValue({ leaf, holder }: OwnedLeaf): Value {
  return { holder, name: leaf.path.join('.'), at: leaf.node.at };
}
