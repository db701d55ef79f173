// What provision-preload.ts is told, in a variable of the environment.

/** JSON of a `Preload`. */
export const PRELOAD_VARIABLE = 'MATRIX_TOKENS_TEST_PRELOAD';

export interface Preload {
  /** Die at the first point whose name matches. */
  readonly killOn?: string;
  /** Default: SIGKILL. */
  readonly signal?: NodeJS.Signals;
  /** Write a file when a point matches, as another program might. */
  readonly meddle?: { readonly on: string; readonly file: string; readonly text: string };
  /** How many times faster the clock goes: for what takes 30 s. */
  readonly speed?: number;
  /** A file that gets the name of the point at which it died. */
  readonly died?: string;
  /** The power fails together with the process: what is left on the disk goes to this file. */
  readonly powerCut?: { readonly dump: string; readonly names: 'synced' | 'current' };
}
