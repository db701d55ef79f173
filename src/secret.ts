// The last line of defence against leaks. Rules for the rest of the code:
// 1. a secret travels inside a `Secret`, so that printing the object around it shows `<redacted>`;
// 2. whatever is printed goes through `redact` once, at the place that writes to the outside;
// 3. what a server wrote is shown only if no secret can be read in it: see `hidesSecret`.
import { inspect } from 'node:util';
import { readingsOf, squeeze } from './disguise.ts';

/** What stands in the place of a secret. */
export const REDACTED = '<redacted>';

/**
 * Shapes of tokens that homeservers issue; they are hidden even if nobody registered them. Words may
 * end in mat, mar and mpt.
 */
const TOKEN_SHAPE =
  /(?:syt|syr|syl|mct|mcr|\b(?:mat|mar|mpt)|(?:mat|mar|mpt)(?=_[A-Za-z0-9]{30}_))_[A-Za-z0-9+/=_-]{8,}/g;

/** Shorter values would turn ordinary words into `<redacted>` and so give themselves away. */
const SHORTEST_HIDDEN = 4;

/** Shorter values are found in texts by chance, once these have lost their spaces. */
const SHORTEST_DISGUISED = 6;

const known = new Set<string>();
const squeezed = new Set<string>();
/** The forms of secrets in the order in which they are looked for. */
let order: string[] | null = null;

/** A value that must not be printed. Prints as `<redacted>` in text, JSON and `inspect`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    remember(value);
  }

  /** Gives the secret itself, for the one place that sends or encrypts it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}

/** Has a text hidden from now on that must stay a string, such as what came out of a vault. */
export function hideSecret(value: string): void {
  remember(value);
}

/**
 * Hides every secret that this process has seen, in any form that it may take in a text: as it is,
 * and JSON-, URL-, base64- and hex-encoded. Gives the text with `<redacted>` in their place.
 */
export function redact(text: string): string {
  order ??= orderForms();
  let parts = [text];
  for (const form of order) {
    if (parts.some((part) => part.includes(form))) parts = parts.flatMap((one) => one.split(form));
  }
  return parts.map((part) => part.replaceAll(TOKEN_SHAPE, REDACTED)).join(REDACTED);
}

/** What is hidden already is not looked into again, should a secret be part of that word. */
function orderForms(): string[] {
  const longestFirst = [...known].sort((a, b) => b.length - a.length);
  const around = longestFirst.filter((form) => form.includes(REDACTED));
  return [...around, REDACTED, ...longestFirst.filter((form) => !form.includes(REDACTED))];
}

/**
 * True if a secret that this process has seen can be read in a text although `redact` does not find
 * it: split over lines, encoded twice, in other letters.
 */
export function hidesSecret(text: string): boolean {
  const readings = readingsOf(text);
  if (readings === null) return true;
  if (readings.some((one) => one.search(TOKEN_SHAPE) >= 0)) return true;
  const bare = readings.map(squeeze);
  for (const value of squeezed) if (bare.some((one) => one.includes(value))) return true;
  return false;
}

function remember(value: string): void {
  if (value.length < SHORTEST_HIDDEN) return;
  const bare = squeeze(value);
  if (bare.length >= SHORTEST_DISGUISED) squeezed.add(bare);
  for (const form of formsOf(value)) known.add(form);
  order = null;
}

function formsOf(value: string): string[] {
  const base64 = Buffer.from(value).toString('base64');
  const hex = Buffer.from(value).toString('hex');
  const url = encodeURIComponent(Buffer.from(value).toString());
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    asciiJson(value),
    url,
    url.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    new URLSearchParams({ v: value }).toString().slice(2),
    base64,
    base64.replace(/=+$/, ''),
    Buffer.from(value).toString('base64url'),
    hex,
    hex.toUpperCase(),
  ].filter((form) => form.length >= SHORTEST_HIDDEN);
}

/** JSON as Python writes it by default: everything above ASCII as \uXXXX. */
function asciiJson(value: string): string {
  return JSON.stringify(value)
    .slice(1, -1)
    .replaceAll(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
