// Puts new values into a vars file that somebody keeps by hand, without touching a byte of what else
// stands in it. A parsed document is never printed back: that would turn `0644` into `644` and move
// comments. Instead the places are found in the text, and what comes out is read again.
import { InputError } from '../errors.ts';
import { withNewData } from './new-data.ts';
import type { NewMap } from './new-data.ts';
import type { YamlNode } from './node.ts';
import { BYTE_ORDER_MARK, parseYaml } from './parse.ts';
import { isSameData } from './same-data.ts';
import { replaceComment } from './splice/comment.ts';
import { applyEdits } from './splice/edits.ts';
import { fillRoot } from './splice/fill.ts';
import { refusal } from './splice/refusals.ts';
import { openSource } from './splice/source.ts';
import type { Work } from './splice/work.ts';

export interface Splice {
  readonly file: string;
  readonly data: NewMap;
  /** A line to stand beside the first value. */
  readonly comment: string;
  /** What an older comment begins with that the new one replaces. */
  readonly olderComment: string;
}

/**
 * Gives the text of a vars file with new values: each in the place of the one that stands under its
 * keys, or behind the last entry of the map there. Nothing else changes, which is proved by reading
 * the result.
 * @throws InputError E_YAML if the file cannot be read, E_NO_SAFE_SPLICE with every reason for which
 * there is no safe place.
 */
export function spliceValues(text: string, splice: Splice): string {
  const { file, data } = splice;
  const old = parseYaml(text, file);
  const body = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  const source = openSource(body, { file, hasMark: body !== text });
  if (source === null) throw new InputError(refusal('JSON', { file, line: 1, column: 1 }));
  const work: Work = { source, edits: [], faults: [], comment: splice.comment };
  replaceComment(work, splice);
  fillRoot(work, old, data);
  if (work.faults.length > 0) throw new InputError(work.faults);
  const result = text.slice(0, text.length - body.length) + applyEdits(body, work.edits);
  if (!holdsExactly(result, { file, old, data })) throw new InputError(unproved(work));
  return result;
}

/** Tells whether a text is read as the old data with the new values, and nothing else. */
export function holdsExactly(
  text: string,
  {
    file,
    old,
    data,
  }: { readonly file: string; readonly old: YamlNode | null; readonly data: NewMap },
): boolean {
  try {
    const now = parseYaml(text, file);
    return now !== null && isSameData(now, withNewData(old, data, now.at));
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

function unproved({ source: { text, locate }, edits }: Work) {
  const offset = Math.max(0, ...edits.map(({ start }) => start));
  const isOpen = offset === text.length && !text.endsWith('\n');
  return refusal(isOpen ? 'OPEN_END' : 'UNPROVED', locate(offset));
}
