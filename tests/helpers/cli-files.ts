// The words of a case about files. Paths are relative to the folder that programs run in.
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { isEnvelope } from '../../src/vault/envelope.ts';
import { decryptText, encryptText, keyringOf } from '../../src/vault/keyring.ts';
import type { VaultSecret } from '../../src/vault/keyring.ts';
import type { Case } from './cli-case.ts';
import { checkSession, pickNamed } from './cli-homeserver.ts';
import { substitute } from './cli-script.ts';
import { compareTrees, readTree, withoutFolderTimes } from './cli-tree.ts';
import { passwordFile, revealText, sealValues, vaultSecret } from './cli-vault.ts';

/** Writes the files of a case, with values replaced and vault values made. */
export async function writeFiles(one: Case, files: ReadonlyMap<string, string>): Promise<void> {
  const texts = new Map([...files].map(([path, text]) => [path, substitute(text, one.values)]));
  const passwordOf = (label: string): VaultSecret =>
    vaultSecret(label, texts.get(passwordFile(label)) ?? '');
  for (const [path, text] of texts) write(one, path, await sealValues(text, passwordOf));
}

/** `own FILE`: the case knows that it holds secrets in clear. */
export function takeOwn(one: Case, [path = '']: readonly string[]): void {
  own(one, path);
}

/** `append FILE TEXT`: with a line end. */
export function append(one: Case, [path = '', text = '']: readonly string[]): void {
  appendFileSync(own(one, path), `${text}\n`);
}

/** `replace FILE OLD NEW` */
export function replace(one: Case, [path = '', old = '', now = '']: readonly string[]): void {
  const file = own(one, path);
  const text = readFileSync(file, 'utf8');
  assert(text.includes(old), `${path} does not hold ${old}`);
  writeFileSync(file, text.replace(old, now));
}

/** `crlf FILE`: with the line ends of Windows. */
export function useCrlf(one: Case, [path = '']: readonly string[]): void {
  const file = own(one, path);
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('\n', '\r\n'));
}

/** `seal FILE [LABEL]` encrypts the whole file. */
export async function seal(one: Case, [path = '', label]: readonly string[]): Promise<void> {
  const file = own(one, path);
  const text = await encryptText(readFileSync(file, 'utf8'), secretOf(one, label));
  writeFileSync(file, text);
}

/** `reveal FILE [LABEL]`: what the file holds in clear is what `stdout` then looks at. */
export async function reveal(one: Case, [path = '', label]: readonly string[]): Promise<void> {
  const text = readFileSync(join(one.work, path), 'utf8');
  const stdout = await revealText(text, [secretOf(one, label)]);
  one.last = { exitCode: 0, stdout, stderr: '' };
}

/**
 * `stored FILE VARIABLE LOCALPART [DEVICE_VARIABLE]`: what stands there in the vault is the token of
 * an open session of the user, whose only one it is; with the ID of its device.
 */
export async function checkStored(one: Case, args: readonly string[]): Promise<void> {
  const [homeserver, words] = pickNamed(one, args);
  const label = words.find((word) => word.startsWith('label='))?.slice(6);
  const [path = '', variable, localpart = '', device] = words.filter(
    (word) => !word.startsWith('label='),
  );
  const text = readFileSync(join(one.work, path), 'utf8');
  const revealed = await revealText(text, [secretOf(one, label)]);
  const valueOf = (name: string | undefined): string | undefined =>
    revealed
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(`${name}: `.length);
  checkSession(homeserver, {
    token: valueOf(variable) ?? '',
    localpart,
    deviceId: device === undefined ? null : (valueOf(device) ?? 'none'),
  });
}

/** `snapshot PATH` remembers a tree: names, bytes, modes, times. */
export function snapshot(one: Case, [path = '']: readonly string[]): void {
  one.snapshots.set(path, readTree(join(one.work, path)));
}

/** `same-tree PATH`: nothing has changed below it since `snapshot`. */
export function checkSameTree(one: Case, [path = '']: readonly string[]): void {
  const before = one.snapshots.get(path);
  if (before === undefined) throw new Error(`no snapshot of ${path} was taken`);
  assert.deepEqual(compareTrees(before, readTree(join(one.work, path))), []);
}

/** `same-files PATH`: the same, but that something may have been made in folders and removed. */
export function checkSameFiles(one: Case, [path = '']: readonly string[]): void {
  const before = one.snapshots.get(path);
  if (before === undefined) throw new Error(`no snapshot of ${path} was taken`);
  const now = withoutFolderTimes(readTree(join(one.work, path)));
  assert.deepEqual(compareTrees(withoutFolderTimes(before), now), []);
}

/** `begins-as FILE OLD`: the first bytes of a file are all those of another. */
export function checkBeginning(one: Case, [path = '', old = '']: readonly string[]): void {
  const beginning = readFileSync(join(one.work, old));
  const now = readFileSync(join(one.work, path)).subarray(0, beginning.length);
  assert.equal(now.toString('latin1'), beginning.toString('latin1'));
}

/**
 * `looks-like FILE EXPECTED [LABEL]`: the same text, in clear if the file is encrypted. What no two runs
 * have in common is left out of both: lines of envelopes; tokens and new device IDs.
 */
export async function checkLook(one: Case, args: readonly string[]): Promise<void> {
  const [path = '', expected = '', label] = args;
  const read = (name: string): string => readFileSync(join(one.work, name), 'utf8');
  const text = read(path);
  const at = { file: path, line: 1, column: 1 };
  const plain = isEnvelope(text)
    ? await decryptText(text, keyringOf([secretOf(one, label)]), at)
    : text;
  assert.equal(withoutChance(plain), withoutChance(read(expected)));
}

function withoutChance(text: string): string {
  return text
    .replaceAll(/^ *(?:\$ANSIBLE_VAULT;[^"\r\n]*|[0-9a-f]{2,80})\r?\n/gm, '')
    .replaceAll(/"\$ANSIBLE_VAULT[^"]*"/g, '"ENVELOPE"')
    .replaceAll(/\bMT[0-9A-F]{20}\b/g, 'DEVICE')
    .replaceAll(/"syt_[^"]*"/g, '"TOKEN"');
}

/** `exists PATH …` */
export function checkExists(one: Case, paths: readonly string[]): void {
  for (const path of paths) assert(existsSync(join(one.work, path)), `${path} does not exist`);
}

/** `mode PATH OCTAL` */
export function checkMode(one: Case, [path = '', mode]: readonly string[]): void {
  assert.equal((lstatSync(join(one.work, path)).mode & 0o7777).toString(8), mode);
}

/** `is-link PATH` */
export function checkLink(one: Case, [path = '']: readonly string[]): void {
  assert(lstatSync(join(one.work, path)).isSymbolicLink(), `${path} is no link`);
}

/** `grep PATTERN FILE` */
export function checkText(one: Case, [pattern = '', path = '']: readonly string[]): void {
  assert.match(readFileSync(join(one.work, path), 'utf8'), new RegExp(pattern, 'm'));
}

/** `mkdir PATH` */
export function makeFolder(one: Case, [path = '']: readonly string[]): void {
  mkdirSync(join(one.work, path), { recursive: true });
}

/** `chmod OCTAL PATH` */
export function changeMode(one: Case, [mode = '', path = '']: readonly string[]): void {
  chmodSync(join(one.work, path), Number.parseInt(mode, 8));
}

/** `symlink LINK TARGET` */
export function makeLink(one: Case, [link = '', target = '']: readonly string[]): void {
  symlinkSync(target, join(one.work, link));
}

function write(one: Case, path: string, text: string): void {
  const file = own(one, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function own(one: Case, path: string): string {
  one.written.add(path);
  return join(one.work, path);
}

function secretOf(one: Case, label = 'default'): VaultSecret {
  return vaultSecret(label, readFileSync(join(one.work, passwordFile(label)), 'utf8'));
}
