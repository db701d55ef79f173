// What a run would do, decided without touching anything.
import type { ServiceDefinition, TargetVariables, VariablePath } from '../definitions/types.ts';
import type { Fault, Position } from '../errors.ts';
import type { YamlNode } from '../yaml/node.ts';
import type { Layer } from '../ansible/layer.ts';

/** The file that receives the values of one service. */
export interface Target {
  /** Absolute path, as configured (symlinks not followed). */
  readonly file: string;
  /** The same behind all symlinks that were found: two names of one file. */
  readonly real: string;
  /** The same as the operator would type it. */
  readonly shown: string;
  /** True for the file that we name and keep ourselves. */
  readonly isDefault: boolean;
  /** Why making the file would do harm: a fault as soon as it has to be written. */
  readonly harm: Fault | null;
  /**
   * For a file that Ansible does not load for the host: what it holds, as if loaded last (null
   * inside: it does not exist yet). Undefined: Ansible loads it.
   */
  readonly unloaded?: { readonly layer: Layer | null };
}

export interface LocatedService {
  readonly definition: ServiceDefinition;
  readonly target: Target;
}

/** What is known of the value in one variable. */
export type Presence =
  | {
      readonly kind: 'present';
      readonly node: YamlNode;
      /** Where the value stands, and the variable that holds it; null: nowhere that can be named. */
      readonly layer: Layer | null;
      readonly name: string;
    }
  | { readonly kind: 'missing'; readonly write: VariablePath }
  | { readonly kind: 'placeholder'; readonly write: VariablePath; readonly at: Position }
  | { readonly kind: 'unknown'; readonly closed: readonly string[] };

/** One service with what is to be done about it. */
export type Action = LocatedService &
  (
    | {
        readonly kind: 'present';
        readonly accessToken: YamlNode;
        /** Where it stands; null: nowhere that can be named. */
        readonly holder: Layer | null;
        /** Variables that stand in the file of the service, and that the running play does not see. */
        readonly unseen: readonly string[];
      }
    | {
        readonly kind: 'login';
        /** Why the token counts as missing: a sentence without a full stop. */
        readonly reason: string;
        readonly write: TargetVariables;
        /** A device ID that already stands in its variable: this device is asked for. */
        readonly pinned: YamlNode | null;
      }
    | {
        readonly kind: 'unknown';
        readonly reason: string;
      }
  );

/** A service whose token is to be made. */
export type LoginAction = Extract<Action, { kind: 'login' }>;
