import { isAbsolute, resolve } from 'node:path';
import type { Position } from '../errors.ts';
import type { YamlNode } from '../yaml/node.ts';
import { getEntry } from '../yaml/node.ts';
import type { SecretSource } from './types.ts';
import { nodeText, textOf, type ValueReader } from './values.ts';

/** Gives where a secret comes from, of a value that fits the schema. `at`: where its key stands. */
export function secretSource(node: YamlNode, at: Position, reader: ValueReader): SecretSource {
  if (node.kind !== 'map') return { kind: 'value', node, at: node.at };
  const command = getEntry(node, 'command')?.value;
  if (command?.kind === 'seq') {
    const [program = '', ...args] = command.items.map(nodeText);
    const file = program.includes('/') ? fromInventory(program, reader) : program;
    return { kind: 'command', words: [file, ...args], at };
  }
  if (getEntry(node, 'prompt') !== undefined) return { kind: 'prompt', at };
  const file = textOf(node, 'file');
  if (file === null) return { kind: 'env', name: textOf(node, 'env') ?? '', at };
  return { kind: 'file', path: fromInventory(file, reader), at };
}

/** Relative paths in vars are relative to the inventory's folder. */
function fromInventory(path: string, reader: ValueReader): string {
  return isAbsolute(path) ? path : resolve(reader.host.inventoryFolder, path);
}
