// A loopback server that answers what a test tells it to: captured answers of real homeservers,
// answers made up, or bytes that are no answer at all. The client under test is a real one.
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';
import { createHttpClient, type HttpClient, type HttpOptions } from '../../src/matrix/http.ts';

const FIXTURES = resolve(import.meta.dirname, '../../../tests/fixtures');

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: string | Buffer;
}

/** Bytes as they are; then the connection is reset, ended, or left open. */
export interface RawAnswer {
  readonly raw: string;
  readonly afterwards: 'reset' | 'end' | 'wait';
}

/** Gives the answer to a request, or null to give none. */
export type Answerer = (request: SeenRequest) => Answer | RawAnswer | null;

export interface ReplayServer {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly SeenRequest[];
}

/** A file of tests/fixtures/tls. */
export type Certificate = 'trusted' | 'wrong-name' | 'expired' | 'self-signed';

/** Starts a server on loopback that is stopped when the test ends. */
export async function startReplayServer(
  t: TestContext,
  answerer: Answerer,
  options: { readonly certificate?: Certificate; readonly host?: string } = {},
): Promise<ReplayServer> {
  const { certificate, host = '127.0.0.1' } = options;
  const requests: SeenRequest[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    void answer(request, response, { answerer, requests });
  };
  const server =
    certificate === undefined ? createServer(listener) : createTls(certificate, listener);
  const port = await listen(t, server, host);
  const scheme = certificate === undefined ? 'http' : 'https';
  return { url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`, port, requests };
}

/** Listens on a free port and stops, with all connections, when the test ends. */
export async function listen(t: TestContext, server: Server, host = '127.0.0.1'): Promise<number> {
  // closeAllConnections() forgets those that became tunnels.
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((done, fail) => server.on('error', fail).listen(0, host, done));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((done) => void server.close(() => done()));
  });
  return (server.address() as AddressInfo).port;
}

/** Gives a captured answer of a real homeserver: a file of tests/fixtures/captures. */
export function capture(name: string): Answer {
  const file = join(FIXTURES, 'captures', `${name}.json`);
  const { response } = JSON.parse(readFileSync(file, 'utf8')) as { response: Answer };
  return response;
}

/** Gives an answer of JSON. */
export function json(status: number, body: unknown): Answer {
  const headers = [['content-type', 'application/json']] as const;
  return { status, headers, body: JSON.stringify(body) };
}

/** Gives an answer of HTML, as a proxy gives it. */
export function html(status: number): Answer {
  const body = `<html><body><h1>${status} from the proxy</h1></body></html>`;
  return { status, headers: [['content-type', 'text/html']], body };
}

/** The text of the CA that signed the certificates of tests/fixtures/tls. */
export function testCa(): string {
  return readFileSync(testCaFile(), 'utf8');
}

export function testCaFile(): string {
  return join(FIXTURES, 'tls', 'ca.pem');
}

/** Makes a client with a short timeout that is closed when the test ends. */
export function clientFor(t: TestContext, options: Partial<HttpOptions> = {}): HttpClient {
  const client = createHttpClient({ environment: {}, timeoutMs: 5000, ...options });
  t.after(() => client.close());
  return client;
}

/** Makes a server that speaks TLS with a certificate of tests/fixtures/tls. */
export function createTls(
  certificate: Certificate,
  listener: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  const pem = readFileSync(join(FIXTURES, 'tls', `${certificate}.pem`), 'utf8');
  return createTlsServer({ key: pem, cert: pem }, listener);
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { answerer, requests }: { answerer: Answerer; requests: SeenRequest[] },
): Promise<void> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    // The client, or what stands between, went away before its request was complete.
    return;
  }
  const { method = '', url = '', headers } = request;
  const seen = { method, path: url, headers, body: Buffer.concat(chunks).toString() };
  requests.push(seen);
  const given = answerer(seen);
  if (given === null) return;
  if ('raw' in given) return writeRaw(request.socket, given);
  response.writeHead(given.status, (given.headers ?? []).flat());
  response.end(given.body);
}

function writeRaw(socket: Socket, { raw, afterwards }: RawAnswer): void {
  socket.write(raw, 'latin1', () => {
    if (afterwards === 'reset') socket.resetAndDestroy();
    if (afterwards === 'end') socket.end();
  });
}
