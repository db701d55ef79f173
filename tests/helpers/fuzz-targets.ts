// Every fuzz target. A long run has more than a million cases.
import { definitionTargets } from './fuzz-definitions.ts';
import { longTargets } from './fuzz-long.ts';
import { readerTargets } from './fuzz-readers.ts';
import { spliceTargets } from './fuzz-splice.ts';
import { vaultTargets } from './fuzz-vault.ts';
import type { FuzzTarget } from './fuzz.ts';

export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  ...vaultTargets,
  ...readerTargets,
  ...spliceTargets,
  ...definitionTargets,
  ...longTargets,
];
