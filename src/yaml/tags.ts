// The tags of Ansible's loader: YAML's own (`!!str`, …), `!vault` and `!unsafe`.
import type { ScalarValue } from './node.ts';
import { readDate, readFloat, readInteger, resolvePlain } from './scalar.ts';
import type { ScalarMeaning } from './scalar.ts';

type ScalarTag = 'vault' | 'unsafe';

interface TaggedMeaning extends ScalarMeaning {
  readonly tag?: ScalarTag;
}

const STANDARD = 'tag:yaml.org,2002:';

const UNSUPPORTED = new Set(['binary', 'omap', 'pairs', 'set'].map((name) => STANDARD + name));

const DECIMAL_FLOAT = /^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?$/;

const READERS = new Map<string, (text: string) => TaggedMeaning | null>([
  [`${STANDARD}str`, (value) => ({ value })],
  [`${STANDARD}int`, (text) => meaning(readInteger(text))],
  [`${STANDARD}float`, readTaggedFloat],
  [`${STANDARD}bool`, (text) => only('boolean', resolvePlain(text.toLowerCase()))],
  [`${STANDARD}null`, (text) => (resolvePlain(text)?.value === null ? { value: null } : null)],
  [`${STANDARD}timestamp`, (text) => meaning(readDate(text))],
  ['!unsafe', readUnsafe],
  ['!vault', readVault],
  // An older name of `!vault`, which ansible-core drops in 2.23.
  ['!vault-encrypted', readVault],
]);

/**
 * Says what a scalar with a tag means. Gives null where the tag does not fit the text, undefined
 * for a tag that is not read; `isUnsupported` tells whether Ansible would.
 */
export function resolveTagged(tag: string, text: string): TaggedMeaning | null | undefined {
  return READERS.get(tag)?.(text);
}

/** True for tags that Ansible reads, but this does not. */
export function isUnsupported(tag: string): boolean {
  return UNSUPPORTED.has(tag);
}

function meaning(value: ScalarValue | undefined): ScalarMeaning | null {
  return value === undefined || value === null ? null : { value };
}

function only(type: 'boolean' | 'string', found: ScalarMeaning | null): ScalarMeaning | null {
  return typeof found?.value === type ? found : null;
}

function readTaggedFloat(text: string): ScalarMeaning | null {
  const value = readFloat(text) ?? (DECIMAL_FLOAT.test(text) ? Number(text) : undefined);
  return value === undefined ? null : { value, float: true };
}

// ansible-core 2.19 and later give `!unsafe "12"` the number 12, as if it stood without quotes;
// before, it was a string, and maps and lists inside an `!unsafe` map or list were lost.
function readUnsafe(text: string): TaggedMeaning | null {
  const found = resolveLikePlain(text);
  return typeof found?.value === 'string' ? { ...found, tag: 'unsafe' } : found;
}

function readVault(text: string): TaggedMeaning | null {
  const found = only('string', resolveLikePlain(text));
  return found === null ? null : { ...found, tag: 'vault' };
}

/** Python's `$` also matches before a final line break: "12\n" would be a number, "yes\n" an error. */
function resolveLikePlain(text: string): ScalarMeaning | null {
  const found = resolvePlain(text);
  if (!text.endsWith('\n')) return found;
  return only('string', resolvePlain(text.slice(0, -1))) && found;
}
