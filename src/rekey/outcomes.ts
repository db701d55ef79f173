// What is said of each service in each file.
import type { Position } from '../errors.ts';
import { blankOutcome, type Outcome } from '../report/types.ts';
import type { Judged, State } from './choose.ts';
import type { Value } from './types.ts';

/** Where vars define services, by `placeKey`. */
export type Places = ReadonlyMap<string, Position>;

export function placeKey(host: string, service: string): string {
  return JSON.stringify([host, service]);
}

/** One service in one file. */
interface Group {
  readonly file: string;
  readonly path: string;
  /** Where the first value stands. */
  readonly at: Position;
  readonly parts: readonly {
    readonly value: Value;
    readonly state: State;
    readonly label: string;
  }[];
}

/** Why a file was not changed. */
export interface Failed {
  readonly code: string;
  readonly message: string;
}

export interface OutcomeOptions {
  readonly check: boolean;
  /** The vault ID of the new password. */
  readonly label: string;
  /** What kept files from being changed, by their real paths. */
  readonly failures: ReadonlyMap<string, Failed>;
  /** Files outlive what defined their services: then the value itself is the place. */
  readonly places: Places;
}

/** Gives an outcome for each service in each file. */
export function rekeyOutcomes(judged: readonly Judged[], options: OutcomeOptions): Outcome[] {
  return [...groupsOf(judged).values()].map((group) => outcomeOf(group, options));
}

/** Gives the outcome of a service of which nothing vaulted was found. */
export function emptyOutcome(service: {
  readonly host: string;
  readonly name: string;
  readonly at: Position;
  readonly userId: string | null;
  readonly message: string;
}): Outcome {
  const { host, name, at, userId, message } = service;
  return { ...base(host, name, at), outcome: 'skipped', user_id: userId, message };
}

function groupsOf(judged: readonly Judged[]): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>();
  for (const { file, sealed, state, label } of judged) {
    for (const value of sealed.values) {
      const { host, service } = value.holder;
      const key = JSON.stringify([host, service, file.path]);
      const known = groups.get(key);
      groups.set(key, {
        file: file.shown,
        path: file.path,
        at: known?.at ?? sealed.at,
        parts: [...(known?.parts ?? []), { value, state, label }],
      });
    }
  }
  return groups;
}

function outcomeOf({ file, path, at, parts }: Group, options: OutcomeOptions): Outcome {
  const { holder } = parts[0]?.value ?? { holder: { host: '', service: '', userId: null } };
  const of = (state: State) => parts.filter((part) => part.state === state);
  const { host, service, userId } = holder;
  const definedAt = options.places.get(placeKey(host, service)) ?? at;
  const common = { ...base(host, service, definedAt), user_id: userId, file };
  const [old, other] = [of('old'), of('other')];
  const failure = options.failures.get(path);
  if (old.length > 0) {
    const variables = [...new Set(old.map(({ value }) => value.name))];
    if (failure !== undefined) return { ...common, outcome: 'failed', ...failure };
    return {
      ...common,
      outcome: 'changed',
      message: describeChange(old, file, options),
      variables,
    };
  }
  if (other.length === 0) {
    return { ...common, outcome: 'ok', message: 'under the new vault password' };
  }
  const ids = idsOf(other);
  return { ...common, outcome: 'skipped', message: `keeps vault ID ${ids}, which is not meant` };
}

function describeChange(
  old: readonly { readonly label: string }[],
  file: string,
  { check, label }: OutcomeOptions,
): string {
  const verb = check ? 'would encrypt' : 'encrypted';
  const before = idsOf(old);
  const ids = before === label ? label : `${before} → ${label}`;
  return `${verb} again in ${file}, vault ID ${ids}`;
}

function idsOf(parts: readonly { readonly label: string }[]): string {
  return [...new Set(parts.map(({ label }) => label))].join(', ');
}

function base(host: string, service: string, at: Position): Outcome {
  return blankOutcome({ host, service, defined_at: at });
}
