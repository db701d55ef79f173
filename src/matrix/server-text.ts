// What a server says is untrusted: it may echo secrets, drive a terminal with control characters,
// or be as long as a book.
import { redact } from '../secret.ts';

/** The longest text of a server that is shown, in characters. */
const LONGEST_TEXT = 200;
/** C0, DEL, C1, and marks that are invisible or turn the direction of writing round. */
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
/** A long word of small and capital letters and digits: the token of a server that puts no name to it. */
const RANDOM_WORD = /\b(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{32,}/g;
/** Codes of the specification, and others in the manner of Java packages. */
const ERRCODE = /^(?:M_|[A-Z][A-Z0-9]*[._])[A-Z0-9_.]{1,98}$/;
const PRODUCT_NAME = /^[A-Za-z][\w-]{0,39}(?=$|[/ ])/;
const MEDIA_TYPE = /^[\w.+-]{1,40}\/[\w.+-]{1,60}/;

/**
 * Makes a server's text fit for an error message: secrets hidden, control characters taken out,
 * one line, at most 200 characters.
 */
export function cleanServerText(text: string): string {
  // Twice: a secret that stands there broken up by control characters is whole only without them.
  const line = redact(text).replaceAll(/\s+/g, ' ').replaceAll(UNPRINTABLE, '').trim();
  const hidden = redact(line).replaceAll(RANDOM_WORD, '<redacted>');
  if (hidden.length <= LONGEST_TEXT) return hidden;
  // Half of a surrogate pair is no character.
  return `${hidden.slice(0, LONGEST_TEXT - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** Gives an `errcode` if it is one that may be shown, otherwise null. */
export function cleanErrcode(errcode: string): string | null {
  return ERRCODE.test(errcode) && redact(errcode) === errcode ? errcode : null;
}

/** Gives the media type of a Content-Type header in lower case, or null. */
export function cleanMediaType(header: string): string | null {
  const type = MEDIA_TYPE.exec(header)?.[0] ?? null;
  return type !== null && redact(type) === type ? type.toLowerCase() : null;
}

/** Gives the name of the product in a Server header, or null. */
export function cleanProductName(header: string): string | null {
  const name = PRODUCT_NAME.exec(header)?.[0] ?? null;
  return name !== null && redact(name) === name ? name : null;
}
