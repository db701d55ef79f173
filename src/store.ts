// Turns the values of one login into the next text of their file: a file of ours whole, one that
// somebody keeps by hand with the values put into it. What comes out is read again before it counts.
import { readFile } from 'node:fs/promises';
import type { Decrypt, TargetVariables, VariablePath } from './definitions/types.ts';
import { InputError, type Position } from './errors.ts';
import type { Target } from './plan/types.ts';
import { chooseKey, type Key } from './store/key.ts';
import {
  formatOwnFile,
  formatSession,
  isOurs,
  sessionMark,
  type StoredValues,
} from './store/text.ts';
import { seal } from './vault/cipher.ts';
import { formatEnvelope, isEnvelope } from './vault/envelope.ts';
import { keyringOf, openEnvelope, type Keyring } from './vault/keyring.ts';
import { buildMap, type NewMap, type PathValue } from './yaml/new-data.ts';
import { scalarText } from './yaml/node.ts';
import { parseYaml } from './yaml/parse.ts';
import { holdsExactly, spliceValues } from './yaml/splice.ts';

/** The longest token that is accepted, in characters. */
export const LONGEST_TOKEN = 4096;

/** What is written to. */
export type StoreTarget = Pick<Target, 'file' | 'shown' | 'isDefault'>;

export interface StoreRequest {
  readonly target: StoreTarget;
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
  { service, decrypt }: { readonly service: string; readonly decrypt: Decrypt | null },
): Promise<void> {
  const { target } = change;
  const current = await readCurrent(target);
  const isWholeFile = current !== null && isEnvelope(current);
  if (current === null || (isWholeFile && decrypt === null)) return;
  const plain =
    isWholeFile && decrypt !== null ? await decrypt(current, startOf(target.shown)) : current;
  const values = { service, userId: '-', deviceId: '-', accessToken: '-' };
  const seal = (): Promise<string> => standIn('-', { label: null });
  const data = await makeData(change.write, values, isWholeFile ? null : seal);
  changeText(change, plain, values, data);
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
    const at = startOf(target.shown);
    const { plaintext, ...key } = await openEnvelope(current, keyring, at);
    const plain = decodeExactly(plaintext, at);
    return { current, plain, isWholeFile: true, key: { ...key, isProved: true } };
  }
  const isWholeFile = current === null && request.format === 'file';
  const root = current === null ? null : parseYaml(current, target.shown);
  return { current, plain: current, isWholeFile, key: await chooseKey(root, request) };
}

/** What is no UTF-8 would come out with other bytes than it went in. */
function decodeExactly(plaintext: Buffer, at: Position): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plaintext);
  } catch {
    throw new InputError({
      code: 'E_VAULT_FORMAT',
      at,
      found: 'a vault whose content is not UTF-8 text',
      wanted: 'text',
    });
  }
}

/** Turns a text into an envelope. */
type Seal = (text: string, key: Key) => Promise<string>;

/** What is sealed is opened once, before anything relies on it. */
const sealText: Seal = async (text, { secret, label }) => {
  const bytes = Buffer.from(text);
  const envelope = formatEnvelope(await seal(bytes, secret.password, { label }));
  const at = startOf('the new envelope');
  const { plaintext } = await openEnvelope(envelope, keyringOf([secret]), at);
  if (!plaintext.equals(bytes)) throw new TypeError('an envelope that holds something else');
  return envelope;
};

/** An envelope of the same size that holds nothing: enough to try a change, and made at once. */
const standIn = (text: string, { label }: Pick<Key, 'label'>): Promise<string> => {
  const length = Buffer.byteLength(text);
  const ciphertext = Buffer.alloc(length + 16 - (length % 16));
  const [salt, mac] = [Buffer.alloc(32), Buffer.alloc(32)];
  return Promise.resolve(formatEnvelope({ label, salt, mac, ciphertext }));
};

async function composeText(
  request: StoreRequest,
  { plain, isWholeFile, key }: Base,
  values: StoredValues,
  sealWith: Seal,
): Promise<string> {
  const sealValue = (text: string): Promise<string> => sealWith(text, key);
  const data = await makeData(request.write, values, isWholeFile ? null : sealValue);
  const next = changeText(request, plain, values, data);
  return isWholeFile ? sealWith(next, key) : next;
}

/** Gives the values as they will stand in the file: sealed one by one, or as text with `null`. */
async function makeData(
  write: TargetVariables,
  values: StoredValues,
  sealValue: ((text: string) => Promise<string>) | null,
): Promise<NewMap> {
  const texts: (readonly [VariablePath, string])[] = [[write.accessToken, values.accessToken]];
  if (write.deviceId !== null) texts.push([write.deviceId, values.deviceId]);
  const made = texts.map(async ([path, text]): Promise<PathValue> => {
    if (sealValue === null) return { path, value: { kind: 'unsafe', text } };
    return { path, value: { kind: 'vault', text: await sealValue(text) } };
  });
  return buildMap(await Promise.all(made));
}

/** Gives the next text of a file, which has been read again and holds exactly what it should. */
function changeText(
  { target, write }: Pick<StoreRequest, 'target' | 'write'>,
  current: string | null,
  values: StoredValues,
  data: NewMap,
): string {
  const isNew = current === null || (target.isDefault && isOurs(current));
  if (!isNew) {
    const comment = formatSession(values);
    const olderComment = sessionMark(values.service);
    return spliceValues(current, { file: target.shown, data, comment, olderComment });
  }
  if (current !== null) checkNothingElse(current, target, write);
  const text = formatOwnFile(values, data);
  if (holdsExactly(text, { file: target.shown, old: null, data })) return text;
  throw new TypeError('a new file that would not read back what is written to it');
}

/** A file of ours is written anew, so it must hold nothing but what is written. */
function checkNothingElse(current: string, target: StoreTarget, write: TargetVariables): void {
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

async function readCurrent(target: StoreTarget): Promise<string | null> {
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
