// YAML nodes as the JSON of an inventory program, and back from the JSON of Ansible's answers.
import type { Position } from '../errors.ts';
import { scalarText, type MapEntry, type ScalarNode, type YamlNode } from '../yaml/node.ts';

/** Gives JSON in which Ansible finds vault values and `!unsafe` texts again. */
export function toInventoryJson(node: YamlNode): string {
  if (node.kind === 'seq') return `[${node.items.map(toInventoryJson).join(',')}]`;
  if (node.kind === 'scalar') return scalarJson(node);
  const entries = node.entries.map(
    ({ key, value }) => `${JSON.stringify(scalarText(key))}:${toInventoryJson(value)}`,
  );
  return `{${entries.join(',')}}`;
}

function scalarJson({ value, tag, float }: ScalarNode): string {
  if (tag !== undefined) return JSON.stringify({ [`__ansible_${tag}`]: scalarText(value) });
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number' && float === true && Number.isInteger(value)) return `${value}.0`;
  if (value !== null && typeof value === 'object') return JSON.stringify(value.iso);
  return JSON.stringify(value);
}

/** Gives a value of JSON as a node; its texts are never taken for templates again. */
export function fromPlain(value: unknown, at: Position): YamlNode {
  if (Array.isArray(value)) {
    return { kind: 'seq', at, items: value.map((item) => fromPlain(item, at)) };
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, item]): MapEntry => ({
      at,
      key,
      value: fromPlain(item, at),
    }));
    return { kind: 'map', at, entries };
  }
  if (typeof value === 'string') return { kind: 'scalar', at, value, tag: 'unsafe' };
  if (typeof value === 'number' || typeof value === 'boolean') return { kind: 'scalar', at, value };
  return { kind: 'scalar', at, value: null };
}
