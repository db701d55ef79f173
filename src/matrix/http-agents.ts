// The only home of undici: how connections are made, directly and through proxies.
import type { LookupFunction } from 'node:net';
import type {
  Agent,
  buildConnector as BuildConnector,
  Dispatcher,
  EnvHttpProxyAgent,
  Pool,
} from 'undici';
import { isLoopback } from './base-url.ts';
import { trustedCertificates } from './certificates.ts';
import {
  bypassesProxy,
  readProxies,
  type Environment,
  type Proxies,
} from './network-environment.ts';

export type { Dispatcher } from 'undici';

const CONNECT_TIMEOUT_MS = 10_000;
/**
 * How long one address of several is tried before the next one is. Node gives the first up then, and
 * its own quarter of a second gives up addresses that are far away.
 */
const ADDRESS_TIMEOUT_MS = 1000;
/** Short, since a login must not be written to a connection that the server is just closing. */
const KEEP_ALIVE_MS = 1000;
const CONNECTIONS = 4;

export interface Connections {
  /** Where proxies and NODE_EXTRA_CA_CERTS are named. */
  readonly environment: Environment;
  /** PEM certificates trusted beside the usual ones, as loadCertificates() gives them. */
  readonly ca?: string | undefined;
  /** The longest that a request may take; to connect, ten seconds at most. */
  readonly timeoutMs: number;
  /** Connects somewhere else for a `host:port`, as curl's --connect-to. Certificates still count. */
  readonly connectTo?: ReadonlyMap<string, { readonly host: string; readonly port: number }>;
  /** Looks names up, as dns.lookup does. Default: dns.lookup. */
  readonly lookup?: LookupFunction;
}

/** What the connections of a client are made by. */
export interface Agents {
  readonly direct: Agent;
  readonly proxied: EnvHttpProxyAgent | null;
  readonly proxies: Proxies | null;
}

/** Gives the agent that connects for a URL, and whether it does so through a proxy. */
export function agentFor(
  { proxies, proxied, direct }: Agents,
  url: URL,
): { readonly agent: Dispatcher; readonly throughProxy: boolean } {
  const isDirect = proxies === null || isLoopback(url.hostname);
  if (proxied === null || isDirect || bypassesProxy(proxies.noProxy, url)) {
    return { agent: direct, throughProxy: false };
  }
  // undici alone would send https through HTTP_PROXY where no HTTPS_PROXY is set.
  const proxy = url.protocol === 'https:' ? proxies.httpsProxy : proxies.httpProxy;
  return proxy === ''
    ? { agent: direct, throughProxy: false }
    : { agent: proxied, throughProxy: true };
}

/** Closes all connections. */
export async function closeAgents({ direct, proxied }: Agents): Promise<void> {
  await Promise.all([direct.destroy(), proxied?.destroy()]);
}

/** Makes the agents of a client; undici is loaded for that. */
export async function makeAgents(options: Connections): Promise<Agents> {
  // Name by name: a part of the package is run when it is asked for.
  const undici = await import('undici');
  const { ca, environment, connectTo } = options;
  const trusted = ca === undefined ? {} : { ca: await trustedCertificates(ca, environment) };
  const timeout = Math.min(CONNECT_TIMEOUT_MS, options.timeoutMs);
  const tls = {
    ...trusted,
    rejectUnauthorized: true,
    timeout,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT_MS,
  };
  const connector = undici.buildConnector({
    ...tls,
    ...(options.lookup === undefined ? {} : { lookup: options.lookup }),
  });
  const common = {
    connections: CONNECTIONS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: KEEP_ALIVE_MS,
    // exchange() has the one clock that counts.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (to: ConnectOptions, done: ConnectCallback): void => {
      const port = to.port === '' ? (to.protocol === 'https:' ? '443' : '80') : to.port;
      const host = to.hostname.includes(':') ? `[${to.hostname}]` : to.hostname;
      const other = connectTo?.get(`${host}:${port}`);
      const target = other === undefined ? {} : { hostname: other.host, port: `${other.port}` };
      connector({ ...to, ...target }, done);
    },
  };
  const proxies = readProxies(environment);
  const proxied = {
    ...common,
    ...proxies,
    noProxy: '',
    requestTls: tls,
    proxyTls: tls,
    proxyTunnel: false,
    factory: (origin: string | URL, pool: Pool.Options) =>
      new undici.Pool(origin, { ...pool, ...failAtOnce(pool.connect) }),
  };
  return {
    direct: new undici.Agent(common),
    proxied: proxies === null ? null : new undici.EnvHttpProxyAgent(proxied),
    proxies,
  };
}

/**
 * A proxy that closes the connection instead of making a tunnel would be asked again and again, as
 * fast as it goes: undici takes that for a connection that was only idle for too long.
 */
function failAtOnce(connect: Pool.Options['connect']): Pick<Pool.Options, 'connect'> {
  if (connect === undefined) return {};
  if (typeof connect !== 'function') return { connect };
  const wrapped: typeof connect = (to, done) => {
    connect(to, (...[error, socket]) => {
      const isClosed = error !== null && 'code' in error && error.code === 'UND_ERR_SOCKET';
      if (isClosed) done(Object.assign(new Error('closed'), { code: 'ECONNRESET' }), null);
      else if (error === null) done(null, socket);
      else done(error, null);
    });
  };
  return { connect: wrapped };
}

type Connector = ReturnType<typeof BuildConnector>;
type ConnectOptions = Parameters<Connector>[0];
type ConnectCallback = Parameters<Connector>[1];
