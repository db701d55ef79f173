// Stands between a client and a server and breaks the connection at a given byte of a request or of
// its answer: what was passed on before is passed on.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Cleanup } from './provision-project.ts';

export interface Cut {
  /** Of what: bytes are counted from its beginning. */
  readonly of: 'request' | 'answer';
  /** So many bytes still pass. */
  readonly after: number;
  readonly by: 'reset' | 'end';
  /** Sent to the client in the place of what does not pass. */
  readonly instead?: Buffer;
}

export interface Relay {
  readonly baseUrl: string;
  /** Every request that came, as it came: those that were cut, too. */
  readonly requests: readonly string[];
}

/** Starts a relay on loopback; `cutFor` is asked for each request by its first bytes. */
export async function startRelay(
  t: Cleanup,
  targetUrl: string,
  cutFor: (request: string) => Cut | null,
): Promise<Relay> {
  const { port: targetPort } = new URL(targetUrl);
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(targetPort), '127.0.0.1');
    for (const socket of [client, upstream]) sockets.add(socket.on('error', () => undefined));
    let cut: Cut | null = null;
    let index = -1;
    const passed = { request: 0, answer: 0 };
    const pass = (of: Cut['of'], chunk: Buffer, to: Socket): void => {
      const left = cut?.of === of ? cut.after - passed[of] : Infinity;
      passed[of] += chunk.length;
      if (left > 0) to.write(chunk.subarray(0, left));
      if (cut !== null && chunk.length >= left) breakOff(client, upstream, cut);
    };
    client.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      if (/^(?:GET|POST) /.test(text)) {
        index = requests.push(text) - 1;
        cut = cutFor(text);
        Object.assign(passed, { request: 0, answer: 0 });
      } else {
        requests[index] += text;
      }
      pass('request', chunk, upstream);
    });
    upstream.on('data', (chunk) => pass('answer', chunk, client));
    client.on('close', () => upstream.destroy());
    upstream.on('end', () => client.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

/** The server has got what was passed on to it before it sees the end. */
function breakOff(client: Socket, upstream: Socket, { by, instead }: Cut): void {
  upstream.end();
  if (instead !== undefined) client.write(instead);
  if (by === 'reset') client.resetAndDestroy();
  else client.end();
}
