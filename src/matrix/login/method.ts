// What a way to log in has to say of itself. Each is one file beside this one, and a line in
// registry.ts; nothing else knows how it works.
import type { Secret } from '../../secret.ts';
import type { Credential } from '../credential.ts';
import type { Failure } from '../failure.ts';
import type { Homeserver } from '../homeserver.ts';
import type { HttpClient } from '../http.ts';

export interface LoginRequest {
  /** The full user ID. */
  readonly userId: string;
  /** What the method asks for in `secret`. */
  readonly secret: Secret;
  /** One that no earlier request was sent with, unless its outcome is known. */
  readonly deviceId: string;
  readonly displayName: string | null;
}

/** Sessions to be ended, by a token of the same user that has to stay. */
export interface DeviceRemoval {
  readonly userId: string;
  readonly secret: Secret;
  readonly token: Secret;
  readonly deviceIds: readonly string[];
}

/** `not_offered`: there is no such way, but a login as each device and a logout does the same. */
export type Removed = { readonly kind: 'gone' } | { readonly kind: 'not_offered' };

/** Where the secret of a method stands in vars. */
export type SecretPlace =
  | { readonly of: 'service'; readonly key: string }
  | { readonly of: 'host'; readonly variable: string; readonly key: string };

/** What a definition lacks: a sentence each, without a full stop. */
export interface Lack {
  readonly wanted: string;
  readonly fix: string;
}

export interface LoginMethod {
  /** As `login` of a definition names it. */
  readonly name: string;
  /** Completes the sentence "logs in with …". */
  readonly words: string;
  readonly secret: SecretPlace & {
    /** In messages: the password. */
    readonly noun: string;
    /** What it opens: `auto` takes the secret that opens least. */
    readonly opens: 'user' | 'homeserver';
  };
  /** Checks offline what a definition gives, or gives what it lacks. */
  validate(given: { readonly service: string; readonly hasSecret: boolean }): Lack | null;
  /** Gives the login type that it would use, of those that the homeserver offers; null: none. */
  typeFor(homeserver: Homeserver): string | null;
  /**
   * Logs in: one request, or none where the homeserver offers no such login. A failure with a
   * `session` means that the session has to be logged out.
   */
  login(
    client: HttpClient,
    homeserver: Homeserver,
    request: LoginRequest,
  ): Promise<Credential | Failure>;
  /** Removes the sessions of lost logins in one request, or says that this is not to be had. */
  abandon(
    client: HttpClient,
    homeserver: Homeserver,
    removal: DeviceRemoval,
  ): Promise<Removed | Failure>;
}
