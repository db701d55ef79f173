// The text of the values of one login, as they stand in a vars file.
import type { TargetVariables, VariablePath } from '../definitions/types.ts';

/** How many spaces `ansible-vault encrypt_string` puts before the lines of an envelope. */
const ENVELOPE_INDENT = 10;

/** The values of one login in the form in which they are written: both or neither. */
export interface StoredValues {
  readonly service: string;
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: string;
}

/** How a value stands in its file: as an inline vault value, or as text of an encrypted file. */
export type RenderValue = (value: string, indent: number) => Promise<string>;

/** Gives the comment that tells a later run which session a file's values belong to. */
export function formatSession(values: Omit<StoredValues, 'accessToken'>): string {
  return `# matrix-tokens: service=${values.service} user_id=${values.userId} device_id=${values.deviceId}`;
}

const SESSION = /^# matrix-tokens: service=(\S+) user_id=(\S+) device_id=(\S+)\r?$/gm;

/** Gives the sessions that the comments of a file name, by service; the last one counts. */
export function parseSessions(
  text: string,
): ReadonlyMap<string, { readonly userId: string; readonly deviceId: string }> {
  const sessions = new Map<string, { userId: string; deviceId: string }>();
  for (const [, service = '', userId = '', deviceId = ''] of text.matchAll(SESSION)) {
    sessions.set(service, { userId, deviceId });
  }
  return sessions;
}

/** Is this the text of a file that we made and keep? */
export function isOurs(text: string): boolean {
  return text.startsWith('# matrix-tokens: ');
}

/** Gives the lines of one login: the comment, then a block map with its values. */
export async function formatValues(
  values: StoredValues,
  write: TargetVariables,
  render: RenderValue,
): Promise<string> {
  const tree = new Map<string, Tree>();
  insert(tree, write.accessToken, values.accessToken);
  if (write.deviceId !== null) insert(tree, write.deviceId, values.deviceId);
  return `${formatSession(values)}\n${await formatTree(tree, 0, render)}`;
}

type Tree = string | Map<string, Tree>;

function insert(tree: Map<string, Tree>, [key, ...rest]: VariablePath, value: string): void {
  const [next, ...further] = rest;
  if (next === undefined) {
    tree.set(key, value);
    return;
  }
  const inner = tree.get(key);
  const map = inner instanceof Map ? inner : new Map<string, Tree>();
  tree.set(key, map);
  insert(map, [next, ...further], value);
}

async function formatTree(
  tree: ReadonlyMap<string, Tree>,
  indent: number,
  render: RenderValue,
): Promise<string> {
  let text = '';
  for (const [key, value] of tree) {
    const start = `${' '.repeat(indent)}${formatKey(key)}:`;
    text +=
      typeof value === 'string'
        ? `${start} ${await render(value, indent)}\n`
        : `${start}\n${await formatTree(value, indent + 2, render)}`;
  }
  return text;
}

/** Words like `yes` or `null` and numbers would be read as something else. */
function formatKey(key: string): string {
  const isWord = /^(?:y|n|yes|no|on|off|true|false|null)$/i.test(key);
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) && !isWord ? key : JSON.stringify(key);
}

/** Gives an envelope as an inline `!vault` value. */
export function formatInline(envelope: string, indent: number): string {
  const lines = envelope.trimEnd().split('\n');
  const margin = ' '.repeat(indent + ENVELOPE_INDENT);
  return ['!vault |', ...lines.map((line) => margin + line)].join('\n');
}

/** Gives a value as text that Ansible does not template. */
export function formatUnsafe(value: string): string {
  return `!unsafe ${JSON.stringify(value)}`;
}
