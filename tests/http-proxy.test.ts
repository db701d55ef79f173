import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../src/errors.ts';
import type { HttpResult } from '../src/matrix/http-result.ts';
import { checkNetworkEnvironment, readProxies } from '../src/matrix/network-environment.ts';
import { redact } from '../src/secret.ts';
import {
  clientFor,
  createTls,
  json,
  listen,
  startReplayServer,
  testCa,
  type ReplayServer,
} from './helpers/replay-server.ts';

interface Proxy {
  readonly url: string;
  /** Method and target of what was asked of it. */
  readonly seen: string[];
  readonly authorizations: (string | undefined)[];
}

interface ProxyOptions {
  /** Where tunnels and forwarded requests lead, whatever is asked for. */
  readonly port: number;
  readonly refuse?: number;
  /** Tunnels are made only when this is fulfilled. */
  readonly opening?: Promise<void>;
  readonly isTls?: boolean;
}

async function startProxy(t: TestContext, options: ProxyOptions): Promise<Proxy> {
  const seen: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    seen.push(`${request.method} ${request.url}`);
    authorizations.push(request.headers['proxy-authorization']);
    response.writeHead(options.refuse ?? 200, { 'content-type': 'application/json' });
    response.end('{"from":"proxy"}');
  };
  const isTls = options.isTls === true;
  const server = isTls ? createTls('trusted', listener) : createServer(listener);
  server.on('connect', (request, socket) => {
    seen.push(`CONNECT ${request.url}`);
    authorizations.push(request.headers['proxy-authorization']);
    if (options.refuse !== undefined) {
      socket.end(`HTTP/1.1 ${options.refuse} No\r\n\r\n`);
      return;
    }
    const target = connect(options.port, '127.0.0.1', () => {
      void (options.opening ?? Promise.resolve()).then(() => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        target.pipe(socket).pipe(target);
      });
    });
    for (const end of [target, socket]) {
      end
        .on('error', () => end.destroy())
        .on('close', () => {
          target.destroy();
          socket.destroy();
        });
    }
  });
  const port = await listen(t, server);
  return { url: `${isTls ? 'https' : 'http'}://127.0.0.1:${port}`, seen, authorizations };
}

async function tlsServer(t: TestContext): Promise<ReplayServer> {
  return startReplayServer(t, () => json(200, { from: 'server' }), { certificate: 'trusted' });
}

function summary(result: HttpResult): unknown[] {
  return result.kind === 'answer'
    ? [result.status, result.json]
    : [result.reason, result.maybeExecuted];
}

test('https goes through a tunnel of HTTPS_PROXY, with a private CA, too', async (t) => {
  const server = await tlsServer(t);
  const proxy = await startProxy(t, { port: server.port });
  const environment = { HTTPS_PROXY: proxy.url };
  const client = clientFor(t, { environment, ca: testCa() });
  const result = await client.request('POST', 'https://example.org/login', { body: { a: 1 } });
  assert.deepEqual(summary(result), [200, { from: 'server' }]);
  assert.deepEqual(proxy.seen, ['CONNECT example.org:443']);
  assert.equal(server.requests[0]?.body, '{"a":1}');
  const wary = clientFor(t, { environment });
  const refused = await wary.request('POST', 'https://example.org/login', { body: {} });
  assert.deepEqual(summary(refused), ['tls', false]);
});

test('the credentials of a proxy go to the proxy, and are hidden', async (t) => {
  const server = await tlsServer(t);
  const proxy = await startProxy(t, { port: server.port });
  const https_proxy = proxy.url.replace('//', '//user:p%40ss-canary@');
  const client = clientFor(t, { environment: { https_proxy }, ca: testCa() });
  await client.request('GET', 'https://example.org/');
  const sent = `Basic ${Buffer.from('user:p@ss-canary').toString('base64')}`;
  assert.deepEqual(proxy.authorizations, [sent]);
  assert.equal(server.requests[0]?.headers['proxy-authorization'], undefined);
  assert.doesNotMatch(redact(`${https_proxy} ${sent} p@ss-canary`), /canary|[A-Za-z0-9]{20}/);
});

test('plain http is handed to HTTP_PROXY as it is', async (t) => {
  const proxy = await startProxy(t, { port: 0 });
  const client = clientFor(t, { environment: { HTTP_PROXY: proxy.url } });
  const result = await client.request('GET', 'http://matrix.example.org/path');
  assert.deepEqual(summary(result), [200, { from: 'proxy' }]);
  assert.deepEqual(proxy.seen, ['GET http://matrix.example.org/path']);
});

test('HTTP_PROXY alone is no proxy for https', async (t) => {
  const server = await tlsServer(t);
  const proxy = await startProxy(t, { port: server.port });
  const connectTo = new Map([['example.org:443', { host: '127.0.0.1', port: server.port }]]);
  const environment = { HTTP_PROXY: proxy.url };
  const client = clientFor(t, { environment, ca: testCa(), connectTo });
  assert.deepEqual(summary(await client.request('GET', 'https://example.org/'))[0], 200);
  assert.deepEqual(proxy.seen, []);
});

test('a host that NO_PROXY names, or below one, is asked without the proxy', async (t) => {
  const server = await tlsServer(t);
  const proxy = await startProxy(t, { port: server.port });
  const connectTo = new Map([['matrix.example.org:443', { host: '127.0.0.1', port: server.port }]]);
  for (const NO_PROXY of ['matrix.example.org', 'other.test,example.org', '.example.org', '*']) {
    const environment = { HTTPS_PROXY: proxy.url, NO_PROXY };
    const client = clientFor(t, { environment, ca: testCa(), connectTo });
    assert.equal(summary(await client.request('GET', 'https://matrix.example.org/'))[0], 200);
  }
  assert.deepEqual(proxy.seen, []);
});

test('loopback is never asked through a proxy', async (t) => {
  const server = await startReplayServer(t, () => json(200, { from: 'server' }));
  const proxy = await startProxy(t, { port: server.port });
  const client = clientFor(t, { environment: { http_proxy: proxy.url } });
  assert.deepEqual(summary(await client.request('GET', server.url)), [200, { from: 'server' }]);
  assert.deepEqual(proxy.seen, []);
});

test('a proxy that refuses the tunnel is to blame, and nothing was sent', async (t) => {
  for (const refuse of [403, 407, 502]) {
    const proxy = await startProxy(t, { port: 0, refuse });
    const client = clientFor(t, { environment: { HTTPS_PROXY: proxy.url } });
    const result = await client.request('POST', 'https://example.org/', { body: {} });
    assert.deepEqual(summary(result), ['proxy', false]);
    assert.match(
      result.kind === 'transport' ? result.detail : '',
      new RegExp(`^UND_ERR_ABORTED, ${refuse}, proxies of the environment are in use$`),
    );
  }
});

test('a proxy that never answers runs into the timeout, and nothing was sent', async (t) => {
  const server = createServer();
  server.on('connect', () => undefined);
  const HTTPS_PROXY = `http://127.0.0.1:${await listen(t, server)}`;
  const client = clientFor(t, { environment: { HTTPS_PROXY }, timeoutMs: 300 });
  const result = await client.request('POST', 'https://example.org/', { body: {} });
  assert.deepEqual(summary(result), ['timeout', false]);
});

test('what was given up as never sent is not sent later, when the way is free', async (t) => {
  let open = (): void => undefined;
  const opening = new Promise<void>((resolve) => {
    open = resolve;
  });
  const server = await tlsServer(t);
  const proxy = await startProxy(t, { port: server.port, opening });
  const environment = { HTTPS_PROXY: proxy.url };
  const client = clientFor(t, { environment, ca: testCa(), timeoutMs: 300 });
  const result = await client.request('POST', 'https://example.org/', { body: {} });
  assert.deepEqual(summary(result), ['timeout', false]);
  open();
  await sleep(300);
  assert.equal(server.requests.length, 0);
});

test('a proxy that is itself reached by TLS may have a certificate of the private CA', async (t) => {
  const server = await tlsServer(t);
  const proxy = await startProxy(t, { port: server.port, isTls: true });
  const client = clientFor(t, { environment: { HTTPS_PROXY: proxy.url }, ca: testCa() });
  const result = await client.request('GET', 'https://example.org/');
  assert.deepEqual(summary(result), [200, { from: 'server' }]);
});

test('the variables of proxies may be written small or large, small ones win, without scheme', () => {
  assert.equal(readProxies({}), null);
  assert.equal(readProxies({ https_proxy: '', NO_PROXY: 'x' }), null);
  assert.deepEqual(readProxies({ HTTPS_PROXY: 'http://a:1', https_proxy: 'b:2', no_proxy: 'c' }), {
    httpProxy: '',
    httpsProxy: 'http://b:2',
    noProxy: 'c',
  });
});

test('an environment that cannot be used is bad input, all of it at once, without secrets', () => {
  const environment = {
    NODE_TLS_REJECT_UNAUTHORIZED: '0',
    HTTP_PROXY: 'socks5://user:canary-1@host:1',
    https_proxy: 'http://user:canary-%zz@host:1',
  };
  assert.throws(
    () => checkNetworkEnvironment(environment),
    (error) => {
      assert.ok(error instanceof InputError);
      assert.deepEqual(
        error.faults.map((fault) => fault.code),
        ['E_ENVIRONMENT', 'E_ENVIRONMENT', 'E_ENVIRONMENT'],
      );
      assert.doesNotMatch(JSON.stringify(error.faults), /canary/);
      return true;
    },
  );
  checkNetworkEnvironment({ NODE_TLS_REJECT_UNAUTHORIZED: '1', HTTPS_PROXY: 'proxy:3128' });
});
