// Puts other envelopes in the place of inline vault values, without touching a byte of what else
// stands in the text. Only the lines of the envelopes change, each with its margin and line end.
import { InputError } from '../errors.ts';
import type { Position } from '../errors.ts';
import { scalarText, type ScalarNode, type YamlNode } from './node.ts';
import { parseYaml } from './parse.ts';
import { isSameData } from './same-data.ts';

/** An inline vault value, and the envelope that takes its place. */
export interface VaultReplacement {
  readonly node: ScalarNode;
  readonly envelope: string;
}

/**
 * Gives the text of a YAML file with other envelopes in the place of these values, each of which was
 * read from this very text at a place of its own. Where an alias repeats a value, it stands for the
 * new one. The result is read again and compared with what it must hold.
 * @throws InputError E_NO_SAFE_SPLICE with the place of every value that is not written as a block
 * (`!vault |`) or as text in double quotes.
 */
export function replaceVaults(
  text: string,
  file: string,
  replacements: readonly VaultReplacement[],
): string {
  const lines = text.split('\n');
  // From the end to the beginning, so that places stay what they were.
  const inOrder = replacements.toSorted((a, b) => compare(b.node.at, a.node.at));
  const unfit = inOrder.filter((one) => !replaceOne(lines, one));
  if (unfit.length > 0) {
    throw new InputError(unfit.toReversed().map(({ node }) => refusal(node.at)));
  }
  const result = lines.join('\n');
  const [last] = inOrder;
  if (last !== undefined && !isProved(text, result, { file, replacements })) {
    throw new InputError(refusal(last.node.at));
  }
  return result;
}

function compare(a: Position, b: Position): number {
  return a.line - b.line || a.column - b.column;
}

/** Gives false where the text does not stand there as it was expected. */
function replaceOne(lines: string[], { node, envelope }: VaultReplacement): boolean {
  const { line, column } = node.at;
  const head = lines[line - 1] ?? '';
  // A byte order mark does not count as a column.
  const start = column - 1 + (line === 1 && head.startsWith('\ufeff') ? 1 : 0);
  const value = scalarText(node.value);
  if (head[start] === '|') return replaceBlock(lines, { line, value, envelope });
  const quoted = JSON.stringify(value);
  if (!head.startsWith(quoted, start)) return false;
  const now = JSON.stringify(value.endsWith('\n') ? envelope : envelope.trimEnd());
  lines[line - 1] = head.slice(0, start) + now + head.slice(start + quoted.length);
  return true;
}

interface Block {
  /** That of its `|`, counted from 1: its text begins below. */
  readonly line: number;
  readonly value: string;
  readonly envelope: string;
}

function replaceBlock(lines: string[], { line, value, envelope }: Block): boolean {
  const old = lines.slice(line, line + linesOf(value).length);
  const margin = /^[ \t]*/.exec(old[0] ?? '')?.[0] ?? '';
  const wanted = linesOf(value).map((text) => (text === '' ? '' : margin + text));
  const isThere = wanted.every((text, index) => {
    const found = withoutReturn(old[index] ?? '');
    return found === text || (text === '' && found.trim() === '');
  });
  if (!isThere) return false;
  const ends = { inner: returnOf(lines[line - 1]), last: returnOf(old.at(-1)) };
  const now = linesOf(envelope).map((text) => margin + text);
  const last = now.pop() ?? '';
  lines.splice(line, old.length, ...now.map((text) => text + ends.inner), last + ends.last);
  return true;
}

function linesOf(text: string): string[] {
  return text.trimEnd().split('\n');
}

function withoutReturn(line: string): string {
  return line.replace(/\r$/, '');
}

/** The other half of a line end of Windows; the last line of a text may have none. */
function returnOf(line = ''): string {
  return line.endsWith('\r') ? '\r' : '';
}

function isProved(
  before: string,
  after: string,
  { file, replacements }: { file: string; replacements: readonly VaultReplacement[] },
): boolean {
  const old = parseYaml(before, file);
  const envelopes = new Map(replacements.map((one) => [placeOf(one.node), one.envelope]));
  try {
    const now = parseYaml(after, file);
    return old !== null && now !== null && isSameData(now, withEnvelopes(old, envelopes));
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

function withEnvelopes(node: YamlNode, envelopes: ReadonlyMap<string, string>): YamlNode {
  if (node.kind === 'seq') {
    return { ...node, items: node.items.map((item) => withEnvelopes(item, envelopes)) };
  }
  if (node.kind === 'map') {
    const entries = node.entries.map((entry) => ({
      ...entry,
      value: withEnvelopes(entry.value, envelopes),
    }));
    return { ...node, entries };
  }
  const envelope = node.tag === 'vault' ? envelopes.get(placeOf(node)) : undefined;
  return envelope === undefined ? node : { ...node, value: envelope };
}

function placeOf({ at }: ScalarNode): string {
  return `${at.line}:${at.column}`;
}

function refusal(at: Position) {
  return {
    code: 'E_NO_SAFE_SPLICE' as const,
    at,
    found: 'a vaulted value in a form that cannot be replaced without touching more than itself',
    wanted: 'a block of its own lines, as `ansible-vault encrypt_string` prints it: `!vault |`',
    fix: 'write it in that form',
  };
}
