import { distance } from 'fastest-levenshtein';

/** Gives the word that was probably meant, or undefined where none is near enough. */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  const reach = word.length < 5 ? 1 : word.length < 9 ? 2 : 3;
  let best: string | undefined;
  let least = reach + 1;
  for (const candidate of known) {
    const steps = isSwapped(word, candidate) ? 1 : distance(word, candidate);
    if (steps < least) [best, least] = [candidate, steps];
  }
  return best;
}

/** The commonest slip of all: two letters next to each other, the other way round. */
function isSwapped(word: string, candidate: string): boolean {
  if (word.length !== candidate.length || word === candidate) return false;
  let at = 0;
  while (word[at] === candidate[at]) at += 1;
  const [first = '', second = ''] = candidate.slice(at, at + 2);
  return word === candidate.slice(0, at) + second + first + candidate.slice(at + 2);
}

/** Gives `did you mean 'x'?`, or undefined. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const best = suggest(word, known);
  return best === undefined ? undefined : `did you mean '${best}'?`;
}
