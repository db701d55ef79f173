// Why a file is not changed. Each sentence stands in docs/hand-written-files.md, too.
import type { Fault, Position } from '../../errors.ts';

interface Sentence {
  readonly found: string;
  readonly wanted: string;
  readonly fix: string;
}

/** Every reason for which no safe place is found, in the words of an error. */
export const REFUSALS = {
  TOP: {
    found: 'a top level that is no map',
    wanted: 'a file of variables: one "key: value" a line, or { }',
    fix: 'name another file in vault_file',
  },
  WAY: {
    found: 'a value that is no map, on the way to the place of the new value',
    wanted: 'a map, as the path in `variables` says, or nothing',
    fix: 'remove it, or change the path',
  },
  VALUE: {
    found: 'a map or a list in the place of the new value',
    wanted: 'a single value, or nothing',
    fix: 'remove it, or change the path in `variables`',
  },
  ALIAS: {
    found: 'a map that stands elsewhere in the file and is only named here',
    wanted: 'a map of its own: the new value would appear in both places',
    fix: 'write the map out in the place of the alias (*)',
  },
  SHARED: {
    found: 'an anchor (&) whose content other places of the file take over',
    wanted: 'a place of its own: the new value would appear in all of them',
    fix: 'write the content out where its alias (*) stands, and remove the anchor',
  },
  MERGED: {
    found: 'a key that a merge (<<) brings from another map',
    wanted: 'a key of the map itself: the new value would appear in all maps that merge it',
    fix: 'take the key out of the map that is merged',
  },
  KEY_TYPE: {
    found: 'a key of the path that is a number, a date, true, false or null here',
    wanted: 'a string, as the path in `variables` has it',
    fix: 'put the key in quotes',
  },
  UNSAFE_MAP: {
    found: 'a map with the tag !unsafe',
    wanted: 'a map without it: Ansible reads what stands in it in different ways',
    fix: 'put !unsafe before the single values',
  },
  JSON: {
    found: 'JSON whose places cannot be told for sure',
    wanted: 'JSON that is YAML, too',
    fix: 'format the file anew: python3 -m json.tool',
  },
  OPEN_END: {
    found: 'a last line without a line break, which would become part of its value',
    wanted: 'a block of text whose last line break is no part of its value',
    fix: 'write |- or >- in its header, instead of | or >',
  },
  UNPROVED: {
    found: 'a place where a new value would change how something else is read',
    wanted: 'a plain "key: value" line',
    fix: 'write the map of the place more plainly, or name another file in vault_file',
  },
} as const satisfies Record<string, Sentence>;

export type Refusal = keyof typeof REFUSALS;

/** Makes the fault of a file that is not changed, for this reason. */
export function refusal(kind: Refusal, at: Position): Fault {
  return { code: 'E_NO_SAFE_SPLICE', at, ...REFUSALS[kind] };
}
