// A proxy of the environment: it makes tunnels, all of them to one port, or does not.
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import { listen } from './replay-server.ts';

export interface ConnectProxy {
  /** `host:port` of itself. */
  readonly address: string;
  /** The targets that were asked for. */
  readonly targets: readonly string[];
  readonly authorizations: readonly (string | undefined)[];
}

export interface ConnectProxyOptions {
  readonly port: number;
  /** A status: refuse. `hang`: never answer. `close`: close the connection. Default: make tunnels. */
  readonly manner?: number | 'hang' | 'close';
}

/** Starts a proxy on loopback that is stopped when the test ends. */
export async function startConnectProxy(
  t: TestContext,
  { port, manner }: ConnectProxyOptions,
): Promise<ConnectProxy> {
  const targets: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const server = createServer((_request, response) => response.writeHead(501).end());
  server.on('connect', (request, socket) => {
    targets.push(request.url ?? '');
    authorizations.push(request.headers['proxy-authorization']);
    socket.on('error', () => undefined);
    if (manner === 'hang') return;
    if (manner === 'close') return void socket.destroy();
    if (manner !== undefined) return void socket.end(`HTTP/1.1 ${manner} No\r\n\r\n`);
    const upstream = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
  });
  return { address: `127.0.0.1:${await listen(t, server)}`, targets, authorizations };
}
