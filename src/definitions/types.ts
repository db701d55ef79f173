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

/** Where a password or another secret comes from. Nothing is read before it is needed. */
export type SecretSource =
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
  /** Where that is named. */
  readonly caFileAt?: Position | undefined;
  /** Seconds to wait for rate limits, a run. */
  readonly maxWait: number;
  /** How users that do not exist are created; null: not at all. */
  readonly register: Registration | null;
}

/** @see Synapse's admin API, "Shared-Secret Registration" */
export interface Registration {
  readonly secret: SecretSource;
  /** Base URL of the admin API; null: that of the homeserver. */
  readonly url: string | null;
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
  /** The ways to log in that it has secrets for, the one to be tried first at the beginning. */
  readonly logins: readonly string[];
  /** The secrets by the way to log in that takes them. */
  readonly secrets: ReadonlyMap<string, SecretSource>;
  /** What it lacks for a login; null: nothing. */
  readonly lack: LoginLack | null;
  /** What its user is created as, should it have to be; null: that has to be said. */
  readonly registerAs: 'bot' | 'admin' | null;
  /** True: its user is of no use unless it is a server administrator. */
  readonly needsAdmin: boolean;
  readonly playbook: PlaybookFacts;
  /** Fixed by the operator; null: a new one at each login. */
  readonly deviceId: string | null;
  readonly displayName: string;
  /** As the operator wrote it, with its place; null: the default file. */
  readonly vaultFile: { readonly path: string; readonly at: Position } | null;
  /** Absolute: the folder for the files of all hosts; null: they stand in host_vars. */
  readonly vaultDir: { readonly path: string; readonly at: Position } | null;
  readonly vaultFormat: 'inline' | 'file';
  readonly vaultId: string | null;
  readonly vaultIdAt: Position | null;
  readonly installTag: string | null;
}

/** Why a service cannot be logged in. */
export interface LoginLack {
  /** The name of a way to log in, or `auto`. */
  readonly login: string;
  readonly wanted: string;
  readonly fix: string;
  /** Files that were left closed and may hold what it lacks. */
  readonly closed: readonly string[];
}

/** What matrix-docker-ansible-deploy says of the homeserver that it installs. */
export interface PlaybookFacts {
  /** True where the inventory is one of that playbook. */
  readonly isUsed: boolean;
  /** `synapse`, `dendrite`, …; null: it does not say. */
  readonly implementation: string | null;
  /** True: Matrix Authentication Service stands before the homeserver. */
  readonly hasMas: boolean;
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
