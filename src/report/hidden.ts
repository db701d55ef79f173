// Secrets are taken out of a report before it is laid out: a secret that is broken over two lines, or
// escaped, is not found any more.
import type { Fault } from '../errors.ts';
import { redact } from '../secret.ts';
import { withoutSecrets } from './ascii.ts';
import type { Report } from './types.ts';

/** Said once by a run of which something is hidden that only looks like a secret. */
export const OWN_WORD_HIDDEN =
  'a password or another secret of this run is also a word of what it prints, and is hidden there';

/** Gives a report in which every secret is hidden; a note says so. */
export function hideInReport(report: Report): Report {
  const hidden: Report = {
    ...withoutSecrets(report),
    // Words out of a list of ours say nothing of a secret that happens to be one of them.
    task: report.task,
    interrupted: report.interrupted,
    outcomes: report.outcomes.map((one) => {
      const { outcome, code } = one;
      return { ...withoutSecrets(one), outcome, code };
    }),
  };
  return isSame(hidden, report) ? hidden : { ...hidden, notes: withNote(hidden.notes) };
}

/** Gives bad input in which every secret is hidden. */
export function hideInFaults(faults: readonly Fault[]): readonly Fault[] {
  return faults.map((fault) => ({ ...withoutSecrets(fault), code: fault.code }));
}

/**
 * Gives a text for people whose own words may be secrets, too: `layOut` is asked again, with a note,
 * if any of them had to be hidden.
 */
export function hideInText(
  notes: readonly string[],
  layOut: (notes: readonly string[]) => string,
): string {
  const text = layOut(notes);
  return redact(redact(text) === text ? text : layOut(withNote(notes)));
}

/** True if nothing had to be hidden. */
export function isSame(hidden: object, given: object): boolean {
  return JSON.stringify(hidden) === JSON.stringify(given);
}

function withNote(notes: readonly string[]): readonly string[] {
  return notes.includes(OWN_WORD_HIDDEN) ? notes : [...notes, OWN_WORD_HIDDEN];
}
