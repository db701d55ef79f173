import type { IncomingHttpHeaders } from 'node:http';
import type { Answer } from './answer.ts';
import type { ServerManner } from './manner.ts';
import type { LoginLimiters } from './rate-limit.ts';
import type { SharedSecretAuth } from './shared-secret.ts';
import type { ServerState } from './state.ts';

/** What every handler may use of the server. */
export interface ServerContext {
  readonly serverName: string;
  readonly manner: ServerManner;
  readonly versions: readonly string[];
  readonly state: ServerState;
  readonly limiters: LoginLimiters;
  /** Where clients are sent by .well-known and by the answer to a login; null: nowhere. */
  readonly publicBaseUrl: string | null;
  readonly registrationSecret: string;
  readonly sharedSecretAuth: SharedSecretAuth | null;
  /** What GET /login offers; an answer: there is no /login. */
  readonly flows: readonly object[] | Answer;
  /** `expires_in_ms` of new sessions; null: they do not expire. */
  readonly sessionLifetimeMs: number | null;
  /** How long a refused login is held, in ms. */
  readonly pauseBeforeLimitedMs: number;
}

/** One request, as a handler sees it. */
export interface Call {
  readonly server: ServerContext;
  readonly method: string;
  /** The parts of the path that the route's pattern captured, decoded. */
  readonly params: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly address: string;
  /** The URL under which the client came. */
  readonly baseUrl: string;
}

export type Handler = (call: Call) => Answer | Promise<Answer>;
