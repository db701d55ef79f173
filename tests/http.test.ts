import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { HttpAnswer, HttpResult, HttpTransport } from '../src/matrix/http-result.ts';
import { sortTransportError } from '../src/matrix/transport-error.ts';
import { Secret } from '../src/secret.ts';
import {
  capture,
  clientFor,
  html,
  json,
  startReplayServer,
  type Answer,
} from './helpers/replay-server.ts';

function answerOf(result: HttpResult): HttpAnswer {
  assert.ok(result.kind === 'answer', JSON.stringify(result));
  return result;
}

function transportOf(result: HttpResult): HttpTransport {
  assert.ok(result.kind === 'transport', JSON.stringify(result));
  return result;
}

test('a GET carries no body and no token that nobody gave', async (t) => {
  const server = await startReplayServer(t, () => capture('versions'));
  const result = await clientFor(t).request('GET', `${server.url}/_matrix/client/versions`);
  assert.ok(Array.isArray(answerOf(result).json?.['versions']));
  const [seen] = server.requests;
  assert.equal(seen?.body, '');
  assert.equal(seen?.headers['authorization'], undefined);
  assert.equal(seen?.headers['content-type'], undefined);
  assert.equal(seen?.headers['accept-encoding'], 'identity');
});

test('a POST carries JSON, and the token in the Authorization header only', async (t) => {
  const server = await startReplayServer(t, () => json(200, {}));
  const body = { text: 'ä "quoted" \\ 🗝 \u0000', list: [1] };
  const token = new Secret('token-canary-1');
  await clientFor(t).request('POST', `${server.url}/path?q=1`, { body, token });
  const [seen] = server.requests;
  assert.deepEqual(JSON.parse(seen?.body ?? ''), body);
  assert.equal(seen?.headers['content-type'], 'application/json');
  assert.equal(seen?.headers['authorization'], 'Bearer token-canary-1');
  assert.equal(seen?.path, '/path?q=1');
});

test('a token that does not fit into a header is not sent', async (t) => {
  const server = await startReplayServer(t, () => json(200, {}));
  for (const token of ['two words', 'line\n', 'ümlaut', '', 'a\r\nX: y']) {
    const options = { token: new Secret(token) };
    const result = transportOf(await clientFor(t).request('GET', server.url, options));
    assert.deepEqual([result.reason, result.maybeExecuted], ['bad_token', false]);
  }
  assert.equal(server.requests.length, 0);
});

test('a URL with credentials, of another scheme or of no sense is not asked', async (t) => {
  const client = clientFor(t);
  for (const url of ['http://u:p@127.0.0.1/', 'ftp://127.0.0.1/', 'nonsense', '']) {
    const result = transportOf(await client.request('GET', url));
    assert.deepEqual([result.reason, result.maybeExecuted], ['bad_url', false], url);
  }
});

test('no redirect of a POST is followed, and the second host hears nothing', async (t) => {
  const second = await startReplayServer(t, () => json(200, {}));
  for (const status of [301, 302, 303, 307, 308]) {
    const headers = [['location', `${second.url}/elsewhere`]] as const;
    const first = await startReplayServer(t, () => ({ status, headers }));
    const result = await clientFor(t).request('POST', first.url, { body: { a: 1 } });
    assert.equal(answerOf(result).status, status);
    assert.equal(answerOf(result).location, `${second.url}/elsewhere`);
    assert.equal(first.requests.length, 1);
  }
  assert.equal(second.requests.length, 0);
});

test('a server that never answers runs into the timeout, perhaps having done the work', async (t) => {
  const server = await startReplayServer(t, () => null);
  const result = await clientFor(t, { timeoutMs: 200 }).request('POST', server.url, { body: {} });
  const { reason, maybeExecuted } = transportOf(result);
  assert.deepEqual([reason, maybeExecuted, server.requests.length], ['timeout', true, 1]);
});

test('a body that drips does not outlast the timeout', async (t) => {
  const server = createServer((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n');
    const drip = setInterval(() => socket.write(' '), 20);
    socket.on('close', () => clearInterval(drip)).on('error', () => undefined);
  });
  const url = await listenRaw(t, server);
  const result = await clientFor(t, { timeoutMs: 300 }).request('GET', url);
  assert.equal(transportOf(result).reason, 'timeout');
});

test('a connection that never becomes one proves that nothing was sent', async (t) => {
  // It takes connections, but never says a word of TLS.
  const server = createServer(() => undefined);
  const url = (await listenRaw(t, server)).replace('http:', 'https:');
  const result = await clientFor(t, { timeoutMs: 200 }).request('POST', url, { body: {} });
  const { reason, maybeExecuted } = transportOf(result);
  assert.deepEqual([reason, maybeExecuted], ['timeout', false]);
});

test('a closed port proves that nothing was sent', async (t) => {
  const server = createServer();
  const url = await listenRaw(t, server);
  await new Promise((done) => server.close(done));
  const result = transportOf(await clientFor(t).request('POST', url, { body: {} }));
  assert.deepEqual([result.reason, result.maybeExecuted], ['refused', false]);
  assert.equal(result.detail, 'ECONNREFUSED');
});

test('a name without an address proves that nothing was sent', async (t) => {
  const result = await clientFor(t).request('POST', 'https://nowhere.invalid/', { body: {} });
  assert.equal(transportOf(result).maybeExecuted, false);
  assert.equal(sortTransportError({ code: 'ENOTFOUND' }).reason, 'dns');
  assert.equal(sortTransportError({ code: 'EAI_AGAIN' }).reason, 'dns_for_now');
});

test('the errors of several addresses are all named', () => {
  const error = new AggregateError([{ code: 'ECONNREFUSED' }, { code: 'ENETUNREACH' }]);
  assert.deepEqual(sortTransportError(error), {
    reason: 'refused',
    code: 'ECONNREFUSED, ENETUNREACH',
  });
  assert.deepEqual(sortTransportError('text'), { reason: 'protocol', code: 'UNKNOWN' });
});

const WHOLE =
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 18\r\n\r\n{"access":"canary"';

test('a connection that is reset anywhere in the answer breaks it, perhaps executed', async (t) => {
  for (const afterwards of ['reset', 'end'] as const) {
    for (const bytes of [0, 5, 20, 40, 60, WHOLE.length - 10, WHOLE.length - 1]) {
      const raw = WHOLE.slice(0, bytes);
      const server = await startReplayServer(t, () => ({ raw, afterwards }));
      const result = await clientFor(t).request('POST', server.url, { body: {} });
      const { reason, maybeExecuted } = transportOf(result);
      assert.deepEqual(
        [reason, maybeExecuted],
        ['reset', true],
        `${afterwards} after ${bytes} bytes`,
      );
      assert.equal(server.requests.length, 1, 'the request is sent once only');
    }
  }
});

test('a connection that is reset as soon as it is made is a reset', async (t) => {
  const server = createServer((socket) => socket.resetAndDestroy());
  const url = await listenRaw(t, server);
  const result = transportOf(await clientFor(t).request('POST', url, { body: {} }));
  assert.equal(result.reason, 'reset');
});

test('a body beyond the limit is not read, announced or not', async (t) => {
  const size = 200_000;
  const answers: Answer[] = [
    { status: 200, headers: [['content-length', `${size}`]], body: 'x'.repeat(size) },
    { status: 200, headers: [['transfer-encoding', 'chunked']], body: 'x'.repeat(size) },
  ];
  for (const answer of answers) {
    const server = await startReplayServer(t, () => answer);
    const result = await clientFor(t, { maxBytes: 1000 }).request('GET', server.url);
    assert.equal(transportOf(result).reason, 'too_large');
  }
});

test('a body just at the limit is read', async (t) => {
  const server = await startReplayServer(t, () => json(200, { a: 'b' }));
  const result = await clientFor(t, { maxBytes: 9 }).request('GET', server.url);
  assert.deepEqual(answerOf(result).json, { a: 'b' });
});

test('headers without end are not read', async (t) => {
  const raw = `HTTP/1.1 200 OK\r\n${'X-Long: canary\r\n'.repeat(5000)}\r\n`;
  const server = await startReplayServer(t, () => ({ raw, afterwards: 'wait' }));
  assert.equal(transportOf(await clientFor(t).request('GET', server.url)).reason, 'too_large');
});

test('an answer that breaks the rules of HTTP is named so, without its bytes', async (t) => {
  const chunked = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
  const broken = [
    'nonsense canary-bytes\r\n\r\n',
    `${chunked}zz canary-bytes\r\n`,
    `HTTP/9.9 x\r\n`,
  ];
  for (const raw of broken) {
    const server = await startReplayServer(t, () => ({ raw, afterwards: 'wait' }));
    const result = transportOf(await clientFor(t).request('POST', server.url, { body: {} }));
    assert.deepEqual([result.reason, result.maybeExecuted], ['protocol', true]);
    assert.doesNotMatch(JSON.stringify(result), /canary/);
  }
});

test('a refusal whose text was lost is still a refusal', async (t) => {
  for (const status of [403, 429, 502]) {
    const raw = `HTTP/1.1 ${status} X\r\nretry-after: 7\r\ncontent-length: 500\r\n\r\n{"errcode":`;
    const server = await startReplayServer(t, () => ({ raw, afterwards: 'reset' }));
    const result = answerOf(await clientFor(t).request('POST', server.url, { body: {} }));
    assert.deepEqual([result.status, result.json, result.retryAfter], [status, null, '7']);
  }
});

test('only a JSON object counts as JSON, whatever the content type says', async (t) => {
  const cases: [string, unknown][] = [
    ['[{"errcode":"M_FORBIDDEN"}]', null],
    ['"text"', null],
    ['null', null],
    ['{"a":1', null],
    ['', null],
    ['<html>', null],
    ['\ufeff{"a":1}', { a: 1 }],
    ['{"a":1,"a":2}', { a: 2 }],
  ];
  for (const [body, wanted] of cases) {
    const headers = [['content-type', 'text/plain']] as const;
    const server = await startReplayServer(t, () => ({ status: 200, headers, body }));
    const result = await clientFor(t).request('GET', server.url);
    assert.deepEqual(answerOf(result).json, wanted, body);
  }
});

test('an answer that is packed all the same is unpacked within the limit, or counts as none', async (t) => {
  const packed = gzipSync('{"a":1}');
  const bomb = gzipSync(`{"a":"${'x'.repeat(2_000_000)}"}`);
  const cases: [string, Buffer, unknown][] = [
    ['gzip', packed, { a: 1 }],
    ['gzip', bomb, null],
    ['gzip', Buffer.from('{"a":1}'), null],
    ['gzip', packed.subarray(0, 12), null],
    ['br', packed, null],
  ];
  for (const [encoding, body, wanted] of cases) {
    const headers = [['content-encoding', encoding]] as const;
    const server = await startReplayServer(t, () => ({ status: 200, headers, body }));
    const result = await clientFor(t).request('GET', server.url);
    assert.deepEqual(answerOf(result).json, wanted);
  }
});

test('informational answers before the real one are passed over', async (t) => {
  const raw =
    'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n' +
    'HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{"a":1}';
  const server = await startReplayServer(t, () => ({ raw, afterwards: 'wait' }));
  const result = answerOf(await clientFor(t).request('GET', server.url));
  assert.deepEqual([result.status, result.json], [200, { a: 1 }]);
});

test('what an answer was is logged without a secret', async (t) => {
  const lines: string[] = [];
  const server = await startReplayServer(t, () => html(502));
  const times = [1000, 1250];
  const now = (): number => times.shift() ?? 0;
  const client = clientFor(t, { log: (line) => lines.push(line), now });
  const body = { password: 'log-canary' };
  await client.request('POST', `${server.url}/login?x=log-canary`, { body });
  assert.deepEqual(lines, [`POST ${server.url}/login 502 250 ms`]);
});

test('the signal of a client breaks off what is in flight and what comes after', async (t) => {
  const abort = new AbortController();
  const server = await startReplayServer(t, () => {
    abort.abort();
    return null;
  });
  const client = clientFor(t, { signal: abort.signal });
  const inFlight = transportOf(await client.request('POST', server.url, { body: {} }));
  assert.deepEqual([inFlight.reason, inFlight.maybeExecuted], ['cancelled', true]);
  const after = transportOf(await client.request('POST', server.url, { body: {} }));
  assert.deepEqual([after.reason, after.maybeExecuted], ['cancelled', false]);
  assert.equal(server.requests.length, 1);
});

const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
const skip = addresses.some(({ address }) => address === '::1') ? false : 'no IPv6 here';

test('a server on IPv6 is spoken to', { skip }, async (t) => {
  const server = await startReplayServer(t, () => json(200, { a: 1 }), { host: '::1' });
  const result = await clientFor(t).request('GET', server.url);
  assert.deepEqual(answerOf(result).json, { a: 1 });
});

async function listenRaw(
  t: Parameters<typeof clientFor>[0],
  server: ReturnType<typeof createServer>,
): Promise<string> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => {
    sockets.add(socket.on('error', () => undefined));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}/`;
}
