// The network as it is, as an operator sees it: what the run says, its exit code, and what is left
// in the journal. Which error is of which class: http*.test.ts.
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { exitCodeOf } from '../src/report/exit-code.ts';
import { startConnectProxy } from './helpers/connect-proxy.ts';
import type { ConnectProxyOptions } from './helpers/connect-proxy.ts';
import { startRelay } from './helpers/cutting-relay.ts';
import type { Cut } from './helpers/cutting-relay.ts';
import { discoveredServices } from './helpers/discovered-services.ts';
import { outcomesOf, reportOf } from './helpers/provision-project.ts';
import { ageJournal, assertConverged, HOST, servicesFor } from './helpers/provision-services.ts';
import type { Services, ServicesOptions } from './helpers/provision-services.ts';
import { assertNothingLost, outcomeOf, provisionInside } from './helpers/provision-world.ts';
import type { Inside } from './helpers/provision-world.ts';
import { testCaFile } from './helpers/replay-server.ts';

const ONE: ServicesOptions = { names: ['news'] };
const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
const noIpv6 = own.some(({ address }) => address === '::1') ? false : 'no IPv6 here';

function textOf({ report }: Inside): string {
  return report.outcomes.map(({ message, hint }) => `${message} ${hint}`).join('\n');
}

test(
  'a homeserver on an IPv6 address, of a server name that is one',
  { skip: noIpv6 },
  async (t) => {
    const services = await servicesFor(t, {
      ...ONE,
      host: '::1',
      serverName: '[2001:db8::1]:8448',
    });
    const { project, homeserver } = services;
    const vars = `host_vars/${HOST}/vars.yml`;
    const text = await project.read(vars);
    await project.write(vars, text.replace(/^(matrix_tokens_\w+: )(\S+)$/gm, '$1"$2"'));
    const run = await project.run(['--json']);
    assert.deepEqual([run.exitCode, outcomesOf(run)], [0, { news: 'changed' }], run.stderr);
    assert.ok(homeserver.state.users.has('@news:[2001:db8::1]:8448'));
    await assertConverged(services);
  },
);

/** Runs the built program with a proxy in its environment, against https://example.org. */
async function throughProxy(
  t: TestContext,
  options: Omit<ConnectProxyOptions, 'port'>,
  { credentials = '', args = ['--json'] } = {},
): Promise<{
  services: Services;
  proxy: Awaited<ReturnType<typeof startConnectProxy>>;
  run: Awaited<ReturnType<Services['project']['run']>>;
}> {
  const services = await discoveredServices(t);
  const proxy = await startConnectProxy(t, { port: services.homeserver.port, ...options });
  const run = await services.project.run(args, {
    env: { https_proxy: `http://${credentials}${proxy.address}` },
    preload: { speed: 20 },
  });
  return { services, proxy, run };
}

test('a proxy of the environment is used, with its credentials, which are not told', async (t) => {
  const password = 'p@ss/wörd';
  const credentials = `user:${encodeURIComponent(password)}@`;
  const { services, proxy, run } = await throughProxy(t, {}, { credentials, args: ['-v'] });
  assert.equal(run.exitCode, 0, run.stderr);
  await assertConverged(services);
  assert.deepEqual(new Set(proxy.targets), new Set(['example.org:443']));
  const sent = `Basic ${Buffer.from(`user:${password}`).toString('base64')}`;
  assert.deepEqual(new Set(proxy.authorizations), new Set([sent]));
  const told = run.stdout + run.stderr;
  assert.ok(![password, credentials, sent].some((secret) => told.includes(secret)));
});

for (const [manner, code, detail] of [
  [407, 'PROXY', '407'],
  [502, 'PROXY', '502'],
  ['close', 'PROXY', 'ECONNRESET'],
  ['hang', 'TIMEOUT', 'TIMEOUT'],
] as const) {
  test(`a proxy that says ${manner} is told of, and no password was sent`, async (t) => {
    const { services, proxy, run } = await throughProxy(t, { manner });
    assert.equal(run.exitCode, 4, run.stderr);
    const [one] = reportOf(run).services;
    assert.deepEqual([one?.outcome, one?.code], ['unreachable', code]);
    assert.ok(one?.message.includes(detail), one?.message);
    assert.match(one?.message ?? '', /proxies of the environment are in use/);
    if (code === 'PROXY') assert.match(one?.hint ?? '', /HTTPS_PROXY/);
    assert.ok(proxy.targets.length <= 3, `asked ${proxy.targets.length} times`);
    assert.equal(services.homeserver.requests.length, 0);
    assert.deepEqual(reportOf(run).sessions_left, []);
  });
}

test('a host that NO_PROXY names is asked directly', async (t) => {
  const services = await discoveredServices(t);
  const proxy = await startConnectProxy(t, { port: services.homeserver.port, manner: 403 });
  const env = { HTTPS_PROXY: `http://${proxy.address}`, NO_PROXY: 'other.test,.example.org' };
  const inside = await services.run({ env });
  assert.equal(outcomeOf(inside, 'news'), 'changed', textOf(inside));
  assert.deepEqual(proxy.targets, []);
});

const CERTIFICATES = {
  expired: /CERT_HAS_EXPIRED: its certificate has expired/,
  'self-signed': /its certificate is signed by nobody who is trusted here/,
  'wrong-name': /its certificate is for another name/,
};

for (const [certificate, words] of Object.entries(CERTIFICATES)) {
  test(`a certificate that is ${certificate} is told of in words, with the way out`, async (t) => {
    const services = await discoveredServices(t, { certificate });
    const inside = await services.run();
    assert.equal(outcomeOf(inside, 'news'), 'unreachable TLS');
    assert.match(textOf(inside), words);
    assert.match(textOf(inside), /matrix_tokens_ca_file/);
    assert.equal(exitCodeOf(inside.report), 4);
    assert.deepEqual(inside.waits, [], 'it is not tried again');
  });
}

test('a CA of one’s own is trusted for direct connections and through a proxy', async (t) => {
  const services = await discoveredServices(t);
  const vars = await services.project.read(`host_vars/${HOST}/vars.yml`);
  assert.ok(vars.includes(testCaFile()));
  assert.equal(outcomeOf(await services.run(), 'news'), 'changed');
});

const IS_LOGIN = /^POST \S+\/login /;

/** Puts a relay before the homeserver that breaks the first login, or every one. */
async function withCut(
  t: TestContext,
  cut: Cut,
  { always = false, ...options }: ServicesOptions & { always?: boolean } = {},
): Promise<{ services: Services; deviceIds: () => unknown[]; mend: () => void }> {
  const services = await servicesFor(t, { ...ONE, ...options });
  const { project, homeserver } = services;
  let logins = 0;
  let isBroken = true;
  const relay = await startRelay(t, homeserver.baseUrl, (request) => {
    const isMeant = isBroken && IS_LOGIN.test(request) && (always || ++logins === 1);
    return isMeant ? cut : null;
  });
  const vars = `host_vars/${HOST}/vars.yml`;
  const text = await project.read(vars);
  await project.write(vars, text.replace(homeserver.baseUrl, relay.baseUrl));
  return {
    services,
    deviceIds: () =>
      relay.requests
        .filter((request) => IS_LOGIN.test(request))
        .map((request) => /"device_id":"(\w+)"/.exec(request)?.[1]),
    mend: () => {
      isBroken = false;
    },
  };
}

/** The beginning, the middle and the end of heads and bodies; all of them with the variable. */
function places(length: number): number[] {
  const all = Array.from({ length }, (_, index) => index);
  if (process.env['MATRIX_TOKENS_TEST_BYTES'] === 'all') return all;
  return [0, 1, Math.floor(length / 3), Math.floor((2 * length) / 3), length - 1];
}

for (const of of ['request', 'answer'] as const) {
  for (const by of ['reset', 'end'] as const) {
    test(`a login cut anywhere in its ${of} by ${by} is tried with a new device, nothing is left`, async (t) => {
      for (const after of places(of === 'request' ? 330 : 500)) {
        const { services, deviceIds } = await withCut(t, { of, after, by });
        const inside = await provisionInside(services);
        assert.equal(outcomeOf(inside, 'news'), 'changed', `${after}: ${textOf(inside)}`);
        const ids = deviceIds();
        assert.equal(new Set(ids).size, ids.length, 'no device ID is sent twice');
        assert.deepEqual(inside.report.leftovers, []);
        await assertConverged(services);
      }
    });
  }
}

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const bomb = gzipSync(`{"a":"${'x'.repeat(20_000_000)}"}`);

/** Answers to a login that was executed: what is told, and the exit code. */
const NONSENSE: Readonly<Record<string, readonly [Buffer | string, string]>> = {
  'chunks that are none': [`${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n`, 'PROTOCOL'],
  'a header without end': [`${HEAD}x: ${'x'.repeat(100_000)}`, 'TOO_LARGE'],
  'a body without end': [`${HEAD}\r\n${'x'.repeat(2_000_000)}`, 'TOO_LARGE'],
  'another protocol': ['SSH-2.0-OpenSSH_9.2\r\n', 'PROTOCOL'],
  'an empty page': [`${HEAD}content-length: 0\r\n\r\n`, 'NOT_MATRIX'],
  'a bomb in gzip': [
    Buffer.concat([
      Buffer.from(`${HEAD}content-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`),
      bomb,
    ]),
    'NOT_MATRIX',
  ],
};

for (const [name, [bytes, code]] of Object.entries(NONSENSE)) {
  test(`a login answered with ${name} is not tried again; the next run removes its session`, async (t) => {
    const instead = Buffer.from(bytes);
    const cut: Cut = { of: 'answer', after: 0, by: 'end', instead };
    const { services, deviceIds, mend } = await withCut(t, cut, { always: true });
    const inside = await provisionInside(services);
    assert.equal(outcomeOf(inside, 'news'), `unreachable ${code}`, textOf(inside));
    assert.equal(deviceIds().length, 1);
    assert.equal(exitCodeOf(inside.report), 1, 'a session is left');
    assert.equal(inside.report.leftovers.length, 1);
    await assertNothingLost(services);
    mend();
    await ageJournal(services.project);
    await provisionInside(services);
    await assertConverged(services);
  });
}

test('a refusal that comes before the request was read is one: the entry is dropped', async (t) => {
  const body = '{"errcode":"M_USER_LOCKED","error":"early"}';
  const head = `HTTP/1.1 401 Unauthorized\r\ncontent-length: ${body.length}\r\nconnection: close`;
  const instead = Buffer.from(`${head}\r\n\r\n${body}`);
  const { services, deviceIds } = await withCut(t, {
    of: 'request',
    after: 40,
    by: 'end',
    instead,
  });
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'failed M_USER_LOCKED', textOf(inside));
  assert.deepEqual([deviceIds().length, inside.report.leftovers], [1, []]);
  assert.equal(services.homeserver.state.sessions.size, 0);
});

test('a dripping homeserver is given up in time, and what it did is cleaned up', async (t) => {
  const services = await servicesFor(t, ONE);
  services.homeserver.faults.push({ method: 'POST', path: /\/login$/, dripMs: 30 });
  // 30 s are 1.5 s; the whole body would take 4 s.
  const run = await services.project.run(['--json'], { preload: { speed: 20 } });
  assert.deepEqual(outcomesOf(run), { news: 'unreachable' });
  assert.equal(reportOf(run).services[0]?.code, 'TIMEOUT');
  await assertNothingLost(services);
  services.homeserver.faults.length = 0;
  await ageJournal(services.project, 120_000);
  assert.equal((await services.project.run()).exitCode, 0);
  await assertConverged(services);
});
