// The embedded homeserver: for the demo, for tests of what Synapse cannot be made to show, and for
// benchmarks. It keeps everything in memory, listens on loopback and answers as the captured
// answers of real servers do.
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { isAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { Call, ServerContext } from './call.ts';
import { carryOut } from './exchange.ts';
import { faultPlan } from './faults.ts';
import type { FaultPlan, HomeserverFault } from './faults.ts';
import type { ServerManner } from './manner.ts';
import { loginLimiters } from './rate-limit.ts';
import type { LoginRateLimits } from './rate-limit.ts';
import { throughProxy, unroutedAnswer } from './proxy.ts';
import type { ReverseProxy } from './proxy.ts';
import { route } from './routes.ts';
import { SERVERS } from './servers.ts';
import type { Software } from './servers.ts';
import { SHARED_SECRET_TYPE } from './shared-secret.ts';
import type { SharedSecretAuth } from './shared-secret.ts';
import { addUser, emptyState } from './state.ts';
import type { NewUser, ServerState } from './state.ts';

export interface HomeserverOptions {
  /** Whose manners it has; default: Synapse's. */
  readonly software?: Software;
  /** Default: example.com. */
  readonly serverName?: string;
  readonly users?: readonly NewUser[];
  /** Default: true. False: the operator of the homeserver has switched them off. */
  readonly passwords?: boolean;
  /** The module shared_secret_auth of Synapse; default: it is not there. */
  readonly sharedSecretAuth?: SharedSecretAuth;
  /** In place of the login types of the software; null: there is no /login. */
  readonly flows?: readonly object[] | null;
  /** Default: no limits. */
  readonly rcLogin?: LoginRateLimits;
  /** How long a refused login is held, in ms; default: 0 (Synapse holds it for 500). */
  readonly pauseBeforeLimitedMs?: number;
  /** In place of the versions of the software. */
  readonly versions?: readonly string[];
  /** What .well-known names; default: there is none. */
  readonly publicBaseUrl?: string;
  readonly registrationSecret?: string;
  /** `expires_in_ms` of new sessions; default: they do not expire. */
  readonly sessionLifetimeMs?: number;
  /** A loopback address to listen on; default: 127.0.0.1. */
  readonly host?: string;
  /** Key and certificate in PEM: listen with TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Stands between; default: nothing does. */
  readonly proxy?: ReverseProxy;
  readonly faults?: readonly HomeserverFault[];
  /** The server's clock in ms; give a faster one to shorten rate limits. */
  readonly now?: () => number;
  /** Sees each request with its body before it is executed, for tests of what is sent. */
  readonly onRequest?: (request: SeenRequest) => void;
}

export interface SeenRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** One line of the log: nothing of it is secret. */
export interface RequestRecord {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** When it came, by the server's clock. */
  readonly at: number;
  /** What was answered; null while it is in flight and where nothing was answered. */
  status: number | null;
}

export interface Homeserver {
  readonly baseUrl: string;
  readonly port: number;
  readonly serverName: string;
  readonly state: ServerState;
  readonly requests: readonly RequestRecord[];
  /** The faults in force; may be changed at any time. */
  readonly faults: HomeserverFault[];
  /** Closes the port and every connection. */
  readonly stop: () => Promise<void>;
}

/** Starts a homeserver on a free port. */
export async function startHomeserver(options: HomeserverOptions = {}): Promise<Homeserver> {
  const context = contextOf(options);
  for (const user of options.users ?? []) addUser(context.state, context.serverName, user);
  const plan = faultPlan(options.faults ?? []);
  const requests: RequestRecord[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    void serve({ context, plan, requests, options }, request, response);
  };
  const server =
    options.tls === undefined
      ? createHttpServer(listener)
      : createHttpsServer(options.tls, listener);
  const host = options.host ?? '127.0.0.1';
  const port = await listen(server, host);
  return {
    baseUrl: `${options.tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    serverName: context.serverName,
    state: context.state,
    requests,
    faults: plan.faults,
    stop: () => close(server),
  };
}

function contextOf(options: HomeserverOptions): ServerContext {
  const manner = SERVERS[options.software ?? 'synapse'];
  const now = options.now ?? Date.now;
  requireOffered(options, manner);
  return {
    serverName: options.serverName ?? 'example.com',
    manner,
    versions: options.versions ?? manner.versions,
    state: emptyState(now),
    limiters: loginLimiters(options.rcLogin ?? {}, now),
    publicBaseUrl: options.publicBaseUrl ?? null,
    sharedSecretAuth: options.sharedSecretAuth ?? null,
    flows: flowsOf(manner, options),
    registrationSecret: options.registrationSecret ?? '',
    sessionLifetimeMs: options.sessionLifetimeMs ?? null,
    pauseBeforeLimitedMs: options.pauseBeforeLimitedMs ?? 0,
  };
}

function flowsOf(manner: ServerManner, options: HomeserverOptions): readonly object[] | Answer {
  if (options.flows === null) return manner.answers.unrecognized;
  const usual =
    options.passwords === false ? (manner.login.withoutPasswords?.flows ?? []) : manner.flows;
  const flows = options.flows ?? usual;
  const isGiven = options.flows !== undefined;
  if (isGiven || isAnswer(flows) || options.sharedSecretAuth === undefined) return flows;
  return [...flows.slice(0, 1), { type: SHARED_SECRET_TYPE }, ...flows.slice(1)];
}

/** What a software cannot do, no test should believe that it does. */
function requireOffered(
  { rcLogin, passwords, software }: HomeserverOptions,
  { login }: ServerManner,
) {
  if (rcLogin !== undefined && Object.keys(rcLogin).length > 0 && login.limits === null) {
    throw new Error(`${software} does not limit logins`);
  }
  if (passwords === false && login.withoutPasswords === null) {
    throw new Error(`${software} cannot do without passwords`);
  }
}

interface Service {
  readonly context: ServerContext;
  readonly plan: FaultPlan;
  readonly requests: RequestRecord[];
  readonly options: HomeserverOptions;
}

async function serve(
  service: Service,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { context, plan, requests, options } = service;
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  const method = request.method ?? '';
  const record: RequestRecord = { method, path, at: context.state.now(), status: null };
  requests.push(record);
  const body = await readBody(request);
  if (body === null) return;
  options.onRequest?.({ method, path, headers: request.headers, body });
  const call = callOf(context, request, { query, body });
  record.status = await carryOut({
    request,
    response,
    fault: plan.next(method, path),
    software: context.manner.software,
    execute: () => answerThrough(options.proxy, call, path),
  });
}

async function answerThrough(
  proxy: ReverseProxy | undefined,
  call: Call,
  path: string,
): Promise<Answer> {
  if (proxy === undefined) return route(call, path);
  return proxy.routes.test(path)
    ? throughProxy(proxy, await route(call, path))
    : unroutedAnswer(proxy);
}

function callOf(
  server: ServerContext,
  request: IncomingMessage,
  parts: { readonly query: string; readonly body: string },
): Call {
  const scheme = 'encrypted' in request.socket ? 'https' : 'http';
  return {
    server,
    method: request.method ?? '',
    params: [],
    query: new URLSearchParams(parts.query),
    headers: request.headers,
    body: parts.body,
    address: request.socket.remoteAddress ?? '',
    baseUrl: `${scheme}://${request.headers.host ?? ''}`,
  };
}

/** Gives null if the client went away before its request was complete. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return null;
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function listen(server: Server, host: string): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
