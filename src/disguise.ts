// The ways in which a secret may be written down by a server that hands it back: split over lines,
// encoded, encoded twice. A text is not decoded in one right way but in all of them, since only
// whether a secret can be read in it matters.

/** A text that can be read in more ways than this is not read to its end. */
const MOST_READINGS = 2000;
const MOST_DECODINGS = 4;
/** Spaces, control characters, and marks that are invisible. */
const SEPARATORS = /[\s\p{C}\p{Mn}]+/gu;

/** Gives a text without what may split a secret, in small letters. */
export function squeeze(text: string): string {
  return bare(text).toLowerCase();
}

function bare(text: string): string {
  return text.replaceAll(SEPARATORS, '');
}

/**
 * Gives all that a text may stand for, itself included: decoded up to four times over.
 * Null: there is no end to it.
 */
export function readingsOf(text: string): readonly string[] | null {
  const found = new Set([text, bare(text)]);
  let latest = [...found];
  for (let depth = 0; depth < MOST_DECODINGS; depth += 1) {
    const next: string[] = [];
    const decoded = latest.flatMap(decodings);
    for (const reading of [...decoded, ...decoded.map(bare)]) {
      if (found.has(reading)) continue;
      found.add(reading);
      next.push(reading);
    }
    if (found.size > MOST_READINGS) return null;
    latest = next;
  }
  return [...found];
}

function decodings(text: string): string[] {
  const readings = [
    unescapePercent(text, '%'),
    unescapePercent(text.replaceAll('+', ' '), '%'),
    unescapePercent(text, '='),
    unescapeBackslashes(text),
    unescapeEntities(text),
    ...unpackRuns(text, /(?:[0-9a-f]{2}){4,}/gi, 2, 'hex'),
    ...unpackRuns(text, /[\w+/-]{6,}/g, 4, 'base64'),
  ];
  return readings.filter((reading) => reading !== '' && reading !== text);
}

/** `%C3%A4`, or `=C3=A4`; what is no UTF-8 becomes something else that is no secret. */
function unescapePercent(text: string, mark: '%' | '='): string {
  return text.replaceAll(new RegExp(`(?:${mark}[0-9a-f]{2})+`, 'gi'), (run) =>
    Buffer.from(run.replaceAll(mark, ''), 'hex').toString('utf8'),
  );
}

const LETTERS: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

function unescapeBackslashes(text: string): string {
  return text.replaceAll(
    /\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|(.))/gis,
    (_whole, unicode?: string, byte?: string, letter = '') => {
      const code = unicode ?? byte;
      if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
      return LETTERS[letter as string] ?? (letter as string);
    },
  );
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  apos: "'",
  gt: '>',
  lt: '<',
  nbsp: ' ',
  quot: '"',
};

function unescapeEntities(text: string): string {
  return text.replaceAll(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,6}));/gi,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

/** A run may begin with characters that do not belong to it: each place to begin is tried. */
function unpackRuns(
  text: string,
  runs: RegExp,
  places: number,
  encoding: 'hex' | 'base64',
): string[] {
  const found = text.match(runs) ?? [];
  if (found.length === 0) return [];
  return Array.from({ length: places }, (_, place) =>
    found.map((run) => Buffer.from(run.slice(place), encoding).toString('utf8')).join('\n'),
  );
}
