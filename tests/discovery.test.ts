import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { parseBaseUrl } from '../src/matrix/base-url.ts';
import { discoverHomeserver } from '../src/matrix/discovery.ts';
import { isFailure, type Failure } from '../src/matrix/failure.ts';
import type { Homeserver } from '../src/matrix/homeserver.ts';
import { missingPasswordFlow } from '../src/matrix/homeserver.ts';
import {
  capture,
  clientFor,
  html,
  json,
  startReplayServer,
  testCa,
  type Answer,
  type ReplayServer,
} from './helpers/replay-server.ts';

const WELL_KNOWN = '/.well-known/matrix/client';
const VERSIONS = '/_matrix/client/versions';
const LOGIN = '/_matrix/client/v3/login';
const METADATA = '/_matrix/client/v1/auth_metadata';

/** Answers by `host/path`, or by the path alone; anything else is a 404 of a web server. */
type Site = Readonly<Record<string, Answer | (() => Answer)>>;

const SYNAPSE: Site = { [VERSIONS]: capture('versions'), [LOGIN]: capture('flows') };

interface Network {
  readonly server: ReplayServer;
  discover(serverName: string): Promise<Homeserver | Failure>;
}

/** A network of one machine that is all of example.org, and example.net. */
async function startNetwork(t: TestContext, site: Site): Promise<Network> {
  const server = await startReplayServer(
    t,
    ({ headers, path }) => {
      const answer = site[`${headers.host}${path}`] ?? site[path] ?? html(404);
      return typeof answer === 'function' ? answer() : answer;
    },
    { certificate: 'trusted' },
  );
  const target = { host: '127.0.0.1', port: server.port };
  const names = [
    'example.org:443',
    'matrix.example.org:443',
    'example.net:443',
    'example.org:8443',
  ];
  const connectTo = new Map(names.map((name) => [name, target]));
  const client = clientFor(t, { ca: testCa(), connectTo });
  return {
    server,
    discover: (serverName) => discoverHomeserver({ serverName, allowHttp: false }, client),
  };
}

function wellKnown(baseUrl: unknown): Answer {
  return json(200, { 'm.homeserver': { base_url: baseUrl } });
}

function seen({ server }: Network): string[] {
  return server.requests.map(({ method, headers, path }) => `${method} ${headers.host}${path}`);
}

function failureOf(result: Homeserver | Failure): Failure {
  assert.ok(isFailure(result), JSON.stringify(result));
  return result;
}

function homeserverOf(result: Homeserver | Failure): Homeserver {
  assert.ok(!isFailure(result), JSON.stringify(result));
  return result;
}

test('the host of the server name is asked without its port, then the homeserver', async (t) => {
  const site = { ...SYNAPSE, [WELL_KNOWN]: wellKnown('https://matrix.example.org/') };
  const network = await startNetwork(t, site);
  assert.deepEqual(homeserverOf(await network.discover('example.org:8448')), {
    serverName: 'example.org:8448',
    baseUrl: 'https://matrix.example.org',
    api: 'v3',
    flows: [
      'org.matrix.login.jwt',
      'm.login.token',
      'm.login.password',
      'm.login.application_service',
    ],
    software: 'Synapse',
  });
  assert.deepEqual(seen(network), [
    `GET example.org${WELL_KNOWN}`,
    `GET matrix.example.org${VERSIONS}`,
    `GET matrix.example.org${LOGIN}`,
  ]);
});

test('slashes at the end of a base_url go, a path in it stays', async (t) => {
  for (const baseUrl of [
    'https://example.org/x',
    'https://example.org/x/',
    'https://example.org/x//',
  ]) {
    const site = {
      [WELL_KNOWN]: wellKnown(baseUrl),
      [`/x${VERSIONS}`]: capture('versions'),
      [`/x${LOGIN}`]: capture('flows'),
    };
    const network = await startNetwork(t, site);
    assert.equal(
      homeserverOf(await network.discover('example.org')).baseUrl,
      'https://example.org/x',
    );
  }
});

test('without a well-known the server name itself is tried', async (t) => {
  const network = await startNetwork(t, { ...SYNAPSE, [WELL_KNOWN]: capture('well-known-none') });
  assert.equal(homeserverOf(await network.discover('example.org')).baseUrl, 'https://example.org');
});

test('without a well-known and without Matrix, both are named, and the way out', async (t) => {
  const network = await startNetwork(t, {});
  const failure = failureOf(await network.discover('example.org'));
  assert.deepEqual([failure.scope, failure.code], ['homeserver', 'NO_HOMESERVER']);
  assert.match(
    failure.message,
    /well-known\/matrix\/client is not there, and .*versions answered 404/,
  );
  assert.match(failure.hint ?? '', /matrix_tokens_homeserver_url/);
});

const BROKEN: [string, Answer, string][] = [
  ['HTML', html(200), 'WELL_KNOWN'],
  ['nothing', { status: 200 }, 'WELL_KNOWN'],
  ['a list', json(200, []), 'WELL_KNOWN'],
  ['no base_url', json(200, { 'm.homeserver': {} }), 'WELL_KNOWN'],
  ['no homeserver', json(200, { 'm.identity_server': { base_url: 'https://id' } }), 'WELL_KNOWN'],
  ['a homeserver that is text', json(200, { 'm.homeserver': 'https://example.org' }), 'WELL_KNOWN'],
  ['a base_url that is no URL', wellKnown('matrix.example.org'), 'WELL_KNOWN'],
  ['another scheme', wellKnown('ftp://example.org'), 'WELL_KNOWN'],
  ['credentials', wellKnown('https://u:p@example.org'), 'WELL_KNOWN'],
  ['a query', wellKnown('https://example.org/?x'), 'WELL_KNOWN'],
  ['403 with HTML', html(403), 'NOT_MATRIX'],
  ['403 with JSON', json(403, { errcode: 'M_FORBIDDEN' }), 'M_FORBIDDEN'],
];

test('a well-known that is broken ends it, and no homeserver is asked', async (t) => {
  for (const [name, answer, code] of BROKEN) {
    const network = await startNetwork(t, { ...SYNAPSE, [WELL_KNOWN]: answer });
    const failure = failureOf(await network.discover('example.org'));
    assert.deepEqual([failure.scope, failure.code], ['homeserver', code], name);
    assert.ok(failure.message.includes('https://example.org/.well-known/matrix/client'), name);
    assert.equal(network.server.requests.length, 1, name);
  }
});

test('a base_url outside of the server name is refused with the line to paste', async (t) => {
  const foreign = [
    'https://example.net',
    'https://badexample.org',
    'https://org',
    'http://example.org',
    'http://matrix.example.org:8008',
    'https://127.0.0.1:8448',
    'https://localhost',
    'https://example.org.evil.test',
  ];
  for (const baseUrl of foreign) {
    const network = await startNetwork(t, { ...SYNAPSE, [WELL_KNOWN]: wellKnown(baseUrl) });
    const failure = failureOf(await network.discover('example.org'));
    assert.deepEqual([failure.scope, failure.code], ['homeserver', 'FOREIGN_URL'], baseUrl);
    const lines = failure.hint?.split('\n') ?? [];
    assert.ok(lines.includes(`matrix_tokens_homeserver_url: ${baseUrl}`), failure.hint);
    assert.equal(network.server.requests.length, 1);
  }
});

test('the server name may be written large, and its homeserver have any port', async (t) => {
  const site = { ...SYNAPSE, [WELL_KNOWN]: wellKnown('https://EXAMPLE.org:8443') };
  const network = await startNetwork(t, site);
  const { baseUrl, serverName } = homeserverOf(await network.discover('Example.ORG'));
  assert.deepEqual([baseUrl, serverName], ['https://example.org:8443', 'Example.ORG']);
});

test('this machine is never discovered, only configured', async (t) => {
  const network = await startNetwork(t, SYNAPSE);
  const client = clientFor(t, {
    ca: testCa(),
    connectTo: new Map([['localhost:443', { host: '127.0.0.1', port: network.server.port }]]),
  });
  const request = { serverName: 'localhost', allowHttp: true };
  assert.equal(failureOf(await discoverHomeserver(request, client)).code, 'NO_HOMESERVER');
  const configured = { ...request, configuredUrl: network.server.url };
  assert.equal(homeserverOf(await discoverHomeserver(configured, client)).api, 'v3');
});

function redirect(location: string): Answer {
  return { status: 302, headers: [['location', location]] };
}

test('the well-known may redirect, from https to https', async (t) => {
  const network = await startNetwork(t, {
    ...SYNAPSE,
    [`example.org${WELL_KNOWN}`]: redirect('https://example.net/elsewhere'),
    'example.net/elsewhere': redirect('/there'),
    'example.net/there': wellKnown('https://example.org'),
  });
  assert.equal(homeserverOf(await network.discover('example.org')).baseUrl, 'https://example.org');
});

test('the well-known may redirect five times, not six, and not round and round', async (t) => {
  const chain = (length: number): Site => ({
    ...SYNAPSE,
    [WELL_KNOWN]: redirect('/hop1'),
    ...Object.fromEntries(
      Array.from({ length }, (_, index) => [`/hop${index + 1}`, redirect(`/hop${index + 2}`)]),
    ),
    [`/hop${length + 1}`]: wellKnown('https://example.org'),
  });
  const five = await startNetwork(t, chain(4));
  homeserverOf(await five.discover('example.org'));
  const six = await startNetwork(t, chain(5));
  assert.equal(failureOf(await six.discover('example.org')).code, 'REDIRECT');
  const loop = await startNetwork(t, { [WELL_KNOWN]: redirect(WELL_KNOWN) });
  const failure = failureOf(await loop.discover('example.org'));
  assert.deepEqual([failure.scope, failure.code], ['homeserver', 'REDIRECT']);
  assert.equal(loop.server.requests.length, 6);
});

test('the well-known is not followed to http, nor to nowhere', async (t) => {
  for (const location of ['http://example.org/elsewhere', 'ftp://example.org/', 'http://']) {
    const network = await startNetwork(t, { [WELL_KNOWN]: redirect(location) });
    const failure = failureOf(await network.discover('example.org'));
    assert.deepEqual([failure.scope, failure.code], ['homeserver', 'REDIRECT'], location);
    assert.equal(network.server.requests.length, 1);
  }
});

test('redirects of the homeserver itself are not followed', async (t) => {
  const site = { [WELL_KNOWN]: wellKnown('https://example.org'), '/other': capture('versions') };
  const network = await startNetwork(t, { ...site, [VERSIONS]: redirect('/other') });
  assert.equal(failureOf(await network.discover('example.org')).code, 'REDIRECT');
  assert.equal(network.server.requests.length, 2);
});

test('a configured URL wins: the server name is not asked', async (t) => {
  const server = await startReplayServer(t, ({ path }) => {
    return (SYNAPSE[path] as Answer | undefined) ?? html(404);
  });
  const request = {
    serverName: 'nowhere.invalid',
    configuredUrl: `${server.url}/`,
    allowHttp: false,
  };
  const found = homeserverOf(await discoverHomeserver(request, clientFor(t)));
  assert.deepEqual([found.serverName, found.baseUrl], ['nowhere.invalid', server.url]);
  assert.deepEqual(
    server.requests.map(({ path }) => path),
    [VERSIONS, LOGIN],
  );
});

test('a configured http URL beyond loopback is asked only where the operator allows it', async (t) => {
  const server = await startReplayServer(t, ({ path }) => {
    return (SYNAPSE[path] as Answer | undefined) ?? html(404);
  });
  const connectTo = new Map([['example.org:80', { host: '127.0.0.1', port: server.port }]]);
  const client = clientFor(t, { connectTo });
  const request = { serverName: 'example.org', configuredUrl: 'http://example.org' };
  const refused = failureOf(await discoverHomeserver({ ...request, allowHttp: false }, client));
  assert.deepEqual([refused.scope, refused.code], ['homeserver', 'BAD_URL']);
  assert.match(refused.hint ?? '', /matrix_tokens_allow_http: true/);
  assert.equal(server.requests.length, 0);
  homeserverOf(await discoverHomeserver({ ...request, allowHttp: true }, client));
});

test('http to this machine needs no leave, http to another does', () => {
  const kindOf = (url: string): string => parseBaseUrl(url, { allowHttp: false }).kind;
  for (const host of [
    'localhost',
    'LOCALHOST:8008',
    'hs.localhost',
    '127.0.0.1',
    '127.9.9.9',
    '[::1]',
  ]) {
    assert.equal(kindOf(`http://${host}/`), 'base_url', host);
  }
  for (const host of ['localhost.org', '128.0.0.1', '[::2]', '127.example.org', 'example.org']) {
    assert.equal(kindOf(`http://${host}/`), 'problem', host);
  }
});

test('a base URL ends where the API begins; a prefix of its own is kept', () => {
  const parse = (url: string): unknown => parseBaseUrl(url, { allowHttp: false });
  const problem = { kind: 'problem', problem: 'api_path' };
  for (const path of ['/_matrix', '/_matrix/', '/pre/_matrix/client/v3', '/_synapse/admin/v1']) {
    assert.deepEqual(parse(`https://example.org${path}`), problem, path);
  }
  for (const path of ['/pre', '/_matrix-api', '/my_matrix']) {
    const baseUrl = `https://example.org${path}`;
    assert.deepEqual(parse(`${baseUrl}/`), { kind: 'base_url', baseUrl, host: 'example.org' });
  }
});

test('a configured URL that is none is said to be none, without its credentials', async (t) => {
  for (const configuredUrl of ['matrix.example.org', 'https://u:canary@example.org', 'file:///x']) {
    const request = { serverName: 'example.org', configuredUrl, allowHttp: true };
    const failure = failureOf(await discoverHomeserver(request, clientFor(t)));
    assert.equal(failure.code, 'BAD_URL');
    assert.doesNotMatch(JSON.stringify(failure), /canary/);
  }
});

test('a server name that is none is not asked', async (t) => {
  for (const serverName of ['exa mple', '1.2.3.256', 'foo.123', '']) {
    const failure = failureOf(
      await discoverHomeserver({ serverName, allowHttp: false }, clientFor(t)),
    );
    assert.deepEqual([failure.scope, failure.code], ['homeserver', 'BAD_URL'], serverName);
  }
});

async function discoverAt(t: TestContext, site: Site): Promise<Homeserver | Failure> {
  const server = await startReplayServer(t, ({ path }) => {
    const answer = site[path] ?? html(404);
    return typeof answer === 'function' ? answer() : answer;
  });
  const request = { serverName: 'hs.test', configuredUrl: server.url, allowHttp: false };
  return discoverHomeserver(request, clientFor(t));
}

test('versions that are not of Matrix end it', async (t) => {
  const cases: [Answer, string][] = [
    [html(200), 'NOT_MATRIX'],
    [json(200, {}), 'NOT_MATRIX'],
    [json(200, { versions: 'v1.1' }), 'NOT_MATRIX'],
    [json(403, { errcode: 'M_FORBIDDEN' }), 'M_FORBIDDEN'],
    [json(200, { versions: [] }), 'UNSUPPORTED_VERSION'],
    [json(200, { versions: ['v2.0', 1] }), 'UNSUPPORTED_VERSION'],
  ];
  for (const [answer, code] of cases) {
    const failure = failureOf(await discoverAt(t, { ...SYNAPSE, [VERSIONS]: answer }));
    assert.deepEqual([failure.scope, failure.code], ['homeserver', code]);
  }
});

test('a homeserver of r0 only is spoken to by r0, any other by v3', async (t) => {
  const old = {
    [VERSIONS]: json(200, { versions: ['r0.6.1'] }),
    '/_matrix/client/r0/login': capture('flows'),
  };
  assert.equal(homeserverOf(await discoverAt(t, old)).api, 'r0');
  const both = { ...SYNAPSE, [VERSIONS]: json(200, { versions: ['r0.6.1', 'v1.11'] }) };
  assert.equal(homeserverOf(await discoverAt(t, both)).api, 'v3');
});

test('the answers of Dendrite and MAS are understood', async (t) => {
  const dendrite = { [VERSIONS]: capture('dendrite-versions'), [LOGIN]: capture('dendrite-flows') };
  assert.deepEqual(homeserverOf(await discoverAt(t, dendrite)).flows, ['m.login.password']);
  const mas = { [VERSIONS]: capture('mas-versions'), [LOGIN]: capture('mas-flows') };
  const { flows } = homeserverOf(await discoverAt(t, mas));
  assert.deepEqual(flows, ['m.login.password', 'm.login.sso', 'm.login.token']);
});

test('login types that are not understood are passed over', async (t) => {
  const flows = [
    null,
    'm.login.password',
    { type: 7 },
    { type: 'a b' },
    { type: 'm.login.password' },
  ];
  const found = await discoverAt(t, { ...SYNAPSE, [LOGIN]: json(200, { flows }) });
  assert.deepEqual(homeserverOf(found).flows, ['m.login.password']);
});

test('no /login but OAuth metadata: a homeserver that offers nothing but OAuth', async (t) => {
  const found = await discoverAt(t, {
    [VERSIONS]: capture('versions'),
    [LOGIN]: capture('flows-mas'),
    [METADATA]: json(200, { issuer: 'https://auth.hs.test/' }),
  });
  const homeserver = homeserverOf(found);
  assert.deepEqual([homeserver.flows, homeserver.isOAuthOnly], [[], true]);
});

test('what a homeserver calls itself is known, without its version', async (t) => {
  const nameOf = async (server: string) => {
    const { status, body } = capture('versions');
    const versions: Answer = { status, headers: [['server', server]], body: body ?? '' };
    return homeserverOf(await discoverAt(t, { ...SYNAPSE, [VERSIONS]: versions })).software;
  };
  assert.equal(await nameOf('Synapse/1.163.2'), 'Synapse');
  assert.equal(await nameOf('nginx'), 'nginx');
  assert.equal(await nameOf('<b>'), undefined);
});

test('no /login and no OAuth metadata: the homeserver lacks that part', async (t) => {
  for (const metadata of ['auth-metadata-none', 'auth-metadata-mas']) {
    const failure = failureOf(
      await discoverAt(t, {
        [VERSIONS]: capture('versions'),
        [LOGIN]: capture('flows-mas'),
        [METADATA]: capture(metadata),
      }),
    );
    assert.deepEqual([failure.scope, failure.code], ['homeserver', 'M_UNRECOGNIZED'], metadata);
  }
});

test('no /login but the 404 of a web server: the path is not routed', async (t) => {
  const failure = failureOf(await discoverAt(t, { [VERSIONS]: capture('versions') }));
  assert.deepEqual([failure.scope, failure.code], ['homeserver', 'NOT_MATRIX']);
  assert.match(failure.message, /login answered 404 text\/html, though \/versions is there$/);
  assert.match(failure.hint ?? '', /route \/_matrix\/client\/\*\/login/);
});

test('a login page that is no list of login types ends it', async (t) => {
  for (const answer of [html(200), json(200, {}), json(200, { flows: {} })]) {
    const failure = failureOf(await discoverAt(t, { ...SYNAPSE, [LOGIN]: answer }));
    assert.deepEqual([failure.scope, failure.code], ['homeserver', 'NOT_MATRIX']);
  }
});

test('trouble that may pass may be tried again, wherever it comes, and then is the homeserver', async (t) => {
  const trouble = [html(502), json(500, { errcode: 'M_UNKNOWN' })];
  for (const answer of trouble) {
    for (const path of [VERSIONS, LOGIN]) {
      const failure = failureOf(await discoverAt(t, { ...SYNAPSE, [path]: answer }));
      assert.deepEqual(failure.retry, { kind: 'backoff', requests: 3, otherwise: 'homeserver' });
    }
    const network = await startNetwork(t, { ...SYNAPSE, [WELL_KNOWN]: answer });
    const failure = failureOf(await network.discover('example.org'));
    assert.deepEqual(failure.retry, { kind: 'backoff', requests: 3, otherwise: 'homeserver' });
  }
  const limited = failureOf(await discoverAt(t, { ...SYNAPSE, [LOGIN]: capture('ratelimit-6th') }));
  assert.equal(limited.retry?.kind, 'rate_limit');
});

test('login types without a password say what there is, and what to do', () => {
  const homeserver = { serverName: 'hs.test', baseUrl: 'https://hs.test', api: 'v3' } as const;
  assert.equal(missingPasswordFlow({ ...homeserver, flows: ['m.login.password'] }), null);
  const sso = missingPasswordFlow({ ...homeserver, flows: ['m.login.sso', 'm.login.token'] });
  assert.deepEqual(
    [sso?.scope, sso?.code, sso?.maybeExecuted],
    ['homeserver', 'NO_PASSWORD_FLOW', false],
  );
  assert.match(sso?.message ?? '', /offers m\.login\.sso, m\.login\.token$/);
  const off = missingPasswordFlow({ ...homeserver, flows: [] });
  assert.match(off?.message ?? '', /offers nothing$/);
  assert.match(off?.hint ?? '', /password_config/);
});
