// New data as text of a vars file: as lines of a block map, between braces, or as JSON.
import { isNewMap, looksLikeOther } from './new-data.ts';
import type { NewMap, NewValue } from './new-data.ts';

/** How many spaces `ansible-vault encrypt_string` puts before the lines of an envelope. */
const ENVELOPE_INDENT = 10;

/** Words like `yes` or `null` would be read as something else. */
const WORD = /^(?:y|n|yes|no|on|off|true|false|null)$/i;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** What JSON may hold as it is, and Ansible's YAML loader may not, or would take for a line end. */
const TO_ESCAPE = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;

export interface BlockLayout {
  /** Spaces before each key. */
  readonly indent: number;
  /** How many more there are before the keys of an inner map. */
  readonly step: number;
  /** The lines of an envelope stand at least so far to the right. */
  readonly margin?: number;
}

/** A value in a block map: what stands behind its key, and the lines below it. */
export interface BlockValue {
  readonly head: string;
  readonly lines: readonly string[];
}

/** Gives the lines of a block map, without line ends. */
export function formatBlock(data: NewMap, layout: BlockLayout): string[] {
  return [...data].flatMap(([key, value]) => {
    const start = `${' '.repeat(layout.indent)}${formatKey(key)}:`;
    if (isNewMap(value)) {
      return [start, ...formatBlock(value, { ...layout, indent: layout.indent + layout.step })];
    }
    const { head, lines } = formatBlockValue(value, layout);
    return [`${start} ${head}`, ...lines];
  });
}

/** Gives a value as it stands behind a key at this indentation. */
export function formatBlockValue(
  { kind, text }: NewValue,
  { indent, margin = 0 }: Pick<BlockLayout, 'indent' | 'margin'>,
): BlockValue {
  if (kind === 'unsafe') return { head: formatFlow({ kind, text }, 'yaml'), lines: [] };
  const spaces = ' '.repeat(Math.max(indent + ENVELOPE_INDENT, margin));
  const lines = text.trimEnd().split('\n');
  return { head: '!vault |', lines: lines.map((line) => spaces + line) };
}

/** Gives the entries of a map between braces, each on its one line. */
export function formatFlowEntries(data: NewMap, style: 'yaml' | 'json'): string[] {
  return [...data].map(([key, value]) => {
    const name = style === 'json' ? quote(key) : formatKey(key);
    return `${name}: ${formatFlow(value, style)}`;
  });
}

/** Gives a value or a map as it stands between braces. */
export function formatFlow(data: NewValue | NewMap, style: 'yaml' | 'json'): string {
  if (isNewMap(data)) return `{${formatFlowEntries(data, style).join(', ')}}`;
  const { kind, text } = data;
  if (kind === 'unsafe' && looksLikeOther(text)) return quote(text);
  // Ansible's own marks: the only way to say in JSON what a tag says in YAML.
  return style === 'json' ? `{"__ansible_${kind}": ${quote(text)}}` : `!${kind} ${quote(text)}`;
}

function formatKey(key: string): string {
  return NAME.test(key) && !WORD.test(key) ? key : quote(key);
}

function quote(text: string): string {
  return JSON.stringify(text).replaceAll(
    TO_ESCAPE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
