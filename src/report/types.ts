// What a run says of itself. Nothing in here may hold a secret: names, places, states.
import type { Position } from '../errors.ts';

/** ok: present · changed: logged in and stored, or would be · skipped: disabled, or wants no token ·
 * unknown: only a closed vault could tell · deferred: rate limit · failed · unreachable: no Matrix
 * answer. */
export type OutcomeWord =
  'ok' | 'changed' | 'skipped' | 'unknown' | 'deferred' | 'failed' | 'unreachable';

/** What came of one service. */
export interface Outcome {
  readonly host: string;
  readonly service: string;
  /** Where vars define it. */
  readonly defined_at: Position;
  readonly outcome: OutcomeWord;
  readonly user_id: string | null;
  readonly server_name: string | null;
  /** One sentence without a full stop. */
  readonly message: string;
  /** Stable, for docs/troubleshooting.md and scripts; null where nothing went wrong. */
  readonly code: string | null;
  /** What to do. */
  readonly hint: string | null;
  /** The file that holds the values, or would; null where none is wanted. */
  readonly file: string | null;
  /** Names of the variables that were written, or would be. */
  readonly variables: readonly string[];
  /** Tag of the playbook run that installs the service with its new token. */
  readonly install_tag: string | null;
}

/** Gives an outcome that says nothing yet but whose it is. */
export function blankOutcome({
  host,
  service,
  defined_at: definedAt,
}: Pick<Outcome, 'host' | 'service' | 'defined_at'>): Outcome {
  // Name by name: an object that begins with a spread takes twice the memory, and there are thousands.
  return {
    host,
    service,
    defined_at: definedAt,
    outcome: 'ok',
    user_id: null,
    server_name: null,
    message: '',
    code: null,
    hint: null,
    file: null,
    variables: [],
    install_tag: null,
  };
}

/** A session on a homeserver that no file holds and that could not be removed, or waits to be. */
export interface Leftover {
  readonly host: string;
  readonly service: string;
  readonly user_id: string;
  readonly device_id: string;
  /** One sentence without a full stop: why it is still there. */
  readonly message: string;
}

export interface Report {
  readonly task: 'provision' | 'rekey' | 'validate';
  readonly check: boolean;
  readonly outcomes: readonly Outcome[];
  readonly leftovers: readonly Leftover[];
  /** Journal entries that cannot be read: each may stand for a session that nobody removes. */
  readonly damaged?: readonly string[];
  /** An interrupted rekey waits for a run that ends it. */
  readonly rekeyWaits?: boolean;
  /** Things worth knowing that are no errors. */
  readonly notes: readonly string[];
  /** The signal that ended the run early, or null. */
  readonly interrupted: 'SIGHUP' | 'SIGINT' | 'SIGTERM' | null;
}

/** What `rekeyWaits` means. */
export const REKEY_WAITS =
  'a rekey was interrupted: the next run without --check ends it, and until then both vault passwords are needed';
