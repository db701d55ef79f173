// What the role's action plugin says first: a line of JSON.
import { InputError } from '../errors.ts';

export interface PlayRequest {
  /** Names of all variables that the host has. */
  readonly names: readonly string[];
  /** The vault passwords of the play: label, and bytes in base64. */
  readonly secrets: readonly (readonly [string, string])[];
  readonly check: boolean;
  readonly diff: boolean;
  /** Seconds of `async`; 0: none. */
  readonly async: number;
  readonly runOnce: boolean;
  readonly failOnDeferred: boolean;
}

/** Reads the first line. Throws InputError for a setting of the role that is of the wrong type. */
export function readPlayRequest(line: string): PlayRequest {
  const sent = JSON.parse(line) as {
    names: string[];
    secrets: [string, string][];
    args: Record<string, unknown>;
  } & Record<string, unknown>;
  return {
    names: sent.names,
    secrets: sent.secrets,
    check: sent['check_mode'] === true,
    diff: sent['diff'] === true,
    async: Number(sent['async_val'] ?? 0),
    runOnce: sent['run_once'] === true,
    failOnDeferred: readBoolean(sent.args['fail_on_deferred'], 'matrix_tokens_fail_on_deferred'),
  };
}

/** With `-e name=false` everything is text. */
function readBoolean(value: unknown, name: string): boolean {
  const word = typeof value === 'string' ? value.toLowerCase() : value;
  if (word === true || word === 'true' || word === 'yes') return true;
  if (word === false || word === 'false' || word === 'no') return false;
  throw new InputError({
    code: 'E_VALUE',
    found: `'${name}' is something else`,
    wanted: 'true or false',
  });
}
