// The real ansible-core as an oracle: one Python process that says what it makes of many texts.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import type { InventorySource } from '../../src/ansible/inventory.ts';
import { InputError } from '../../src/errors.ts';
import type { ScalarNode, YamlNode } from '../../src/yaml/node.ts';
import { ansiblePython } from './python.ts';

/** The type's name and the value, as `ansible_loader.py` prints them. */
export type Typed = readonly [type: string, value?: unknown];

/** `yaml`: a vars file; `extra`: the text of one `-e`. */
export type OracleKind = 'yaml' | 'ini' | 'yaml-inventory' | 'extra';

interface OracleAnswer {
  readonly value?: unknown;
  readonly error?: string;
  /** This ansible-core is known to read the text differently from 2.19. */
  readonly older?: true;
}

export interface Comparison {
  /** How many texts were read, to the same value. */
  agreed: number;
  /** How many texts Ansible refuses, and so do we. */
  bothRefused: number;
  /** Texts that Ansible reads and we refuse. */
  readonly refused: string[];
  /** The first 20 texts of which the two make different things, or which only we read. */
  readonly different: string[];
}

const SCRIPT = fileURLToPath(new URL('../../../tests/helpers/ansible_loader.py', import.meta.url));

/**
 * Compares what `read` and ansible-core make of texts. `read` gives it in the form of
 * `ansible_loader.py` or throws InputError.
 */
export async function compareWithAnsible(
  kind: OracleKind,
  texts: readonly string[],
  read: (text: string) => unknown,
): Promise<Comparison> {
  const comparison: Comparison = { agreed: 0, bothRefused: 0, refused: [], different: [] };
  const answers = await askAnsible(kind, texts);
  for (const [index, text] of texts.entries()) {
    const answer = answers[index] ?? {};
    if (answer.older !== true) compareOne(comparison, text, answer, read);
  }
  return comparison;
}

function compareOne(
  comparison: Comparison,
  text: string,
  answer: OracleAnswer,
  read: (text: string) => unknown,
): void {
  const ours = readOrNull(text, read);
  if (ours === null) {
    if (answer.error === undefined) comparison.refused.push(text);
    else comparison.bothRefused += 1;
  } else if (isDeepStrictEqual(ours.value, answer.value)) {
    comparison.agreed += 1;
  } else if (comparison.different.length < 20) {
    const [a, b] = [ours.value, answer.error ?? answer.value].map((one) => JSON.stringify(one));
    comparison.different.push(`${JSON.stringify(text)}: ours ${a}, Ansible's ${b}`);
  }
}

function readOrNull(text: string, read: (text: string) => unknown): { value: unknown } | null {
  try {
    return { value: read(text) };
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

async function askAnsible(kind: OracleKind, texts: readonly string[]): Promise<OracleAnswer[]> {
  const child = spawn(await ansiblePython(), ['-B', SCRIPT], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', LC_ALL: 'C.UTF-8' },
  });
  child.stdin.end(texts.map((text) => `${JSON.stringify({ kind, text })}\n`).join(''));
  const answers: OracleAnswer[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    answers.push(JSON.parse(line) as OracleAnswer);
  }
  if (answers.length === texts.length) return answers;
  throw new Error(`ansible-core answered ${answers.length} of ${texts.length} cases`);
}

/** Gives a node in the oracle's form. Strings of `!unsafe` values say so; keys never do. */
export function toTyped(node: YamlNode | null): Typed {
  if (node === null) return ['none'];
  if (node.kind === 'seq') return ['list', node.items.map(toTyped)];
  if (node.kind === 'scalar') return scalarToTyped(node);
  const entries = node.entries.map(({ at, key, value }) => [
    scalarToTyped({ kind: 'scalar', at, value: key }),
    toTyped(value),
  ]);
  return ['dict', entries];
}

/** Gives variables in the oracle's form. */
export function varsToTyped(vars: ReadonlyMap<string, YamlNode>): Typed {
  return ['dict', [...vars].map(([name, value]) => [['str', name], toTyped(value)])];
}

/** Gives an inventory file's content in the oracle's form. */
export function sourceToTyped({ groups, hosts }: InventorySource): unknown {
  const typedGroups = [...groups].map(([name, group]) => {
    const vars = new Map(group.vars);
    vars.delete('ansible_group_priority');
    const { children, hosts: names } = group;
    return [
      name,
      { vars: varsToTyped(vars), children: children.toSorted(), hosts: names },
    ] as const;
  });
  const typedHosts = [...hosts].map(([name, host]) => [name, varsToTyped(host.vars)] as const);
  return { groups: Object.fromEntries(typedGroups), hosts: Object.fromEntries(typedHosts) };
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
