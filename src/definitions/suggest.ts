import { distance } from 'fastest-levenshtein';

/** Gives the word that was probably meant, or undefined where none is near enough. */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  const reach = word.length < 5 ? 1 : word.length < 9 ? 2 : 3;
  let best: string | undefined;
  let least = reach + 1;
  for (const candidate of known) {
    const steps = distance(word, candidate);
    if (steps < least) [best, least] = [candidate, steps];
  }
  return best;
}

/** Gives `did you mean 'x'?`, or undefined. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const best = suggest(word, known);
  return best === undefined ? undefined : `did you mean '${best}'?`;
}
