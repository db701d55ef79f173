// The sentences for what is wrong with a YAML file. They never hold text of the file: it may be a
// secret, and the YAML package's own messages quote whole lines.
import type { ErrorCode } from 'yaml';
import type { Fault, Position } from '../errors.ts';

/** Deeper nesting is refused: no hand-written file has it, and recursion has an end. */
export const DEEPEST = 200;

/** One broken line can make the parser stumble over all that follow. */
export const MOST_FAULTS = 20;

interface Sentence {
  readonly found: string;
  readonly wanted?: string;
  readonly fix?: string;
}

/** The cure for the commonest mistake in vars files. */
export const QUOTE_JINJA = 'put values that begin with {{ in quotes: "{{ name }}"';

const SENTENCES: Readonly<Record<ErrorCode, Sentence>> = {
  ALIAS_PROPS: { found: 'an alias with a tag or an anchor', wanted: 'the alias alone' },
  BAD_ALIAS: { found: 'an anchor or alias without a name' },
  BAD_COLLECTION_TYPE: { found: 'a tag that does not fit its value' },
  BAD_DIRECTIVE: { found: 'a % directive that Ansible does not read' },
  BAD_DQ_ESCAPE: {
    found: 'a backslash in double quotes that begins no known escape',
    fix: 'write \\\\ for a backslash, or use single quotes',
  },
  BAD_INDENT: { found: 'wrong indentation', wanted: 'the indentation of the lines it belongs to' },
  BAD_PROP_ORDER: { found: 'a tag or an anchor at the wrong place' },
  BAD_SCALAR_START: {
    found: 'an unquoted value that begins with a character that YAML reserves',
    fix: 'put the value in quotes',
  },
  BLOCK_AS_IMPLICIT_KEY: {
    found: 'a map or list on the line of its key',
    wanted: 'one key a line',
    fix: 'put a value that holds ": " in quotes',
  },
  BLOCK_IN_FLOW: { found: 'an indented map or list inside [ ] or { }' },
  DUPLICATE_KEY: { found: 'the same key twice in one map' },
  IMPOSSIBLE: { found: 'text that is not YAML' },
  KEY_OVER_1024_CHARS: { found: 'a key longer than 1,024 characters' },
  MISSING_CHAR: {
    found: 'a missing space, comma, colon, quote or bracket',
    fix: `look for an unclosed quote or bracket, and ${QUOTE_JINJA}`,
  },
  MULTILINE_IMPLICIT_KEY: {
    found: 'a key that goes over more than one line',
    wanted: '"key: value" on one line',
    fix: 'look for a line above without a colon',
  },
  MULTIPLE_ANCHORS: { found: 'two anchors on one value' },
  MULTIPLE_DOCS: {
    found: 'a second YAML document in the file',
    wanted: 'one document a file',
    fix: 'remove the --- or ... line between them',
  },
  MULTIPLE_TAGS: { found: 'two tags on one value' },
  NON_STRING_KEY: { found: 'a key that is not a string' },
  RESOURCE_EXHAUSTION: { found: 'maps and lists nested too deeply' },
  TAB_AS_INDENT: { found: 'a tab as indentation', wanted: 'spaces' },
  TAG_RESOLVE_FAILED: { found: 'a tag that Ansible does not know' },
  UNEXPECTED_TOKEN: { found: 'text where YAML allows none', fix: QUOTE_JINJA },
};

/** Says in our own words what the YAML package found wrong. */
export function syntaxFault(code: ErrorCode, at: Position): Fault {
  return { code: 'E_YAML', at, ...SENTENCES[code] };
}

/** Makes a fault of a file that is not YAML as Ansible reads it. */
export function yamlFault(at: Position, found: string, wanted?: string, fix?: string): Fault {
  return { code: 'E_YAML', at, found, wanted, fix };
}

/** A key that stands twice in one map; Ansible only warns and takes the last. */
export function duplicateKey(at: Position, first: Position): Fault {
  const found = `the same key twice in one map, first on line ${first.line}`;
  return yamlFault(at, found, 'every key once', 'remove one of the two');
}
