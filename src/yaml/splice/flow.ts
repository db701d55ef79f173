// New data between braces, in YAML and in JSON. Here everything stands on one line.
import type { CST, YAMLMap } from 'yaml';
import type { NewMap, NewValue } from '../new-data.ts';
import { formatFlow, formatFlowEntries } from '../write.ts';
import { removeTags } from './block.ts';
import { closingOf, endOfItem, endOfToken, startOfLine, startOfNextLine } from './places.ts';
import { tokenOf, tokensOf } from './source.ts';
import type { SourcePair } from './source.ts';
import { replace } from './work.ts';
import type { Work } from './work.ts';

/** Puts a value, or a map, in the place of the value of a key. */
export function replaceInFlow(work: Work, pair: SourcePair, data: NewValue | NewMap): void {
  const item = tokensOf(pair);
  const { value } = item;
  const text = formatFlow(data, styleOf(work));
  removeTags(work, item);
  if (value !== undefined && endOfToken(value) > value.offset) {
    replace(work, value.offset, endOfToken(value), text);
    return;
  }
  const colon = item.sep?.find(({ type }) => type === 'map-value-ind');
  const end = endOfFlowPair(item);
  replace(work, end, end, colon === undefined ? `: ${text}` : ` ${text}`);
}

/** Puts keys behind the last entry of a map between braces. */
export function addToFlow(work: Work, map: YAMLMap, data: NewMap): void {
  const { text } = work.source;
  const token = tokenOf(map);
  if (token.type !== 'flow-collection') throw new TypeError('no map between braces');
  const entries = formatFlowEntries(data, styleOf(work));
  const last = token.items.findLast((item) => item.key != null);
  if (last === undefined) {
    replace(work, token.start.offset + 1, token.start.offset + 1, entries.join(', '));
    return;
  }
  const end = endOfFlowPair(last);
  const comma = token.items.at(-1)?.start.findLast(({ type }) => type === 'comma');
  const behind = comma !== undefined && comma.offset >= end ? comma.offset + 1 : end;
  if (behind === end) replace(work, end, end, ',');
  const own = ownLine(text, last, behind, closingOf(token));
  if (own === null) replace(work, behind, behind, ` ${entries.join(', ')}`);
  else replace(work, own.at, own.at, own.margin + entries.join(`,${own.margin}`));
}

function styleOf({ source }: Work): 'yaml' | 'json' {
  return source.isJson ? 'json' : 'yaml';
}

/** Gives the offset behind a pair that stands between braces. */
function endOfFlowPair(item: CST.CollectionItem): number {
  return endOfItem({ ...item, start: [] }, 0);
}

/** Where each key has a line of its own, a new one gets one, too: behind the comment on the last. */
function ownLine(
  text: string,
  last: CST.CollectionItem,
  behind: number,
  close: number,
): { at: number; margin: string } | null {
  const start = last.key?.offset ?? 0;
  const margin = text.slice(startOfLine(text, start), start);
  const next = startOfNextLine(text, behind);
  if (margin.trim() !== '' || next > close) return null;
  const newline = text[next - 2] === '\r' ? '\r\n' : '\n';
  return { at: next - newline.length, margin: newline + margin };
}
