// Which envelopes are to be sealed anew: those under the old password, of one vault ID or of those
// that are named. To put values of several IDs under one password would let whoever knows it read
// what was kept from them, so that is never done unasked.
import { InputError, settleAll, type Fault } from '../errors.ts';
import { parseEnvelope } from '../vault/envelope.ts';
import type { RekeyKeys } from './keys.ts';
import type { HeldFile, Sealed } from './types.ts';

/** fresh: under the new password already · old: to be sealed anew · other: of an ID not meant. */
export type State = 'fresh' | 'old' | 'other';

/** An envelope with what is to become of it. */
export interface Judged {
  readonly file: HeldFile;
  readonly sealed: Sealed;
  /** Its vault ID. */
  readonly label: string;
  readonly state: State;
}

export interface ChooseOptions {
  readonly keys: RekeyKeys;
  /** Of `--old-vault-id`; none: the only one there is. */
  readonly oldIds: readonly string[];
  /** Gives the command that rekeys a whole file. */
  readonly commandFor: (file: string) => string;
}

/**
 * Judges all envelopes. Throws InputError: E_VAULT_FORMAT for damaged ones, E_OPTION where it is not
 * said which vault ID is meant, E_REKEY_FILE for whole files that hold more than values of services.
 */
export async function chooseSealed(
  files: readonly HeldFile[],
  options: ChooseOptions,
): Promise<readonly Judged[]> {
  const all = await settleAll(
    files.flatMap((file) => file.sealed.map((sealed) => judge(file, sealed, options))),
  );
  checkIds(all, options.oldIds);
  const chosen = all.map((one) => ({ ...one, state: stateOf(one, options.oldIds) }));
  const shared = chosen.filter(({ state, file }) => state === 'old' && file.stranger !== null);
  if (shared.length > 0) {
    throw new InputError(shared.map(({ file }) => sharedFile(file, options)));
  }
  return chosen;
}

async function judge(file: HeldFile, sealed: Sealed, { keys }: ChooseOptions): Promise<Judged> {
  const { envelope, at } = sealed;
  const label = parseEnvelope(envelope, at).label ?? keys.keyring.unnamedId;
  const isFresh = label === keys.fresh.label && (await keys.isFresh(envelope, at));
  return { file, sealed, label, state: isFresh ? 'fresh' : 'old' };
}

function stateOf({ state, label }: Judged, oldIds: readonly string[]): State {
  return state === 'old' && oldIds.length > 0 && !oldIds.includes(label) ? 'other' : state;
}

function checkIds(all: readonly Judged[], oldIds: readonly string[]): void {
  const old = new Set(all.filter(({ state }) => state === 'old').map(({ label }) => label));
  const known = new Set(all.map(({ label }) => label));
  const listed = [...known].toSorted().join(', ');
  const unknown = oldIds.filter((label) => !known.has(label));
  if (unknown.length > 0) {
    throw new InputError(
      unknown.map((label) => ({
        code: 'E_OPTION',
        found: `--old-vault-id ${label}, which no value has`,
        wanted: listed === '' ? 'no such option' : `one of ${listed}`,
      })),
    );
  }
  if (oldIds.length > 0 || old.size < 2) return;
  const labels = [...old].toSorted();
  throw new InputError({
    code: 'E_OPTION',
    found: `values of several vault IDs (${labels.join(', ')}): one password would open them all`,
    wanted: `the vault ID that is meant: \`--old-vault-id ${labels[0]}\`; for several, repeat it`,
    fix: 'or pick services by their names, or hosts with --limit',
  });
}

function sharedFile(file: HeldFile, { commandFor }: ChooseOptions): Fault {
  const [first] = file.sealed.flatMap(({ values }) => values);
  return {
    code: 'E_REKEY_FILE',
    at: { file: file.shown, line: 1, column: 1 },
    found: `a file that is encrypted as a whole: it holds ${first?.name ?? 'a value'} of service '${first?.holder.service ?? ''}', and ${file.stranger}, which is not to be encrypted again`,
    wanted: 'that you change the password of the whole file',
    fix: `run this, then the same command again:\n${commandFor(file.shown)}`,
  };
}
