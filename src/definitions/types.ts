// What a definition becomes once it is read, checked and completed from the catalog.
import type { Position } from '../errors.ts';
import type { HostView } from '../inventory.ts';
import type { YamlNode } from '../yaml/node.ts';

/** A variable, or a path into a map: the first element is the name of the variable. */
export type VariablePath = readonly [string, ...string[]];

export interface TargetVariables {
  readonly accessToken: VariablePath;
  readonly deviceId: VariablePath | null;
}

/** Where a password comes from. Nothing is read before it is needed. */
export type PasswordSource =
  | { readonly kind: 'value'; readonly node: YamlNode; readonly at: Position }
  | { readonly kind: 'file'; readonly path: string; readonly at: Position }
  | { readonly kind: 'env'; readonly name: string; readonly at: Position }
  | { readonly kind: 'command'; readonly words: readonly string[]; readonly at: Position }
  | { readonly kind: 'prompt'; readonly at: Position };

/** The homeserver that a user belongs to, as far as vars say. */
export interface HomeserverSettings {
  readonly serverName: string;
  /** Base URL that the operator gave; null: discovered. */
  readonly url: string | null;
  readonly allowHttp: boolean;
  /** Absolute path of a PEM file, or null. */
  readonly caFile: string | null;
  /** Seconds to wait for rate limits, a run. */
  readonly maxWait: number;
}

export interface ServiceDefinition {
  readonly host: HostView;
  readonly name: string;
  /** Where its name stands in vars. */
  readonly at: Position;
  readonly userId: string;
  readonly localpart: string;
  readonly homeserver: HomeserverSettings;
  readonly variables: TargetVariables;
  readonly password: PasswordSource | null;
  /** Fixed by the operator; null: a new one at each login. */
  readonly deviceId: string | null;
  readonly displayName: string;
  /** As the operator wrote it, with its place; null: the default file. */
  readonly vaultFile: { readonly path: string; readonly at: Position } | null;
  /** Absolute: the folder for the files of all hosts; null: they stand in host_vars. */
  readonly vaultDir: { readonly path: string; readonly at: Position } | null;
  readonly vaultFormat: 'inline' | 'file';
  readonly vaultId: string | null;
  readonly installTag: string | null;
}

/** A service that is switched off or wants no token. */
export interface UnwantedService {
  readonly host: HostView;
  readonly name: string;
  readonly at: Position;
  /** The server name of the host, where it has one. */
  readonly serverName: string | null;
  readonly reason: string;
}

/** A service of which a closed vault hides what must be known. */
export interface UnknownService {
  readonly host: HostView;
  readonly name: string;
  readonly at: Position;
  /** What cannot be known. */
  readonly reason: string;
}

export interface Definitions {
  readonly services: readonly ServiceDefinition[];
  readonly unwanted: readonly UnwantedService[];
  readonly unknown: readonly UnknownService[];
  /** Folders that vars name for the files of a host. */
  readonly folders: readonly string[];
  /** Things worth saying that are no errors. */
  readonly notes: readonly string[];
}

/** Opens an inline vault value; throws InputError where the password is wrong. */
export type Decrypt = (envelope: string, at: Position) => Promise<string>;
