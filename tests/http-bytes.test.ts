// Connections that break at any byte of a request or of its answer, and answers that stretch the
// rules of HTTP. Each comes to an end in time, in a class of its own, and is sent once only.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import { classifyLogin } from '../src/matrix/credential.ts';
import { isFailure } from '../src/matrix/failure.ts';
import type { HttpResult } from '../src/matrix/http-result.ts';
import { startRelay } from './helpers/cutting-relay.ts';
import type { Cut } from './helpers/cutting-relay.ts';
import { clientFor, json, startReplayServer } from './helpers/replay-server.ts';

const EXPECTED = { userId: '@bot:hs.test', deviceId: 'DEVICE' };
const SESSION = { user_id: '@bot:hs.test', device_id: 'DEVICE', access_token: 'token-of-a-login' };
const BODY = { type: 'm.login.password', device_id: 'DEVICE', password: 'canary' };

function summary(result: HttpResult): unknown[] {
  return result.kind === 'answer' ? [result.status] : [result.reason, result.maybeExecuted];
}

test('a login that is cut at any byte of its answer may have been executed, and is sent once', async (t) => {
  let cut: Cut | null = null;
  const server = await startReplayServer(t, () => ({
    ...json(200, SESSION),
    headers: [
      ['content-type', 'application/json'],
      ['connection', 'close'],
    ],
  }));
  const relay = await startRelay(t, server.url, () => cut);
  const length = await answerLength(server.url);
  for (let after = 0; after < length; after += 1) {
    cut = { of: 'answer', after, by: after % 2 === 0 ? 'reset' : 'end' };
    const before = server.requests.length;
    const result = await clientFor(t).request('POST', `${relay.baseUrl}/login`, { body: BODY });
    assert.deepEqual(
      summary(result),
      ['reset', true],
      `after ${after} bytes ${JSON.stringify(result)}`,
    );
    assert.equal(server.requests.length, before + 1);
    const failure = classifyLogin(result, EXPECTED);
    assert.ok(isFailure(failure) && failure.scope === 'retry' && failure.maybeExecuted);
  }
  cut = { of: 'answer', after: length, by: 'end' };
  const whole = await clientFor(t).request('POST', `${relay.baseUrl}/login`, { body: BODY });
  assert.deepEqual(summary(whole), [200]);
});

/** How many bytes an answer of the server has, chunks and all. */
async function answerLength(url: string): Promise<number> {
  const { connect } = await import('node:net');
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.write(
    'POST /login HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}',
  );
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).length;
}

test('a login that is cut at any byte of its request counts as perhaps executed, and is sent once', async (t) => {
  let cut: Cut | null = null;
  const server = await startReplayServer(t, () => json(200, SESSION));
  const relay = await startRelay(t, server.url, () => cut);
  const whole = await clientFor(t).request('POST', `${relay.baseUrl}/login`, { body: BODY });
  assert.deepEqual(summary(whole), [200]);
  const length = relay.requests[0]?.length ?? 0;
  assert.ok(length > 150);
  for (let after = 0; after <= length; after += 1) {
    cut = { of: 'request', after, by: after % 2 === 0 ? 'reset' : 'end' };
    const before = relay.requests.length;
    const result = await clientFor(t).request('POST', `${relay.baseUrl}/login`, { body: BODY });
    assert.deepEqual(summary(result), ['reset', true], `after ${after} bytes`);
    assert.equal(relay.requests.length, before + 1, 'it is not sent again');
  }
});

interface Raw {
  readonly answer: string | Buffer;
  /** Default: end the connection. */
  readonly afterwards?: 'wait' | 'reset';
  /** Before a byte of the request has come. */
  readonly early?: boolean;
}

/** A server of bytes; gives how often it was connected to, too. */
async function rawServer(t: TestContext, raw: Raw): Promise<{ url: string; count(): number }> {
  const sockets = new Set<Socket>();
  let count = 0;
  const answer = (socket: Socket): void => {
    socket.write(raw.answer, () => {
      if (raw.afterwards === 'reset') socket.resetAndDestroy();
      else if (raw.afterwards !== 'wait') socket.end();
    });
  };
  const server = createServer((socket) => {
    count += 1;
    sockets.add(socket.on('error', () => undefined));
    if (raw.early === true) answer(socket);
    else socket.once('data', () => answer(socket));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}/login`,
    count: () => count,
  };
}

const TEXT = JSON.stringify(SESSION);
const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const CHUNKED = `${HEAD}transfer-encoding: chunked\r\n\r\n`;
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const packed = (encoding: string, body: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`${HEAD}content-encoding: ${encoding}\r\ncontent-length: ${body.length}\r\n\r\n`),
    body,
  ]);

/** Each with what comes of a login: `ok`, or the code and whether it may have been executed. */
const RAW: Readonly<Record<string, readonly [Raw, string]>> = {
  'HTTP/1.0 with a length': [
    { answer: `HTTP/1.0 200 OK\r\ncontent-length: ${TEXT.length}\r\n\r\n${TEXT}` },
    'ok',
  ],
  'HTTP/1.0 that ends with the connection': [{ answer: `HTTP/1.0 200 OK\r\n\r\n${TEXT}` }, 'ok'],
  'no length, and an end': [{ answer: `${HEAD}\r\n${TEXT}` }, 'ok'],
  'no length, and an end too early': [
    { answer: `${HEAD}\r\n${TEXT.slice(0, -9)}` },
    'NOT_MATRIX true',
  ],
  'no length, and a reset': [{ answer: `${HEAD}\r\n${TEXT}`, afterwards: 'reset' }, 'ok'],
  'informational answers before it': [
    {
      answer: `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${HEAD}content-length: ${TEXT.length}\r\n\r\n${TEXT}`,
    },
    'ok',
  ],
  // The HTTP library takes no 100 that it did not ask for.
  'a 100 that nobody asked for': [
    { answer: `HTTP/1.1 100 Continue\r\n\r\n${HEAD}content-length: ${TEXT.length}\r\n\r\n${TEXT}` },
    'RESET true',
  ],
  'informational answers only': [{ answer: 'HTTP/1.1 103 Early Hints\r\n\r\n' }, 'RESET true'],
  'informational answers without end': [
    { answer: 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(2000), afterwards: 'wait' },
    'TIMEOUT true',
  ],
  'a switch of protocols': [
    {
      answer: 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
      afterwards: 'wait',
    },
    'RESET true',
  ],
  'chunks of single bytes': [
    { answer: `${CHUNKED}${Array.from(TEXT, chunk).join('')}0\r\n\r\n` },
    'ok',
  ],
  'chunks with extensions and trailers': [
    { answer: `${CHUNKED}${TEXT.length.toString(16)};a=b\r\n${TEXT}\r\n0\r\nx-after: 1\r\n\r\n` },
    'ok',
  ],
  'chunks without an end': [{ answer: `${CHUNKED}${chunk(TEXT)}` }, 'RESET true'],
  'a chunk of no number': [{ answer: `${CHUNKED}zz\r\n${TEXT}\r\n` }, 'PROTOCOL true'],
  'a chunk of a number beyond all': [
    { answer: `${CHUNKED}ffffffffffffffffff\r\nx` },
    'PROTOCOL true',
  ],
  'a chunk that is longer than it says': [
    { answer: `${CHUNKED}4\r\n${TEXT}\r\n` },
    'PROTOCOL true',
  ],
  'trailers without end': [
    { answer: `${CHUNKED}${chunk(TEXT)}0\r\n${'x-long: 1\r\n'.repeat(5000)}`, afterwards: 'wait' },
    'TOO_LARGE true',
  ],
  'a length and chunks': [
    {
      answer: `${HEAD}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n${chunk(TEXT)}0\r\n\r\n`,
    },
    'RESET true',
  ],
  'two lengths': [
    { answer: `${HEAD}content-length: 5\r\ncontent-length: 6\r\n\r\n${TEXT}` },
    'RESET true',
  ],
  'a length below zero': [{ answer: `${HEAD}content-length: -5\r\n\r\n${TEXT}` }, 'PROTOCOL true'],
  'a length of no number': [
    { answer: `${HEAD}content-length: many\r\n\r\n${TEXT}` },
    'PROTOCOL true',
  ],
  'a length too short': [
    { answer: `${HEAD}content-length: ${TEXT.length - 1}\r\n\r\n${TEXT}` },
    'NOT_MATRIX true',
  ],
  'a length too long': [{ answer: `${HEAD}content-length: 999\r\n\r\n${TEXT}` }, 'RESET true'],
  'a length that announces too much': [
    {
      answer: `${HEAD}content-length: 99999999999\r\n\r\n${'x'.repeat(2_000_000)}`,
      afterwards: 'wait',
    },
    'TOO_LARGE true',
  ],
  'one header without end': [
    { answer: `${HEAD}x-long: ${'x'.repeat(100_000)}`, afterwards: 'wait' },
    'TOO_LARGE true',
  ],
  'headers without end': [
    { answer: `${HEAD}${'x: y\r\n'.repeat(20_000)}`, afterwards: 'wait' },
    'TOO_LARGE true',
  ],
  'a header that is none': [{ answer: `${HEAD}no colon here\r\n\r\n${TEXT}` }, 'PROTOCOL true'],
  'another protocol that speaks first': [
    { answer: 'SSH-2.0-OpenSSH_9.2\r\n', early: true, afterwards: 'wait' },
    'PROTOCOL true',
  ],
  'a greeting of a mail server': [
    { answer: '220 mail.test ESMTP\r\n', afterwards: 'wait' },
    'PROTOCOL true',
  ],
  'HTTP/2 on the plain line': [
    { answer: Buffer.from('000000040000000000', 'hex'), afterwards: 'wait' },
    'PROTOCOL true',
  ],
  'nothing, and an end': [{ answer: '' }, 'RESET true'],
  'nothing, and a reset': [{ answer: '', afterwards: 'reset' }, 'RESET true'],
  'nothing at all': [{ answer: '', afterwards: 'wait' }, 'TIMEOUT true'],
  'a refusal before the request is read': [
    {
      answer:
        'HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: 48\r\nconnection: close\r\n\r\n{"errcode":"M_FORBIDDEN","error":"before reading',
    },
    'NOT_MATRIX false',
  ],
  'gzip that nobody asked for': [{ answer: packed('gzip', gzipSync(TEXT)) }, 'ok'],
  'gzip that is none': [{ answer: packed('gzip', Buffer.from(TEXT)) }, 'NOT_MATRIX true'],
  'gzip that is cut off': [
    { answer: packed('gzip', gzipSync(TEXT).subarray(0, -12)) },
    'NOT_MATRIX true',
  ],
  'a bomb in gzip': [
    { answer: packed('gzip', gzipSync(`{"a":"${'x'.repeat(50_000_000)}"}`)) },
    'NOT_MATRIX true',
  ],
  'deflate that nobody asked for': [
    { answer: packed('deflate', deflateSync(TEXT)) },
    'NOT_MATRIX true',
  ],
  'a wrong content type': [
    {
      answer: `HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: ${TEXT.length}\r\n\r\n${TEXT}`,
    },
    'ok',
  ],
  'no content type': [
    { answer: `HTTP/1.1 200 OK\r\ncontent-length: ${TEXT.length}\r\n\r\n${TEXT}` },
    'ok',
  ],
  'bytes that are no UTF-8': [
    {
      answer: Buffer.concat([
        Buffer.from(`${HEAD}content-length: 4\r\n\r\n`),
        Buffer.from('fffe7b7d', 'hex'),
      ]),
    },
    'NOT_MATRIX true',
  ],
};

for (const [name, [raw, wanted]] of Object.entries(RAW)) {
  test(`an answer to a login with ${name}: ${wanted}`, async (t) => {
    const server = await rawServer(t, raw);
    const timeoutMs = wanted.startsWith('TIMEOUT') ? 500 : 20_000;
    const result = await clientFor(t, { timeoutMs }).request('POST', server.url, { body: BODY });
    const login = classifyLogin(result, EXPECTED);
    const came = isFailure(login) ? `${login.code} ${login.maybeExecuted}` : 'ok';
    assert.equal(came, wanted, JSON.stringify(result));
    assert.equal(server.count(), 1, 'it is sent once');
    assert.doesNotMatch(JSON.stringify(login), /canary|token-of-a-login/);
  });
}

test('an answer that was there before the request was sent is none to it', async (t) => {
  const answer = `${HEAD}content-length: ${TEXT.length}\r\n\r\n${TEXT}`;
  const server = await rawServer(t, { answer, early: true, afterwards: 'wait' });
  const result = await clientFor(t).request('POST', server.url, { body: BODY });
  // Whichever is quicker: either way it came to an end, and was sent once at most.
  assert.match(
    result.kind === 'answer' ? `${result.status}` : result.reason,
    /^(?:200|reset|protocol)$/,
  );
  assert.equal(server.count(), 1);
});

test('a login on a connection that is just being closed is not sent twice', async (t) => {
  // Every connection serves one request, and is closed without a word when the next one comes.
  let requests = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    let isFirst = true;
    sockets.add(socket.on('error', () => undefined));
    socket.on('data', () => {
      requests += 1;
      if (isFirst) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}');
      else socket.resetAndDestroy();
      isFirst = false;
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}/login`;
  const client = clientFor(t);
  assert.deepEqual(summary(await client.request('GET', url)), [200]);
  const result = await client.request('POST', url, { body: BODY });
  assert.ok(result.kind === 'answer' || result.maybeExecuted);
  assert.equal(requests, 2);
});
