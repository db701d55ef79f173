// The text of an Ansible Vault envelope: a header line, then hex at 80 columns. Read strictly: the
// header is one of the two that ansible-vault writes (1.1 without a label, 1.2 with one), every
// byte of the body has its place. What Ansible forgives in the layout (line endings, empty lines,
// spaces around a field of the header) is forgiven here too; what it refuses is refused.
import type { Position } from '../errors.ts';
import { InputError } from '../errors.ts';

const MARK = '$ANSIBLE_VAULT';
const COLUMNS = 80;
const MAC_BYTES = 32;
const BLOCK_BYTES = 16;

/** The label that ansible-vault gives to a password without one; it is never written. */
export const DEFAULT_LABEL = 'default';

/** The parts of an envelope. None of them is secret, and the label is not authenticated. */
export interface Envelope {
  /** The vault ID of format 1.2; null in format 1.1. */
  readonly label: string | null;
  readonly salt: Buffer;
  readonly mac: Buffer;
  readonly ciphertext: Buffer;
}

/** Tells whether a text claims to be an envelope; `parseEnvelope` tells whether it is one. */
export function isEnvelope(text: string): boolean {
  return text.startsWith(MARK);
}

/** Tells whether a vault ID can stand in a header, so that Ansible finds it there again. */
export function isLabel(text: string): boolean {
  return /^[!-:<-~](?:[ -:<-~]*[!-:<-~])?$/.test(text);
}

/**
 * Reads an envelope whose first character stands at `at`.
 * Throws `InputError` with E_VAULT_FORMAT for anything but a whole and well-formed one.
 * @see https://docs.ansible.com/ansible/latest/vault_guide/vault_using_encrypted_content.html#format-of-files-encrypted-with-ansible-vault
 */
export function parseEnvelope(text: string, at: Position): Envelope {
  const [header = '', ...lines] = text.split(/\r\n|\r|\n/);
  const label = parseHeader(header, at);
  const inner = parseHex(joinBody(lines, at), 'the body', at).toString('latin1');
  const parts = inner.split('\n');
  if (parts.length !== 3) {
    throw damaged(at, `the body has ${parts.length} parts`, '3: salt, MAC, ciphertext');
  }
  const [salt, mac, ciphertext] = [
    parseHex(parts[0] ?? '', 'the salt', at),
    parseHex(parts[1] ?? '', 'the MAC', at),
    parseHex(parts[2] ?? '', 'the ciphertext', at),
  ];
  checkSizes(salt, mac, ciphertext, at);
  return { label, salt, mac, ciphertext };
}

/** Body and content of what ansible-vault itself writes, in lines of 80 columns and as a whole. */
const WRITTEN = /^\$ANSIBLE_VAULT;1\.1;AES256\n((?:[0-9a-f]{80}\n)*[0-9a-f]{1,80}\n?)$/;
const CONTENT = /^(?:3\d|6[1-6]){64}0a(?:3\d|6[1-6]){64}0a(?:(?:3\d|6[1-6]){32})+$/;

/**
 * Checks that an envelope whose first character stands at `at` is well-formed, without a password.
 * Throws `InputError` with E_VAULT_FORMAT.
 */
export function checkEnvelope(text: string, at: Position): void {
  // Of thousands of values nearly all are of this form, and this takes a tenth of the time.
  const body = WRITTEN.exec(text)?.[1]?.replaceAll('\n', '');
  if (body === undefined || !CONTENT.test(body)) parseEnvelope(text, at);
}

/** Gives the text of an envelope, byte for byte as ansible-vault writes it, final newline included. */
export function formatEnvelope(envelope: Envelope): string {
  const { label } = envelope;
  const header =
    label === null || label === DEFAULT_LABEL
      ? `${MARK};1.1;AES256`
      : `${MARK};1.2;AES256;${label}`;
  const parts = [envelope.salt, envelope.mac, envelope.ciphertext];
  const inner = parts.map((part) => part.toString('hex')).join('\n');
  const body = Buffer.from(inner, 'latin1').toString('hex');
  const lines = body.match(new RegExp(`.{1,${COLUMNS}}`, 'g')) ?? [];
  return [header, ...lines, ''].join('\n');
}

function parseHeader(line: string, at: Position): string | null {
  const [mark, version, cipher, ...labels] = line.split(';').map(trimAscii);
  if (!isEnvelope(line) || mark !== MARK || version === undefined || cipher === undefined) {
    throw damaged(at, 'the header is not that of a vault', `${MARK};1.1;AES256`);
  }
  if (version !== '1.1' && version !== '1.2') {
    throw damaged(at, 'the header names an unknown format version', '1.1 or 1.2');
  }
  if (cipher !== 'AES256') {
    throw damaged(at, 'the header names an unknown cipher', 'AES256');
  }
  if (version === '1.1' && labels.length === 0) return null;
  const [label] = labels;
  if (version === '1.1' || labels.length !== 1 || label === undefined || !isLabel(label)) {
    throw damaged(at, 'the header and its vault ID do not fit', 'a vault ID in 1.2, none in 1.1');
  }
  return label;
}

function joinBody(lines: readonly string[], at: Position): string {
  const bad = lines.findIndex((line) => !/^[0-9a-f]*$/i.test(line));
  if (bad < 0) return lines.join('');
  // The header is line 1 of the envelope. The line itself is not shown: it may be a secret that
  // was pasted into the wrong place.
  const line = lines[bad] ?? '';
  const what = /^\s|\s$/.test(line) ? 'has spaces around its text' : 'is not hexadecimal';
  throw damaged(at, `line ${bad + 2} of the envelope ${what}`, 'hexadecimal digits only');
}

function parseHex(text: string, part: string, at: Position): Buffer {
  if (text.length % 2 !== 0) {
    throw damaged(at, `${part} has an odd number of digits`, 'two digits a byte');
  }
  if (!/^[0-9a-f]*$/i.test(text)) {
    throw damaged(at, `${part} is not hexadecimal`, 'hexadecimal digits only');
  }
  return Buffer.from(text, 'hex');
}

function checkSizes(salt: Buffer, mac: Buffer, ciphertext: Buffer, at: Position): void {
  if (salt.length === 0) throw damaged(at, 'the salt is empty', 'at least 1 byte');
  if (mac.length !== MAC_BYTES) {
    throw damaged(at, `the MAC has ${mac.length} bytes`, `${MAC_BYTES} bytes`);
  }
  if (ciphertext.length === 0 || ciphertext.length % BLOCK_BYTES !== 0) {
    const wanted = `a multiple of ${BLOCK_BYTES} bytes`;
    throw damaged(at, `the ciphertext has ${ciphertext.length} bytes`, wanted);
  }
}

/** Only the white space that Python's `bytes.strip()` knows. */
function trimAscii(text: string): string {
  const isSpace = (index: number): boolean => ' \t\v\f'.includes(text.charAt(index));
  let [start, end] = [0, text.length];
  while (start < end && isSpace(start)) start += 1;
  while (end > start && isSpace(end - 1)) end -= 1;
  return text.slice(start, end);
}

function damaged(at: Position, found: string, wanted: string): InputError {
  return new InputError({
    code: 'E_VAULT_FORMAT',
    at,
    found: `a damaged vault envelope: ${found}`,
    wanted,
    fix: 'restore it from a backup, or encrypt the value again with ansible-vault',
  });
}
