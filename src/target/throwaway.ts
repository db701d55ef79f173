// Folders that vanish with the job. AWX copies the project for each job, and an execution
// environment is a container: a token that is written there is lost, and the next job logs in again.
import { statfsSync } from 'node:fs';
import { dirname, isAbsolute, relative } from 'node:path';
import type { Fault } from '../errors.ts';

/** Where ansible-runner shows a job's private folder inside of its container. */
const RUNNER = '/runner';

/** File systems that live no longer than their container: overlayfs, tmpfs, ramfs. */
export const FLEETING: readonly number[] = [0x79_4c_76_30, 0x01_02_19_94, 0x85_84_58_f6];

export interface Place {
  readonly file: string;
  readonly shown: string;
  /** The operator named its folder as a lasting one. */
  readonly isNamed: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Gives the fault of a file that this job would write for nothing; null as far as can be seen.
 * `typeOf` tells the file system of a folder, null where there is no such folder.
 */
export function throwawayFault(
  place: Place,
  env: Environment,
  typeOf: TypeOf = fileSystemType,
): Fault | null {
  const job = jobOf(env);
  if (job === null) return null;
  const isInside = job.folders.some((folder) => isBelow(place.file, folder));
  // An inventory below /runner may well be a folder of the host; who names it knows.
  const vanishes = isInside ? job.kind === 'AWX' || !place.isNamed : isFleeting(place.file, typeOf);
  if (!vanishes) return null;
  return {
    code: 'E_THROWAWAY',
    at: { file: place.shown, line: 1, column: 1 },
    found: `a file in a folder that vanishes with this job (${job.kind}): the next job would log in again`,
    wanted: 'matrix_tokens_vault_dir: a folder that outlives the job, such as a mounted volume',
    fix: 'see docs/playbook.md, "AWX and execution environments"',
  };
}

interface Job {
  readonly kind: 'AWX' | 'execution environment';
  /** Everything in them is removed when the job ends. */
  readonly folders: readonly string[];
}

/** @see build_env in AWX, and _prepare_env in ansible-runner */
function jobOf(env: Environment): Job | null {
  const has = (name: string): boolean => (env[name] ?? '') !== '';
  const own = env['AWX_PRIVATE_DATA_DIR'] ?? '';
  if (own !== '' || has('AWX_HOST') || (has('JOB_ID') && has('INVENTORY_ID'))) {
    return { kind: 'AWX', folders: own === '' ? [RUNNER] : [RUNNER, own] };
  }
  const isContainer = (env['AWX_ISOLATED_DATA_DIR'] ?? '').startsWith(`${RUNNER}/`);
  return isContainer ? { kind: 'execution environment', folders: [RUNNER] } : null;
}

function isBelow(file: string, folder: string): boolean {
  const inside = relative(folder, file);
  return !inside.startsWith('..') && !isAbsolute(inside);
}

type TypeOf = (folder: string) => number | null;

/** Asks the nearest folder that exists. */
function isFleeting(file: string, typeOf: TypeOf): boolean {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const type = typeOf(folder);
    if (type !== null) return FLEETING.includes(type);
    if (folder === dirname(folder)) return false;
  }
}

function fileSystemType(folder: string): number | null {
  try {
    return statfsSync(folder).type;
  } catch {
    return null;
  }
}
