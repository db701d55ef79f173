// Turns the values of one login into the next text of their file: a file of ours whole, one that
// somebody keeps by hand extended at its end. What comes out is read again before it counts.
import { readFile } from 'node:fs/promises';
import type { TargetVariables, VariablePath } from './definitions/types.ts';
import { InputError, type Position } from './errors.ts';
import type { Target } from './plan/types.ts';
import {
  formatInline,
  formatUnsafe,
  formatValues,
  isOurs,
  type RenderValue,
  type StoredValues,
} from './store/text.ts';
import { seal } from './vault/cipher.ts';
import { formatEnvelope, isEnvelope } from './vault/envelope.ts';
import {
  decryptText,
  encryptionSecret,
  encryptText,
  openEnvelope,
  type VaultSecret,
} from './vault/keyring.ts';
import { appendToMap } from './yaml/append.ts';
import { getEntry, type YamlNode } from './yaml/node.ts';
import { parseYaml } from './yaml/parse.ts';

/** The longest token that is accepted, in characters. */
export const LONGEST_TOKEN = 4096;

export interface StoreRequest {
  readonly target: Target;
  readonly write: TargetVariables;
  readonly format: 'inline' | 'file';
  readonly vaultId: string | null;
  readonly secrets: readonly VaultSecret[];
}

/** How a file becomes its next version. Made, and tried once, before the login. */
export interface StorePlan {
  /** What the file holds now; null: there is none. */
  readonly current: string | null;
  /** Bytes that the next version needs at most. */
  readonly reserve: number;
  /** Gives the next version. Throws InputError where it would not be exactly old data plus values. */
  compose(values: StoredValues): Promise<string>;
}

/** Reads the target and tries the change on it. Throws InputError. */
export async function planStore(request: StoreRequest, probe: StoredValues): Promise<StorePlan> {
  const current = await readCurrent(request.target);
  const compose = (values: StoredValues): Promise<string> => nextText(request, current, values);
  const longest = await compose({ ...probe, accessToken: 'x'.repeat(LONGEST_TOKEN) });
  return { current, reserve: Buffer.byteLength(longest) + LONGEST_TOKEN, compose };
}

async function nextText(
  request: StoreRequest,
  current: string | null,
  values: StoredValues,
): Promise<string> {
  const next = await composeText(request, current, values);
  await verify(request, next, values);
  return next;
}

async function composeText(
  request: StoreRequest,
  current: string | null,
  values: StoredValues,
): Promise<string> {
  if (current !== null && isEnvelope(current)) return extendEncrypted(request, current, values);
  if (current !== null) return extendPlain(request, current, values);
  const secret = encryptionSecret(request.secrets, request.vaultId ?? undefined);
  if (request.format === 'file') {
    return encryptText(await formatValues(values, request.write, renderUnsafe), secret);
  }
  return formatValues(values, request.write, renderInline(secret));
}

async function extendEncrypted(
  request: StoreRequest,
  current: string,
  values: StoredValues,
): Promise<string> {
  const { shown } = request.target;
  const opened = await openEnvelope(current, request.secrets, startOf(shown));
  const text = opened.plaintext.toString('utf8');
  const next = extend(request, text, await formatValues(values, request.write, renderUnsafe));
  const { label, secret } = opened;
  return formatEnvelope(await seal(Buffer.from(next), secret.password, { label }));
}

async function extendPlain(
  request: StoreRequest,
  current: string,
  values: StoredValues,
): Promise<string> {
  const secret = encryptionSecret(request.secrets, request.vaultId ?? undefined);
  return extend(request, current, await formatValues(values, request.write, renderInline(secret)));
}

function extend(request: StoreRequest, current: string, block: string): string {
  const { target, write } = request;
  if (!target.isDefault || !isOurs(current)) return appendToMap(current, target.shown, block);
  checkNothingElse(current, target, write);
  return block;
}

/** A file of ours is written anew, so it must hold nothing but what is written. */
function checkNothingElse(current: string, target: Target, write: TargetVariables): void {
  const node = parseYaml(current, target.shown);
  const names = [write.accessToken[0], write.deviceId?.[0]];
  const others =
    node?.kind === 'map' ? node.entries.filter((one) => !names.includes(String(one.key))) : [];
  if (others.length === 0) return;
  throw new InputError(
    others.map((entry) => ({
      code: 'E_TARGET',
      at: entry.at,
      found: `'${String(entry.key)}' in the file of a service that does not write it`,
      wanted: `nothing but ${names.filter((name) => name !== undefined).join(', ')}`,
      fix: 'rename it, if it is this token under its old name; or move the file away for a new login',
    })),
  );
}

const renderUnsafe: RenderValue = (value) => Promise.resolve(formatUnsafe(value));

function renderInline(secret: VaultSecret): RenderValue {
  return async (value, indent) => formatInline(await encryptText(value, secret), indent);
}

/** Reads what would be written as the next run will read it. */
async function verify(request: StoreRequest, text: string, values: StoredValues): Promise<void> {
  const at = startOf(request.target.shown);
  const plain = isEnvelope(text) ? await decryptText(text, request.secrets, at) : text;
  const root = parseYaml(plain, request.target.shown);
  const { accessToken, deviceId } = request.write;
  const token = await valueAt(root, accessToken, request.secrets);
  const device =
    deviceId === null ? values.deviceId : await valueAt(root, deviceId, request.secrets);
  if (token !== values.accessToken || device !== values.deviceId) {
    throw new InputError({
      code: 'E_NO_SAFE_SPLICE',
      at,
      found: 'a file that would not read back what is written to it',
      wanted: 'a plain vars file',
    });
  }
}

async function valueAt(
  root: YamlNode | null,
  path: VariablePath,
  secrets: readonly VaultSecret[],
): Promise<string | null> {
  let node: YamlNode | undefined = root ?? undefined;
  for (const key of path) node = node?.kind === 'map' ? getEntry(node, key)?.value : undefined;
  if (node?.kind !== 'scalar') return null;
  const text = String(node.value);
  return node.tag === 'vault' ? decryptText(text, secrets, node.at) : text;
}

async function readCurrent(target: Target): Promise<string | null> {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      await readFile(target.file),
    );
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new InputError({
      code: 'E_TARGET',
      at: startOf(target.shown),
      found: `a file that cannot be read (${code ?? 'no file, or no text'})`,
      wanted: 'a text file in UTF-8 that can be read and written, or none yet',
    });
  }
}

function startOf(file: string): Position {
  return { file, line: 1, column: 1 };
}
