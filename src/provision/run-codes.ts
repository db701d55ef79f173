// Codes of outcomes that are neither a homeserver's nor the network's.
import { InputError } from '../errors.ts';
import type { Failure } from '../matrix/failure.ts';
import { StoreError } from '../vault/store-error.ts';

/** Every code with its meaning in one line; docs/troubleshooting.md has a section for each. */
export const RUN_CODES = {
  STORE_FAILED: 'the token could not be written',
  STORE_UNSURE: 'the token is written, but it is not sure that it survives a power cut',
  SESSION_LEFT: 'a session of an earlier login could not be removed',
  USER_MISSING: 'the homeserver has no such user',
  REKEY_FAILED: 'nothing was encrypted again, since not every file could be',
  REKEY_UNFINISHED: 'a file waits for its new content, which the next run puts into its place',
  CLOSED_VAULT: 'only a vault that was not opened could tell',
} as const;

export type RunCode = keyof typeof RUN_CODES;

/** Gives the failure of one service for a reason on this machine. Rethrows what is no such reason. */
export function localFailure(code: RunCode, error: unknown, state: string): Failure {
  return {
    kind: 'failure',
    scope: 'user',
    outcome: 'failed',
    code,
    message: `${describeReason(error)}; ${state}`,
    maybeExecuted: false,
  };
}

function describeReason(error: unknown): string {
  if (error instanceof StoreError) return error.message;
  if (error instanceof InputError) return error.faults.map((fault) => fault.found).join('; ');
  throw error;
}
