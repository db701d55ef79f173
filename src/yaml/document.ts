// A text as a document of the YAML package, which goes down into nested maps and lists by recursion.
// Too deep a nesting is found before: near the end of the stack not every error can be caught.
import { Composer, Parser } from 'yaml';
import type { CST, Document } from 'yaml';
import { InputError } from '../errors.ts';
import { DEEPEST, syntaxFault, yamlFault } from './faults.ts';
import type { Locate } from './position.ts';

/** The schema in which every scalar is a string: what they mean is decided elsewhere. */
const OPTIONS = {
  schema: 'failsafe',
  uniqueKeys: false,
  prettyErrors: false,
  resolveKnownTags: false,
} as const;

export interface OpenedDocument {
  readonly document: Document.Parsed;
  /** Where a second document begins. */
  readonly second: number | null;
}

/** Parses a text; nodes keep the tokens they were made of if asked. Throws InputError (E_YAML) for one that is nested too deeply. */
export function openDocument(
  text: string,
  locate: Locate,
  { keepSourceTokens = false }: { readonly keepSourceTokens?: boolean } = {},
): OpenedDocument {
  const tokens = readTokens(text, locate);
  const tooDeep = findDeepest(tokens);
  if (tooDeep !== null) throw new InputError(syntaxFault('RESOURCE_EXHAUSTION', locate(tooDeep)));
  const [document, second] = new Composer({ ...OPTIONS, keepSourceTokens }).compose(
    tokens,
    true,
    text.length,
  );
  if (document === undefined) throw new TypeError('a text that makes no document');
  return { document, second: second?.range[0] ?? null };
}

/** Mistakes of some kinds, thousands of times, bring the parser itself to the end of the stack. */
function readTokens(text: string, locate: Locate): CST.Token[] {
  let line = 0;
  const parser = new Parser((offset) => {
    line = offset;
  });
  try {
    return [...parser.parse(text)];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const found = 'a line up to which there are too many mistakes to go on';
    throw new InputError(yamlFault(locate(line), found, 'YAML'));
  }
}

/** Gives where a value stands that is nested too deeply, or null. */
function findDeepest(tokens: readonly CST.Token[]): number | null {
  const waiting = tokens.map((token) => ({ token, depth: 0 }));
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
    const { token, depth } = one;
    if (depth > DEEPEST) return token.offset;
    for (const inner of insideOf(token)) waiting.push({ token: inner, depth: depth + 1 });
  }
  return null;
}

function insideOf(token: CST.Token): CST.Token[] {
  if (token.type === 'document') return token.value === undefined ? [] : [token.value];
  if (!('items' in token)) return [];
  return token.items.flatMap(({ key, value }) => [key ?? [], value ?? []].flat());
}
