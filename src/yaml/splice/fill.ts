// Goes along the paths of new data, and decides at each key what is to be done in the text.
import { isAlias, isMap, isScalar } from 'yaml';
import type { Node, YAMLMap } from 'yaml';
import { isNewMap } from '../new-data.ts';
import type { NewMap, NewValue } from '../new-data.ts';
import { getEntry, scalarText } from '../node.ts';
import type { MapEntry, MapNode, YamlNode } from '../node.ts';
import { addLines, addToBlock, openBlock, openPlace, replaceInBlock } from './block.ts';
import type { BlockPlace } from './block.ts';
import { addToFlow, replaceInFlow } from './flow.ts';
import { endOfItem, startOfItem, startOfLine, startOfNextLine } from './places.ts';
import type { Refusal } from './refusals.ts';
import { isShared, tokensOf } from './source.ts';
import type { Source, SourcePair } from './source.ts';
import { placeComment, refuse, replace, replaceLines } from './work.ts';
import type { Work } from './work.ts';

/** An end mark; what looks like one inside a value is always indented. */
const END_MARK = /^\.\.\.(?=\s|$)/gm;

const EMPTY_BRACES = /^\{[ \t]*\}$/;

/** Puts new data into a whole file, of which `old` is what it holds. */
export function fillRoot(work: Work, old: YamlNode | null, data: NewMap): void {
  const { contents, text, isJson } = work.source;
  const problem = contents === null ? null : findMapProblem(work.source, contents);
  const marks = [...text.matchAll(END_MARK)].map(({ index }) => index);
  const end = marks.find((index) => index >= (contents?.range?.[1] ?? 0)) ?? text.length;
  if (contents === null || isNothing(contents)) {
    addLines(work, [end, end], data, { column: 0 });
  } else if (problem !== null || !isMap(contents) || old?.kind !== 'map') {
    refuse(work, startOf(contents), problem ?? 'TOP');
  } else if (!isJson && isEmptyBraces(work, contents)) {
    openRoot(work, contents, end, data);
  } else {
    fillMap(work, contents, old, data, { outer: null, end });
  }
}

function isNothing(node: Node): boolean {
  return isScalar(node) && [node.srcToken, node.tag, node.anchor].every((one) => one === undefined);
}

/** Makes a block map of a file that holds nothing but `{}`. */
function openRoot(work: Work, map: YAMLMap, end: number, data: NewMap): void {
  const { text } = work.source;
  const [start, stop] = spanOf(map);
  const line = [startOfLine(text, start), startOfNextLine(text, stop)] as const;
  if (text.slice(...line).trim() === text.slice(start, stop)) {
    addLines(work, line, data, { column: 0 });
  } else {
    replace(work, start, stop, '');
    addLines(work, [end, end], data, { column: 0 });
  }
}

interface Surroundings {
  readonly outer: BlockPlace | null;
  /** Where new keys go, if not behind the last entry. */
  readonly end?: number;
}

function fillMap(
  work: Work,
  map: YAMLMap,
  old: MapNode,
  data: NewMap,
  { outer, end }: Surroundings,
): void {
  const place = map.flow === true ? null : openPlace(work.source, map, outer);
  const missing = new Map<string, NewValue | NewMap>();
  for (const [key, value] of data) {
    const found = findPair(work, map, old, key);
    if (found === undefined) missing.set(key, value);
    else if (found !== null) fillPair(work, place, found, value);
  }
  if (missing.size === 0) return;
  if (place === null) addToFlow(work, map, missing);
  else addToBlock(work, place, missing, end);
}

interface FoundPair {
  readonly pair: SourcePair;
  readonly old: YamlNode;
}

/** Gives the pair of a key, undefined where there is none, null where it is refused. */
function findPair(
  work: Work,
  map: YAMLMap,
  old: MapNode,
  key: string,
): FoundPair | undefined | null {
  const entry = getEntry(old, key);
  const twin = entry === undefined ? findTwin(work.source, map, old, key) : undefined;
  if (entry === undefined && twin === undefined) return undefined;
  const pair = twin ?? findAt(work.source, map, entry);
  if (pair === undefined) refuse(work, startOf(map), 'MERGED');
  else if (entry === undefined) refuse(work, startOf(pair.key), 'KEY_TYPE');
  else return { pair, old: entry.value };
  return null;
}

/** Gives the pair whose key looks like this string, but is none. */
function findTwin(source: Source, map: YAMLMap, old: MapNode, key: string): SourcePair | undefined {
  const entry = old.entries.find(
    (one) => typeof one.key !== 'string' && scalarText(one.key) === key,
  );
  const isSpelt = (pair: SourcePair): boolean => source.text.slice(...spanOf(pair.key)) === key;
  return findAt(source, map, entry) ?? (map.items as SourcePair[]).find(isSpelt);
}

function findAt(
  { locate }: Source,
  map: YAMLMap,
  entry: MapEntry | undefined,
): SourcePair | undefined {
  if (entry === undefined) return undefined;
  const { line, column } = entry.at;
  return (map.items as SourcePair[]).find(({ key }) => {
    const at = locate(startOf(key));
    return at.line === line && at.column === column;
  });
}

function fillPair(
  work: Work,
  place: BlockPlace | null,
  { pair, old }: FoundPair,
  data: NewValue | NewMap,
): void {
  const problem = findProblem(work, pair, old, data);
  if (problem !== null) return refuse(work, startOfValue(pair), problem);
  const { value } = pair;
  if (isNewMap(data) && isMap(value) && old.kind === 'map') {
    if (place !== null && value.flow === true) {
      if (isEmptyBraces(work, value)) return openBlock(work, place, pair, data);
      placeCommentBeside(work, pair);
    }
    return fillMap(work, value, old, data, { outer: place });
  }
  if (place === null) return replaceInFlow(work, pair, data);
  return isNewMap(data) ? openBlock(work, place, pair, data) : replaceInBlock(work, pair, data);
}

function findProblem(
  { source }: Work,
  { value }: SourcePair,
  old: YamlNode,
  data: NewValue | NewMap,
): Refusal | null {
  const problem = value === null ? null : findMapProblem(source, value);
  if (problem !== null) return problem;
  if (!isNewMap(data)) return old.kind === 'scalar' ? null : 'VALUE';
  const isNull = old.kind === 'scalar' && old.value === null;
  if (old.kind !== 'map' && !isNull) return 'WAY';
  return isAlias(value) && !isNull ? 'ALIAS' : null;
}

function findMapProblem(source: Source, node: Node): Refusal | null {
  if (isShared(source, node)) return 'SHARED';
  return isMap(node) && node.tag === '!unsafe' ? 'UNSAFE_MAP' : null;
}

/** What stands between braces cannot have the comment on a line of its own. */
function placeCommentBeside(work: Work, pair: SourcePair): void {
  const { text } = work.source;
  const item = tokensOf(pair);
  const below = placeComment(work, startOfItem(item));
  const next = startOfNextLine(text, endOfItem(item, 0));
  if (below.length > 0) replaceLines(work, [next, next], below);
}

function isEmptyBraces({ source }: Work, map: YAMLMap): boolean {
  return map.flow === true && EMPTY_BRACES.test(source.text.slice(...spanOf(map)));
}

/** Gives where a value begins, its anchor and tag included. */
function startOfValue(pair: SourcePair): number {
  const { sep = [] } = tokensOf(pair);
  const first = sep.find(({ type }) => type === 'anchor' || type === 'tag');
  return first?.offset ?? startOf(pair.value ?? pair.key);
}

function spanOf(node: Node): [start: number, end: number] {
  const [start, end] = node.range ?? [0, 0];
  return [start, end];
}

function startOf(node: Node): number {
  return spanOf(node)[0];
}
