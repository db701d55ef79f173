// The real ansible-core as an oracle: one Python process that says what it makes of a text.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ScalarNode, YamlNode } from '../../src/yaml/node.ts';
import { ansiblePython } from './python.ts';

/** The type's name and the value, as `ansible_loader.py` prints them. */
export type Typed = readonly [type: string, value?: unknown];

export interface OracleCase {
  readonly kind: 'yaml' | 'ini' | 'yaml-inventory' | 'extra';
  readonly text: string;
}

export interface OracleAnswer {
  readonly value?: unknown;
  readonly error?: string;
}

const SCRIPT = fileURLToPath(new URL('../../../tests/helpers/ansible_loader.py', import.meta.url));

/** Asks ansible-core about many texts, in one process. Gives the answers in the same order. */
export async function askAnsible(cases: readonly OracleCase[]): Promise<OracleAnswer[]> {
  const child = spawn(await ansiblePython(), [SCRIPT], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', LC_ALL: 'C.UTF-8' },
  });
  child.stdin.end(cases.map((one) => `${JSON.stringify(one)}\n`).join(''));
  const answers: OracleAnswer[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    answers.push(JSON.parse(line) as OracleAnswer);
  }
  if (answers.length === cases.length) return answers;
  throw new Error(`ansible-core answered ${answers.length} of ${cases.length} cases`);
}

/** Gives a node in the oracle's form. Strings of `!unsafe` values say so; keys never do. */
export function toTyped(node: YamlNode | null): Typed {
  if (node === null) return ['none'];
  if (node.kind === 'seq') return ['list', node.items.map(toTyped)];
  if (node.kind === 'scalar') return scalarToTyped(node);
  return [
    'dict',
    node.entries.map(({ at, key, value }) => [
      scalarToTyped({ kind: 'scalar', at, value: key }),
      toTyped(value),
    ]),
  ];
}

function scalarToTyped({ value, tag, float }: ScalarNode): Typed {
  if (value === null) return ['none'];
  if (typeof value === 'object') return [value.iso.includes('T') ? 'datetime' : 'date', value.iso];
  if (typeof value === 'string') return [tag ?? 'str', value];
  if (typeof value === 'boolean') return ['bool', value];
  const isFloat = float === true || (typeof value === 'number' && !Number.isInteger(value));
  return isFloat ? ['float', floatText(Number(value))] : ['int', hexadecimal(BigInt(value))];
}

function floatText(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return Number.isNaN(value) ? 'nan' : bytes.toString('hex');
}

/** As Python's `hex` prints it: decimal digits would meet Python's limit on their number. */
function hexadecimal(value: bigint): string {
  return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}
