// In which order faults are told: as somebody would mend them, file by file, from top to bottom.
import { formatPosition, type Fault } from '../errors.ts';

/**
 * Gives each fault once, those of one file together and by their lines. What several hosts have in
 * common is found once for each of them. Options and the environment come first.
 */
export function orderFaults(faults: readonly Fault[]): readonly Fault[] {
  const distinct = [...new Map(faults.map((fault) => [keyOf(fault), fault])).values()];
  const files = [...new Set(distinct.map(fileOf))];
  const rank = (fault: Fault): number =>
    fault.at === undefined ? -1 : files.indexOf(fileOf(fault));
  return distinct.toSorted(
    (a, b) =>
      rank(a) - rank(b) ||
      (a.at?.line ?? 0) - (b.at?.line ?? 0) ||
      (a.at?.column ?? 0) - (b.at?.column ?? 0),
  );
}

function keyOf({ code, at, found }: Fault): string {
  return JSON.stringify([code, at === undefined ? null : formatPosition(at), found]);
}

function fileOf({ at }: Fault): string {
  return at?.file ?? '';
}
