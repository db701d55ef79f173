// What a rekey works on.
import type { VariablePath } from '../definitions/types.ts';
import type { Position } from '../errors.ts';
import type { ScalarNode } from '../yaml/node.ts';

/** A service whose values are wanted of a file. */
export interface Holder {
  readonly host: string;
  readonly service: string;
  /** Null where nothing tells. */
  readonly userId: string | null;
  /** `all`: the file is this service's own. */
  readonly paths: readonly VariablePath[] | 'all';
}

/** A file that may hold values of services. */
export interface Candidate {
  /** Its real path. */
  readonly path: string;
  /** The same as the operator would type it. */
  readonly shown: string;
  readonly holders: readonly Holder[];
}

/** A vaulted value of a service. */
export interface Value {
  readonly holder: Holder;
  /** The variable, or its path with dots between. */
  readonly name: string;
  readonly at: Position;
}

/** An envelope that stands in a file, or is the whole file, with the values in it. */
export interface Sealed {
  /** Null: it is the whole file. */
  readonly node: ScalarNode | null;
  readonly at: Position;
  readonly envelope: string;
  /** Several where an alias repeats it, or where it is the whole file. */
  readonly values: readonly Value[];
}

/** A file with values of services, as it is now. */
export interface HeldFile {
  readonly path: string;
  readonly shown: string;
  readonly text: string;
  readonly sealed: readonly Sealed[];
  /** The first variable of a whole encrypted file that is not meant; null: there is none. */
  readonly stranger: string | null;
  /** How many inline vault values of the file belong to nobody here. */
  readonly others: number;
}
