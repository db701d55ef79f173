// What a server says is untrusted: it may echo secrets, drive a terminal with control characters,
// or be as long as a book. What decides something is compared with words that are known before; a
// secret that happens to be a part of one changes nothing.
import { hidesSecret, redact, REDACTED } from '../secret.ts';
import { FAILURE_CODES } from './failure.ts';
import { LOGIN_TYPES, PRODUCTS } from './known-words.ts';

/** The longest text of a server that is shown, in characters. */
const LONGEST_TEXT = 200;
/** So much of it is looked at. */
const LONGEST_READ = 4000;
/** C0, DEL, C1, and marks that are invisible or turn the direction of writing round. */
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
/** A long word of small and capital letters and digits: the token of a server that puts no name to it. */
const RANDOM_WORD = /\b(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{32,}/g;
/** Codes of the specification, and others in the manner of Java packages. */
const ERRCODE = /^(?:M_|[A-Z][A-Z0-9]*[._])[A-Z0-9_.]{1,98}$/;
const PRODUCT_NAME = /^[A-Za-z][\w-]{0,39}(?=$|[/ ])/;
const LOGIN_TYPE = /^[\w.-]{1,100}$/;
const DEVICE_ID = /^[\x21-\x7e]+$/;
const RETRY_AFTER = /^(?:\d{1,15}|[A-Za-z]{3}, \d{2} [A-Za-z]{3} \d{4} [\d:]{8} GMT)$/;
const MEDIA_TYPE =
  /^(?:application|audio|font|image|message|model|multipart|text|video)\/[a-z\d.+-]{1,40}(?=\s*(?:;|$))/i;

/**
 * Makes a server's text fit for an error message: secrets hidden, control characters taken out,
 * one line, at most 200 characters. A text in which a secret is disguised is not shown at all.
 */
export function cleanServerText(text: string): string {
  // Twice: a secret that stands there broken up by control characters is whole only without them.
  const line = redact(text.slice(0, LONGEST_READ))
    .replaceAll(/\s+/g, ' ')
    .replaceAll(UNPRINTABLE, '')
    .trim();
  const known = redact(line);
  if (hidesSecret(known)) return REDACTED;
  const hidden = known.replaceAll(RANDOM_WORD, REDACTED);
  const isCut = text.length > LONGEST_READ;
  // The last word may be half a secret.
  if (hidden.length <= LONGEST_TEXT) return isCut ? hidden.replace(/\S*$/, '…') : hidden;
  // Half of a surrogate pair is no character.
  return `${hidden.slice(0, LONGEST_TEXT - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** Gives an `errcode` if it is one that may be shown, otherwise null. */
export function cleanErrcode(errcode: string): string | null {
  if (!ERRCODE.test(errcode)) return null;
  return Object.hasOwn(FAILURE_CODES, errcode) || isFit(errcode) ? errcode : null;
}

/** Gives the media type of a Content-Type header in lower case, or null. */
export function cleanMediaType(header: string): string | null {
  const type = MEDIA_TYPE.exec(header)?.[0] ?? null;
  return type !== null && isFit(type) ? type.toLowerCase() : null;
}

/** Gives a login type if it is one that may be shown, otherwise null. */
export function cleanLoginType(type: string): string | null {
  if (LOGIN_TYPES.includes(type)) return type;
  return LOGIN_TYPE.test(type) && isFit(type) ? type : null;
}

/**
 * Gives a device ID if it is one that may be sent and shown, otherwise null. It decides nothing: what
 * was asked for is compared before, and another one is written down so that its session can be ended.
 */
export function cleanDeviceId(deviceId: string): string | null {
  return DEVICE_ID.test(deviceId) && isFit(deviceId) ? deviceId : null;
}

/** Gives a Retry-After header if it is a number or a date, otherwise null: it is for counting only. */
export function cleanRetryAfter(header: string): string | null {
  return RETRY_AFTER.test(header) ? header : null;
}

function isFit(text: string): boolean {
  return redact(text) === text && !hidesSecret(text);
}

/** Gives the name of the product in a Server header, or null. */
export function cleanProductName(header: string): string | null {
  const name = PRODUCT_NAME.exec(header)?.[0] ?? null;
  if (name === null) return null;
  const isKnown = PRODUCTS.some((product) => product === name.toLowerCase());
  return isKnown || isFit(name) ? name : null;
}
