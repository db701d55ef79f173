// Everything that a run needs of the outside, handed in by the task.

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
}

export type RunOptions =
  | {
      /** For its stdin. Its stderr is dropped then. */
      readonly input: string;
      /** In addition to what every program gets. */
      readonly env: Readonly<Record<string, string>>;
    }
  /** It reads what we would, as to ask a person. */
  | { readonly stdin: 'inherit' };

/** What a run tells while it goes on. */
export type Progress =
  | {
      readonly kind: 'pause';
      readonly server: string;
      readonly ms: number;
      readonly remaining: number;
      /** Why: M_LIMIT_EXCEEDED, or what is tried again. */
      readonly code: string;
      /** Until all are through, if that is known. */
      readonly aboutMs: number | null;
    }
  | {
      /** What refusals have taught of the time that all logins of a homeserver take. */
      readonly kind: 'forecast';
      readonly server: string;
      readonly total: number;
      readonly done: number;
      readonly everyMs: number | null;
      readonly aboutMs: number | null;
      /** How many more the waiting budget allows. */
      readonly affordable: number;
    }
  | { readonly kind: 'login'; readonly server: string; readonly userId: string }
  | { readonly kind: 'register'; readonly server: string; readonly userId: string }
  | { readonly kind: 'stored'; readonly service: string; readonly file: string }
  | { readonly kind: 'lock'; readonly file: string; readonly holder: string }
  | { readonly kind: 'settle'; readonly server: string; readonly ms: number };

export interface World {
  /** The current folder. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Ends early, without an error, when the signal is given. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** From 0 to 1, for jitter. */
  random(): number;
  /** Given when the operator wants the run to end: what is in flight is finished. */
  readonly signal: AbortSignal;
  /** Runs a program with its arguments as they stand: no shell makes anything of them. */
  run(file: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Asks without showing what is typed; null where there is no terminal. */
  readonly prompt: ((text: string) => Promise<string>) | null;
  /** Takes a line of -v. */
  log(line: string): void;
  /** Takes a warning. */
  warn(line: string): void;
  progress(event: Progress): void;
}
