// Names with several addresses, with one that is dead, or with none; IPv6; and proxies of the
// environment that are not there.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import type { LookupFunction } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { isAtOrBelow } from '../src/matrix/base-url.ts';
import { discoverHomeserver } from '../src/matrix/discovery.ts';
import { isFailure } from '../src/matrix/failure.ts';
import type { HttpResult } from '../src/matrix/http-result.ts';
import { bypassesProxy } from '../src/matrix/network-environment.ts';
import { sortTransportError } from '../src/matrix/transport-error.ts';
import { openBlackHole } from './helpers/black-hole.ts';
import {
  capture,
  clientFor,
  createTls,
  json,
  listen,
  startReplayServer,
  testCa,
} from './helpers/replay-server.ts';

const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
const skip = own.some(({ address }) => address === '::1') ? false : 'no IPv6 here';

function summary(result: HttpResult): unknown[] {
  if (result.kind === 'answer') return [result.status, result.json];
  return [result.reason, result.maybeExecuted, result.detail];
}

/** A name that has these addresses, in this order. */
function resolving(...addresses: string[]): LookupFunction {
  return (_name, options, callback) => {
    const all = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    const [first] = all;
    if (options.all === true) callback(null, all);
    else callback(null, first?.address ?? '', first?.family ?? 4);
  };
}

function failing(code: string): LookupFunction {
  return (name, _options, callback) => {
    callback(Object.assign(new Error(`getaddrinfo ${code} ${name}`), { code }), '', 4);
  };
}

async function closedPort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, host, done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

test(
  'of two addresses the one that refuses is passed over, whichever comes first',
  { skip },
  async (t) => {
    for (const [host, order] of [
      ['127.0.0.1', ['::1', '127.0.0.1']],
      ['::1', ['::1', '127.0.0.1']],
      ['::1', ['127.0.0.1', '::1']],
    ] as const) {
      const server = await startReplayServer(t, () => json(200, { a: 1 }), { host });
      const client = clientFor(t, { lookup: resolving(...order) });
      const result = await client.request('POST', `http://two.test:${server.port}/`, { body: {} });
      assert.deepEqual(summary(result), [200, { a: 1 }]);
      assert.equal(server.requests.length, 1, 'the request is sent once only');
    }
  },
);

test('of two addresses the one that never answers is given up in time', { skip }, async (t) => {
  const port = await openBlackHole(t, '127.0.0.1');
  const server = createTls('trusted', (_request, response) => response.end('{"a":1}'));
  await new Promise<void>((done) => server.listen(port, '::1', done));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const lookup = resolving('127.0.0.1', '::1');
  const client = clientFor(t, { lookup, ca: testCa(), timeoutMs: 20_000 });
  const result = await client.request('POST', `https://example.org:${port}/`, { body: {} });
  assert.deepEqual(summary(result), [200, { a: 1 }]);
});

test('where no address takes a connection, nothing was sent', { skip }, async (t) => {
  const hole = await openBlackHole(t, '127.0.0.1');
  const client = clientFor(t, { lookup: resolving('127.0.0.1', '::1'), timeoutMs: 3000 });
  const both = await client.request('POST', `http://two.test:${hole}/`, { body: {} });
  assert.deepEqual(summary(both).slice(0, 2), ['refused', false]);
  const alone = clientFor(t, { lookup: resolving('127.0.0.1'), timeoutMs: 1000 });
  const silent = await alone.request('POST', `http://one.test:${hole}/`, { body: {} });
  assert.deepEqual(summary(silent).slice(0, 2), ['timeout', false]);
  const closed = await closedPort('127.0.0.1');
  const refused = await client.request('POST', `http://two.test:${closed}/`, { body: {} });
  assert.deepEqual(summary(refused), ['refused', false, 'ECONNREFUSED']);
});

test('a name without an address, or one that cannot be told now, proves that nothing was sent', async (t) => {
  for (const [code, reason] of [
    ['ENOTFOUND', 'dns'],
    ['EAI_AGAIN', 'dns_for_now'],
    ['EAI_FAIL', 'dns_for_now'],
    ['EAI_MEMORY', 'dns_for_now'],
  ]) {
    const client = clientFor(t, { lookup: failing(code ?? '') });
    const result = await client.request('POST', 'https://name.test/', { body: {} });
    assert.deepEqual(summary(result), [reason, false, code]);
  }
});

test('of several errors the most telling one counts, and all codes are shown', () => {
  const of = (...codes: string[]): unknown => {
    const errors = codes.map((code) => Object.assign(new Error('canary'), { code }));
    return Object.assign(new AggregateError(errors), { code: codes[0] });
  };
  const cases: [string[], string][] = [
    [['ENETUNREACH', 'ECONNREFUSED'], 'refused'],
    [['EADDRNOTAVAIL', 'ETIMEDOUT'], 'timeout'],
    [['ENETUNREACH', 'EHOSTUNREACH'], 'network'],
  ];
  for (const [codes, reason] of cases) {
    assert.deepEqual(sortTransportError(of(...codes)), { reason, code: codes.join(', ') });
  }
  assert.deepEqual(sortTransportError({ code: 'EMFILE' }), { reason: 'network', code: 'EMFILE' });
  assert.deepEqual(sortTransportError({ code: 'canary: x' }), {
    reason: 'protocol',
    code: 'UNKNOWN',
  });
});

test(
  'an IPv6 address is spoken to with TLS, and its certificate is checked',
  { skip },
  async (t) => {
    for (const [certificate, wanted] of [
      ['trusted', [200, { a: 1 }]],
      [
        'wrong-name',
        ['tls', false, 'ERR_TLS_CERT_ALTNAME_INVALID: its certificate is for another name'],
      ],
    ] as const) {
      const server = createTls(certificate, (_request, response) => response.end('{"a":1}'));
      const port = await listen(t, server, '::1');
      const client = clientFor(t, { ca: testCa() });
      assert.deepEqual(summary(await client.request('GET', `https://[::1]:${port}/`)), wanted);
    }
  },
);

test(
  'a server name that is an IPv6 address is discovered, however it is written',
  { skip },
  async (t) => {
    const server = await startReplayServer(
      t,
      ({ path }) => {
        if (path === '/_matrix/client/versions') return capture('versions');
        return path.endsWith('/login') ? capture('flows') : json(404, { errcode: 'M_NOT_FOUND' });
      },
      { certificate: 'trusted', host: '::1' },
    );
    const connectTo = new Map([['[2001:db8::1]:443', { host: '::1', port: server.port }]]);
    for (const serverName of ['[2001:db8::1]', '[2001:DB8:0::1]:8448', '[2001:0db8:0:0::1]']) {
      const client = clientFor(t, { ca: testCa(), connectTo });
      const found = await discoverHomeserver({ serverName, allowHttp: false }, client);
      assert.ok(!isFailure(found), JSON.stringify(found));
      assert.deepEqual([found.baseUrl, found.serverName], ['https://[2001:db8::1]', serverName]);
    }
    assert.equal(server.requests[0]?.headers.host, '[2001:db8::1]');
  },
);

test('another way of writing the same address is the same, another address is not', () => {
  assert.ok(isAtOrBelow('[2001:db8::1]', '[2001:DB8:0:0:0:0:0:1]'));
  assert.ok(!isAtOrBelow('[2001:db8::2]', '[2001:db8::1]'));
  assert.ok(!isAtOrBelow('a.[2001:db8::1]', '[2001:db8::1]'));
  assert.ok(isAtOrBelow('192.0.2.1', '192.0.2.1'));
});

test('a proxy that is not there is to blame, and nothing was sent', async (t) => {
  const port = await closedPort('127.0.0.1');
  const proxies = { HTTPS_PROXY: `http://127.0.0.1:${port}`, HTTP_PROXY: `127.0.0.1:${port}` };
  for (const url of ['https://example.org/', 'http://example.org/']) {
    const client = clientFor(t, { environment: proxies });
    const result = summary(await client.request('POST', url, { body: {} }));
    const detail = 'ECONNREFUSED, proxies of the environment are in use';
    assert.deepEqual(result, ['proxy', false, detail]);
  }
  const nameless = { HTTPS_PROXY: 'http://proxy.invalid:3128' };
  const client = clientFor(t, { environment: nameless });
  const result = summary(await client.request('POST', 'https://example.org/', { body: {} }));
  assert.deepEqual(result.slice(0, 2), ['proxy', false]);
});

test('a host that NO_PROXY names is not said to be asked through a proxy', async (t) => {
  const port = await closedPort('127.0.0.1');
  const environment = { HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: 'example.org' };
  const connectTo = new Map([['example.org:443', { host: '127.0.0.1', port }]]);
  const client = clientFor(t, { environment, connectTo });
  const result = await client.request('POST', 'https://example.org/', { body: {} });
  assert.deepEqual(summary(result), ['refused', false, 'ECONNREFUSED']);
});

async function refusingProxy(t: TestContext, status: number): Promise<string> {
  const server = await startReplayServer(t, () => ({ status, body: 'canary' }));
  return server.url;
}

test('a proxy that wants credentials is to blame for plain http, too; other refusals are the server’s', async (t) => {
  for (const [status, wanted] of [
    [407, ['proxy', false, 'UND_ERR_INVALID_ARG, 407, proxies of the environment are in use']],
    [403, [403, null]],
  ] as const) {
    const environment = { HTTP_PROXY: await refusingProxy(t, status) };
    const client = clientFor(t, { environment });
    const result = await client.request('POST', 'http://example.org/', { body: {} });
    assert.deepEqual(summary(result), wanted);
  }
});

test('NO_PROXY takes names, those below them, ports, addresses, networks and all', () => {
  const cases: [string, string, boolean][] = [
    ['*', 'https://example.org', true],
    ['example.org', 'https://example.org', true],
    ['example.org', 'https://MATRIX.example.org', true],
    ['.example.org', 'https://matrix.example.org', true],
    ['*.example.org', 'https://matrix.example.org', true],
    ['example.org', 'https://badexample.org', false],
    ['EXAMPLE.org other.test', 'https://example.org', true],
    ['example.org:443', 'https://example.org', true],
    ['example.org:8443', 'https://example.org', false],
    ['example.org:8443', 'https://example.org:8443', true],
    ['10.0.0.0/8', 'http://10.1.2.3', true],
    ['10.0.0.0/8', 'http://11.1.2.3', false],
    ['10.0.0.0/8', 'http://ten.example.org', false],
    ['10.1.2.3', 'http://10.1.2.3', true],
    ['2.3', 'http://10.1.2.3', false],
    ['[2001:db8::1]', 'https://[2001:db8::1]', true],
    ['2001:db8:0::1', 'https://[2001:db8::1]:8448', true],
    ['2001:db8::/32', 'https://[2001:db8::1]', true],
    ['2001:db9::/32', 'https://[2001:db8::1]', false],
    ['10.0.0.0/99', 'http://10.1.2.3', false],
    ['', 'https://example.org', false],
    [' , ', 'https://example.org', false],
  ];
  for (const [noProxy, url, wanted] of cases) {
    assert.equal(bypassesProxy(noProxy, new URL(url)), wanted, `${noProxy} ${url}`);
  }
});
