// Adds keys to a hand-written vars file without touching a byte of what stands in it. A parsed
// document is never printed back: that would turn `0644` into `644` and move comments.
import { InputError } from '../errors.ts';
import type { Position } from '../errors.ts';
import { describeType, getEntry } from './node.ts';
import type { MapNode, YamlNode } from './node.ts';
import { parseYaml } from './parse.ts';
import { createLocate } from './position.ts';
import { isSameData } from './same-data.ts';

/** An end mark; what looks like one inside a value is always indented. */
const END_MARK = /^\.\.\.(?=\s|$)/gm;

/**
 * Gives the text of a vars file with the keys of `block` added at its end: before an end mark, in
 * the file's own newline style and at the indentation of its keys. `block` is the text of a block
 * map with LF line ends and without indentation. Nothing else changes, which is proved by reading
 * the result.
 * @throws InputError E_YAML if the file cannot be read, E_NO_SAFE_SPLICE if its top level is not
 * a block map (or nothing but comments), it has one of the keys, or the proof fails.
 */
export function appendToMap(text: string, file: string, block: string): string {
  const old = parseYaml(text, file);
  const added = readBlock(block, file);
  checkTop(old, text, file);
  if (old !== null) checkKeys(old, added);
  const end = [...text.matchAll(END_MARK)].at(-1)?.index ?? text.length;
  const result = insert(text, end, indent(block, old === null ? 0 : old.at.column - 1));
  if (!isProved(result, file, old, added)) throw cannotExtend(createLocate(text, file)(end));
  return result;
}

function readBlock(block: string, file: string): MapNode {
  const added = parseYaml(block, file);
  if (added?.kind !== 'map') throw new TypeError('the block to add is no map');
  return added;
}

function checkTop(old: YamlNode | null, text: string, file: string): asserts old is MapNode | null {
  if (text.startsWith('\ufeff')) {
    const at = { file, line: 1, column: 1 };
    throw refusal(at, 'a byte order mark', 'a file without one', 'save the file without the mark');
  }
  if (old === null) return;
  if (old.kind !== 'map') {
    throw refusal(old.at, `${describeType(old)} at the top level`, 'a map', 'name another file');
  }
  if (!isBlockMap(old, text)) {
    throw refusal(old.at, 'a map in braces', 'one "key: value" a line', 'write it without { }');
  }
}

function isBlockMap(map: MapNode, text: string): boolean {
  return (
    text
      .split('\n', map.at.line)
      .at(-1)
      ?.charAt(map.at.column - 1) !== '{'
  );
}

function checkKeys(old: MapNode, added: MapNode): void {
  for (const { key } of added.entries) {
    if (typeof key !== 'string') continue;
    const there = getEntry(old, key);
    if (there === undefined) continue;
    const fix = 'remove it, so that a new value can be written';
    throw refusal(there.at, `the key ${key}`, 'a file that does not have it yet', fix);
  }
}

function indent(block: string, columns: number): string {
  return block.replaceAll(/^(?=.)/gm, ' '.repeat(columns));
}

function insert(text: string, end: number, block: string): string {
  const head = text.slice(0, end);
  const newline = /\r\n(?!.*\n)/s.test(text) ? '\r\n' : '\n';
  const glue = head === '' || head.endsWith('\n') ? '' : newline;
  const lines = block.endsWith('\n') ? block : `${block}\n`;
  return head + glue + lines.replaceAll('\n', newline) + text.slice(end);
}

function isProved(text: string, file: string, old: MapNode | null, added: MapNode): boolean {
  const entries = [...(old?.entries ?? []), ...added.entries];
  try {
    const result = parseYaml(text, file);
    return result !== null && isSameData(result, { kind: 'map', at: result.at, entries });
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

function cannotExtend(at: Position): InputError {
  const found = 'an end to which no key can be added without changing what stands before it';
  return refusal(
    at,
    found,
    'a last line that ends with a line break',
    'add one, or a comment line',
  );
}

function refusal(at: Position, found: string, wanted: string, fix: string): InputError {
  return new InputError({ code: 'E_NO_SAFE_SPLICE', at, found, wanted, fix });
}
