// Access tokens and device IDs in the form that each server gives them.
import { randomBytes, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const DIGITS = '0123456789';
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const BASE62 = `${DIGITS}${UPPER}${LOWER}`;
const CHECKSUM_LENGTH = 6;

/** Gives `syt_<localpart in base64>_<20 letters>_<checksum>`, as Synapse does. */
export function synapseToken(localpart: string): string {
  const name = Buffer.from(localpart).toString('base64').replaceAll('=', '');
  const token = `syt_${name}_${randomText(UPPER + LOWER, 20)}`;
  return `${token}_${checksum(token)}`;
}

/** Gives `mct_<30 letters and digits>_<checksum>`, as MAS does; its checksum is written backwards. */
export function masToken(): string {
  const token = `mct_${randomText(BASE62, 30)}`;
  return `${token}_${Array.from(checksum(token)).toReversed().join('')}`;
}

/** Gives 43 characters of base64url, as Dendrite does. */
export function dendriteToken(): string {
  return randomBytes(32).toString('base64url');
}

/** Gives ten capital letters, as Synapse does. */
export function synapseDeviceId(): string {
  return randomText(UPPER, 10);
}

/** Gives so many letters and digits: tokens and device IDs of several servers. */
export function alphanumeric(length: number): string {
  return randomText(BASE62, length);
}

/** The CRC-32 of a token's beginning in base 62, as it ends a token of Synapse. */
export function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  while (rest > 0) {
    digits = `${BASE62.charAt(rest % BASE62.length)}${digits}`;
    rest = Math.floor(rest / BASE62.length);
  }
  return digits.padStart(CHECKSUM_LENGTH, '0');
}

function randomText(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join('');
}
