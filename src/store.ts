// Turns the values of one login into the next text of their file: a file of ours whole, one that
// somebody keeps by hand extended at its end. What comes out is read again before it counts.
import { readFile } from 'node:fs/promises';
import type { Decrypt, TargetVariables, VariablePath } from './definitions/types.ts';
import { InputError, type Position } from './errors.ts';
import type { Target } from './plan/types.ts';
import { chooseKey, type Key } from './store/key.ts';
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
import { openEnvelope, type Keyring } from './vault/keyring.ts';
import { appendToMap } from './yaml/append.ts';
import { getEntry, scalarText, type YamlNode } from './yaml/node.ts';
import { parseYaml } from './yaml/parse.ts';

/** The longest token that is accepted, in characters. */
export const LONGEST_TOKEN = 4096;

export interface StoreRequest {
  readonly target: Target;
  readonly write: TargetVariables;
  readonly format: 'inline' | 'file';
  readonly vaultId: string | null;
  readonly keyring: Keyring;
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
  const base = await readBase(request);
  const longest = { ...probe, accessToken: 'x'.repeat(LONGEST_TOKEN) };
  const tried = await composeText(request, base, longest, standIn);
  return {
    current: base.current,
    reserve: Buffer.byteLength(tried) + LONGEST_TOKEN,
    compose: (values) => composeText(request, base, values, sealText),
  };
}

/** Gives what the values of a login would be encrypted with. Throws InputError. */
export async function findKey(request: Omit<StoreRequest, 'format'>): Promise<Key> {
  return (await readBase({ ...request, format: 'inline' })).key;
}

/**
 * Tries on a file that exists whether the values of a login could be written to it, for a run that
 * only looks. Throws InputError. An encrypted file stays closed without `decrypt`.
 */
export async function tryStore(
  change: Pick<StoreRequest, 'target' | 'write'>,
  decrypt: Decrypt | null,
): Promise<void> {
  const { target, write } = change;
  const current = await readCurrent(target);
  const isClosed = current !== null && isEnvelope(current);
  if (current === null || (isClosed && decrypt === null)) return;
  const plain =
    isClosed && decrypt !== null ? await decrypt(current, startOf(target.shown)) : current;
  const values = { service: '-', userId: '-', deviceId: '-', accessToken: '-' };
  const render: RenderValue = (value) => Promise.resolve(formatUnsafe(value));
  extend(change, plain, await formatValues(values, write, render));
}

/** The file as it is now, and what its next version is encrypted with. */
interface Base {
  readonly current: string | null;
  /** What is extended: the file, or what its envelope holds; null: there is nothing. */
  readonly plain: string | null;
  readonly isWholeFile: boolean;
  readonly key: Key;
}

async function readBase(request: StoreRequest): Promise<Base> {
  const { target, keyring } = request;
  const current = await readCurrent(target);
  if (current !== null && isEnvelope(current)) {
    const { plaintext, ...key } = await openEnvelope(current, keyring, startOf(target.shown));
    const plain = plaintext.toString('utf8');
    return { current, plain, isWholeFile: true, key: { ...key, isProved: true } };
  }
  const isWholeFile = current === null && request.format === 'file';
  const root = current === null ? null : parseYaml(current, target.shown);
  return { current, plain: current, isWholeFile, key: await chooseKey(root, request) };
}

/** Turns a text into an envelope. */
type Seal = (text: string, key: Key) => Promise<string>;

const sealText: Seal = async (text, { secret, label }) =>
  formatEnvelope(await seal(Buffer.from(text), secret.password, { label }));

/** An envelope of the same size that holds nothing: enough to try a change, and made at once. */
const standIn: Seal = (text, { label }) => {
  const length = Buffer.byteLength(text);
  const ciphertext = Buffer.alloc(length + 16 - (length % 16));
  const [salt, mac] = [Buffer.alloc(32), Buffer.alloc(32)];
  return Promise.resolve(formatEnvelope({ label, salt, mac, ciphertext }));
};

async function composeText(
  request: StoreRequest,
  base: Base,
  values: StoredValues,
  sealWith: Seal,
): Promise<string> {
  const sealed = new Map<string, string>();
  const render: RenderValue = async (value, indent) => {
    if (base.isWholeFile) return formatUnsafe(value);
    sealed.set(value, await sealWith(value, base.key));
    return formatInline(sealed.get(value) ?? '', indent);
  };
  const block = await formatValues(values, request.write, render);
  const next = base.plain === null ? block : extend(request, base.plain, block);
  verify(request, next, values, (value) => sealed.get(value) ?? value);
  return base.isWholeFile ? sealWith(next, base.key) : next;
}

function extend(
  { target, write }: Pick<StoreRequest, 'target' | 'write'>,
  current: string,
  block: string,
): string {
  if (!target.isDefault || !isOurs(current)) return appendToMap(current, target.shown, block);
  checkNothingElse(current, target, write);
  return block;
}

/** A file of ours is written anew, so it must hold nothing but what is written. */
function checkNothingElse(current: string, target: Target, write: TargetVariables): void {
  const node = parseYaml(current, target.shown);
  const names = [write.accessToken[0], write.deviceId?.[0]];
  const others =
    node?.kind === 'map' ? node.entries.filter((one) => !names.includes(scalarText(one.key))) : [];
  if (others.length === 0) return;
  throw new InputError(
    others.map((entry) => ({
      code: 'E_TARGET',
      at: entry.at,
      found: `'${scalarText(entry.key)}' in the file of a service that does not write it`,
      wanted: `nothing but ${names.filter((name) => name !== undefined).join(', ')}`,
      fix: 'rename it, if it is this token under its old name; or move the file away for a new login',
    })),
  );
}

/** Reads what would be written as the next run will read it. */
function verify(
  { target, write }: StoreRequest,
  text: string,
  values: StoredValues,
  written: (value: string) => string,
): void {
  const root = parseYaml(text, target.shown);
  const isThere = (path: VariablePath, value: string): boolean =>
    textAt(root, path)?.trim() === written(value).trim();
  const hasDevice = write.deviceId === null || isThere(write.deviceId, values.deviceId);
  if (hasDevice && isThere(write.accessToken, values.accessToken)) return;
  throw new InputError({
    code: 'E_NO_SAFE_SPLICE',
    at: startOf(target.shown),
    found: 'a file that would not read back what is written to it',
    wanted: 'a plain vars file',
  });
}

function textAt(root: YamlNode | null, path: VariablePath): string | null {
  let node: YamlNode | undefined = root ?? undefined;
  for (const key of path) node = node?.kind === 'map' ? getEntry(node, key)?.value : undefined;
  return node?.kind === 'scalar' ? scalarText(node.value) : null;
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
