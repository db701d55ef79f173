// The last line of defence against leaks. Two rules for the rest of the code:
// 1. a secret travels inside a `Secret`, so that printing the object around it shows `<redacted>`;
// 2. whatever is printed goes through `redact` once, at the place that writes to the outside.
import { inspect } from 'node:util';

const REDACTED = '<redacted>';

/** Shapes of tokens that homeservers issue; they are hidden even if nobody registered them. */
const TOKEN_SHAPE = /\b(?:syt|syr|syl|mct|mcr|mat|mar|mpt)_[A-Za-z0-9+/=_-]{8,}/g;

/** Shorter values would turn ordinary words into `<redacted>` and so give themselves away. */
const SHORTEST_HIDDEN = 4;

const known = new Set<string>();
let longestFirst: string[] | null = null;

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
 * and JSON-, URL- and base64-encoded. Gives the text with `<redacted>` in their place.
 */
export function redact(text: string): string {
  longestFirst ??= [...known].sort((a, b) => b.length - a.length);
  let result = text;
  for (const form of longestFirst) {
    if (result.includes(form)) result = result.replaceAll(form, REDACTED);
  }
  return result.replaceAll(TOKEN_SHAPE, REDACTED);
}

function remember(value: string): void {
  if (value.length < SHORTEST_HIDDEN) return;
  for (const form of formsOf(value)) known.add(form);
  longestFirst = null;
}

function formsOf(value: string): string[] {
  const base64 = Buffer.from(value).toString('base64');
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    asciiJson(value),
    encodeURIComponent(Buffer.from(value).toString()),
    new URLSearchParams({ v: value }).toString().slice(2),
    base64,
    base64.replace(/=+$/, ''),
    Buffer.from(value).toString('base64url'),
    Buffer.from(value).toString('hex'),
  ].filter((form) => form.length >= SHORTEST_HIDDEN);
}

/** JSON as Python writes it by default: everything above ASCII as \uXXXX. */
function asciiJson(value: string): string {
  return JSON.stringify(value)
    .slice(1, -1)
    .replaceAll(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
