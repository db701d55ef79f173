// A TCP proxy that counts connections, and may hold what a client sends: it is sent on even if the
// client is gone by then.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import type { Cleanup } from './provision-project.ts';

export interface Counter {
  readonly baseUrl: string;
  connections(): number;
}

/** Starts a proxy before the server of a URL. `hold` gives how long a chunk is held, in ms. */
export async function countConnections(
  t: Cleanup,
  url: string,
  hold: (text: string) => number = () => 0,
): Promise<Counter> {
  const { hostname, port } = new URL(url);
  const sockets: Socket[] = [];
  let count = 0;
  const server = createServer((client) => {
    count += 1;
    const upstream = connect(Number(port), hostname);
    client.on('data', (chunk) => {
      setTimeout(() => upstream.write(chunk), hold(chunk.toString('latin1')));
    });
    upstream.on('data', (chunk) => client.write(chunk));
    upstream.on('end', () => client.end());
    for (const socket of [client, upstream]) {
      sockets.push(socket);
      socket.on('error', () => {});
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return { baseUrl: `http://127.0.0.1:${address.port}`, connections: () => count };
}
