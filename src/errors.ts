// Two kinds of trouble: what the operator can mend before anything is done (`InputError`, exit
// code 5, all faults at once), and bugs (everything else, exit code 70). What goes wrong with one
// service or one homeserver during a run is not thrown: it is an outcome (see src/report.ts).

/**
 * A place in a file: line and column count from 1, the column in UTF-16 code units. Both are 0 where
 * the file as a whole is meant, or `file` says what else there is to say of the place.
 */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One thing that the operator has to mend. None of its texts may hold a secret. */
export interface Fault {
  readonly code: FaultCode;
  /** Where it stands; absent for options and the environment. */
  readonly at?: Position | undefined;
  /** What was found, one sentence without a full stop. */
  readonly found: string;
  /** What is wanted instead. */
  readonly wanted?: string | undefined;
  /** What to do: a sentence or a command. */
  readonly fix?: string | undefined;
}

/** Every fault code with its meaning in one line; docs/troubleshooting.md has a section for each. */
export const FAULT_CODES = {
  E_OPTION: 'an option of the command line is wrong',
  E_ENVIRONMENT: 'an environment variable is wrong or unsafe',
  E_FILE: 'a file cannot be read',
  E_YAML: 'a file is not YAML as Ansible reads it',
  E_INI: 'an INI inventory has a line that cannot be read',
  E_INVENTORY: 'an inventory is not built as Ansible wants it',
  E_UNSUPPORTED: 'something that matrix-tokens does not read yet',
  E_LIMIT: 'the limit names no host',
  E_PLAY: 'the role is used in a way that it cannot do',
  E_REFERENCE: 'a value that is needed refers to a variable that is not defined, or to itself',
  E_TEMPLATE: 'a value that is needed holds Jinja other than plain references',
  E_VAULT_FORMAT: 'a vault envelope is damaged',
  E_VAULT_PASSWORD: 'the vault password is missing or wrong where one is needed',
  E_NO_SAFE_SPLICE: 'a file has no place for a value where nothing else would change',
  E_REKEY_FILE: 'a file that rekey cannot change without touching what belongs to no service',
  E_LOCKED: 'another run works on the same file',
  E_UNKNOWN_KEY: 'a key that no definition has',
  E_UNKNOWN_SERVICE: 'a service that neither the catalog nor the inventory knows',
  E_VALUE: 'a value of a definition has the wrong type or form',
  E_REQUIRED: 'a definition lacks something that it needs',
  E_DUPLICATE_SERVICE: 'one service is defined twice on a host',
  E_USER_ID: 'a user, server name or homeserver URL is malformed',
  E_RENAMED: 'a variable has an old name that no longer works',
  E_NO_PASSWORD: 'a service wants a token and has no password to log in with',
  E_NO_SECRET: 'a secret of a homeserver cannot be read',
  E_SHARED_DEVICE: 'two services would share a device',
  E_SHARED_VARIABLE: 'two services would write the same variable',
  E_SHARED_SERVICE: 'the same user and service stand on two hosts of one server',
  E_OVERRIDDEN: 'another file would win over the one to be written',
  E_HIDES_MAP: 'the file to be written would hide the rest of a map',
  E_TARGET: 'the file to be written cannot be used',
  E_THROWAWAY: 'the file to be written would vanish with the job',
  E_HOST_VARS_FILE: 'the variables of a host stand in a single file that a folder would switch off',
  E_TOKEN_VALUE: 'what stands in the place of a token is none',
  E_DEVICE_MISSING: 'a token is there, but the device ID that belongs to it is not',
} as const;

export type FaultCode = keyof typeof FAULT_CODES;

/** Bad input: the run ends with exit code 5 before anything was tried anywhere. */
export class InputError extends Error {
  override name = 'InputError' as const;
  readonly faults: readonly Fault[];

  constructor(faults: Fault | readonly Fault[]) {
    const list = Array.isArray(faults) ? (faults as readonly Fault[]) : [faults as Fault];
    super(list.map(formatFaultLine).join('\n'));
    this.faults = list;
  }
}

/**
 * Waits for all, so that every fault is told at once: throws one InputError with the faults of all
 * that failed so, or else the first other error.
 */
export async function settleAll<T extends readonly unknown[]>(work: {
  readonly [K in keyof T]: Promise<T[K]>;
}): Promise<T> {
  const settled = await Promise.allSettled(work);
  const reasons = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  const bug = reasons.find((reason) => !(reason instanceof InputError));
  if (bug !== undefined) throw bug;
  const faults = reasons.flatMap((reason) => (reason as InputError).faults);
  if (faults.length > 0) throw new InputError(faults);
  return settled.map((one) => (one as PromiseFulfilledResult<unknown>).value) as unknown as T;
}

/** Gives `file:line:column`, as far as it is known. */
export function formatPosition(at: Position): string {
  return at.line === 0 ? at.file : `${at.file}:${at.line}:${at.column}`;
}

function formatFaultLine(fault: Fault): string {
  const place = fault.at === undefined ? '' : `${formatPosition(fault.at)}: `;
  return `${place}${fault.found} [${fault.code}]`;
}
