// New data in block maps: one key a line, values behind their keys or on deeper lines below them.
import type { CST, YAMLMap } from 'yaml';
import type { NewMap, NewValue } from '../new-data.ts';
import { formatBlock, formatBlockValue } from '../write.ts';
import {
  columnOf,
  endOfItem,
  endOfMap,
  endOfToken,
  marginBefore,
  partsOf,
  startOfItem,
  startOfLine,
  startOfNextLine,
} from './places.ts';
import { tokenOf, tokensOf } from './source.ts';
import type { Source, SourcePair } from './source.ts';
import { placeComment, replace, replaceLines, takeComment } from './work.ts';
import type { Work } from './work.ts';

/** Where there is no inner map to learn from. */
const USUAL_STEP = 2;

/** A block map with what its place tells of the file's manner. */
export interface BlockPlace {
  readonly map: YAMLMap;
  /** Where its keys begin, from 0. */
  readonly column: number;
  /** How many spaces more an inner map gets. */
  readonly step: number;
}

/** Looks at a block map that stands in `outer`. */
export function openPlace({ text }: Source, map: YAMLMap, outer: BlockPlace | null): BlockPlace {
  const pairs = map.items as SourcePair[];
  const [first] = pairs;
  if (first === undefined) throw new TypeError('a block map without entries');
  const column = columnOf(text, startOfItem(tokensOf(first)));
  const inner = pairs.map((pair) => tokensOf(pair).value).find((one) => one?.type === 'block-map');
  const deeper = inner?.items[0];
  if (deeper !== undefined)
    return { map, column, step: columnOf(text, startOfItem(deeper)) - column };
  return { map, column, step: outer === null ? USUAL_STEP : column - outer.column };
}

/** Puts keys behind the last entry of a block map; `at`: where its lines end. */
export function addToBlock(work: Work, place: BlockPlace, data: NewMap, at?: number): void {
  const { text } = work.source;
  const next = startOfNextLine(text, endOfToken(tokenOf(place.map)));
  const end = at ?? endOfMap(text, next, place.column);
  addLines(work, [end, end], data, place);
}

/** Puts the lines of a map into the place of those from `start` to `end`, the comment above them. */
export function addLines(
  work: Work,
  [start, end]: readonly [number, number],
  data: NewMap,
  { column, step = USUAL_STEP }: { readonly column: number; readonly step?: number },
): void {
  const margin = marginBefore(work.source.text, end);
  const lines = formatBlock(data, { indent: column, step, margin });
  replaceLines(work, [start, end], [...takeComment(work, column), ...lines]);
}

/** Makes a block map of a key that has no value, `null` or `{}`. */
export function openBlock(work: Work, outer: BlockPlace, pair: SourcePair, data: NewMap): void {
  const { text } = work.source;
  const item = tokensOf(pair);
  const next = startOfNextLine(text, endOfItem(item, 0));
  const isMap = item.value?.type === 'flow-collection';
  if (!isMap) removeTags(work, item);
  if (item.value !== undefined) {
    const { offset } = item.value;
    const hasTag = item.sep?.some(({ type }) => type === 'tag') === true;
    const before = hasTag ? offset : text.slice(0, offset).trimEnd().length;
    replace(work, Math.max(before, startOfLine(text, offset)), endOfToken(item.value), '');
  }
  const column = outer.column + outer.step;
  const end = endOfMap(text, next, outer.column + 1);
  addLines(work, [end, end], data, { column, step: outer.step });
}

/** Puts a value in the place of the one that a key has, or of none. */
export function replaceInBlock(work: Work, pair: SourcePair, data: NewValue): void {
  const { text } = work.source;
  const item = tokensOf(pair);
  const column = columnOf(text, startOfItem(item));
  const place = placeOfValue(text, item);
  const margin = marginBefore(text, place.lines[1]);
  const { head, lines } = formatBlockValue(data, { indent: column, margin });
  removeTags(work, item);
  replace(work, ...place.head, place.glue + head);
  const below = placeComment(work, startOfItem(item));
  replaceLines(work, place.lines, [...lines, ...below]);
}

interface ValuePlace {
  readonly head: readonly [start: number, end: number];
  /** What has to stand before the head. */
  readonly glue: string;
  /** The lines below the head. */
  readonly lines: readonly [start: number, end: number];
}

function placeOfValue(text: string, item: CST.CollectionItem): ValuePlace {
  const { value } = item;
  if (value === undefined) {
    const end = endBeforeValue(item);
    const next = startOfNextLine(text, end);
    return { head: [end, end], glue: ' ', lines: [next, next] };
  }
  if (value.type === 'block-scalar') {
    const { header, body } = partsOf(value);
    return { head: header, glue: '', lines: body };
  }
  const end = endOfToken(value);
  const next = startOfNextLine(text, end);
  return { head: [value.offset, end], glue: '', lines: [next, next] };
}

/** Gives the offset behind the colon, or the anchor that follows it. */
function endBeforeValue({ sep = [] }: CST.CollectionItem): number {
  const last = sep.findLast(({ type }) => type === 'map-value-ind' || type === 'anchor');
  if (last === undefined) throw new TypeError('a block pair without a colon');
  return last.offset + last.source.length;
}

/** The tag of an old value does not fit the new one. */
export function removeTags(work: Work, { sep = [] }: CST.CollectionItem): void {
  for (const { type, offset, source } of sep) {
    if (type !== 'tag') continue;
    const gap = /^ */.exec(work.source.text.slice(offset + source.length))?.[0].length ?? 0;
    replace(work, offset, offset + source.length + gap, '');
  }
}
