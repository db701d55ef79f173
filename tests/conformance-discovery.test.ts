// Cases 1 to 9, 20 and 21 of the list in helpers/conformance-cases.ts, by the whole main job.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonAnswer } from '../scripts/homeserver/answer.ts';
import type { Answer } from '../scripts/homeserver/answer.ts';
import { htmlAnswer } from '../scripts/homeserver/faults.ts';
import { parseUserId } from '../src/matrix/user-id.ts';
import { discoveredServices } from './helpers/discovered-services.ts';
import type { Discovered } from './helpers/discovered-services.ts';
import { requestLines } from './helpers/homeserver.ts';
import { makeProject, reportOf } from './helpers/provision-project.ts';
import { HOST, readStored, servicesFor } from './helpers/provision-services.ts';
import { outcomeOf, provisionInside } from './helpers/provision-world.ts';
import type { Inside } from './helpers/provision-world.ts';

const WELL_KNOWN = '/.well-known/matrix/client';
const VERSIONS = '/_matrix/client/versions';

function wellKnown(baseUrl: string): Answer {
  return jsonAnswer(200, { 'm.homeserver': { base_url: baseUrl } });
}

function logins({ seen }: Pick<Discovered, 'seen'>): string[] {
  return seen.filter((line) => /^POST .*\/login$/.test(line));
}

function textOf({ report }: Inside): string {
  return report.outcomes.map(({ message, hint }) => `${message} ${hint}`).join('\n');
}

test('1: the well-known file is asked for at the host of the server name, without its port', async (t) => {
  const publicBaseUrl = 'https://matrix.example.org/';
  const discovered = await discoveredServices(t, { serverName: 'example.org:8448', publicBaseUrl });
  const inside = await discovered.run();
  assert.equal(outcomeOf(inside, 'news'), 'changed', textOf(inside));
  assert.deepEqual(discovered.seen.slice(0, 2), [
    `GET example.org${WELL_KNOWN}`,
    `GET matrix.example.org${VERSIONS}`,
  ]);
  assert.equal((await readStored(discovered.project, 'news')).userId, '@news:example.org:8448');
});

test('2: an IPv6 server name with a port is taken apart, and logged in to', async (t) => {
  assert.deepEqual(parseUserId('@a:[2001:db8::1]:8448'), {
    userId: '@a:[2001:db8::1]:8448',
    localpart: 'a',
    serverName: '[2001:db8::1]:8448',
    historical: false,
  });
  const addresses = ['[2001:db8::1]:443'];
  const discovered = await discoveredServices(t, { serverName: '[2001:db8::1]:8448', addresses });
  const inside = await discovered.run();
  assert.equal(outcomeOf(inside, 'news'), 'changed', textOf(inside));
  assert.equal(discovered.seen[0], `GET [2001:db8::1]${WELL_KNOWN}`);
  const { userId } = await readStored(discovered.project, 'news');
  assert.equal(userId, '@news:[2001:db8::1]:8448');
});

test('3: without a well-known file the server name itself is tried, and has to be a homeserver', async (t) => {
  const there = await discoveredServices(t);
  assert.equal(outcomeOf(await there.run(), 'news'), 'changed');
  assert.ok(there.seen.includes(`GET example.org${VERSIONS}`));
  const notThere = await discoveredServices(t, {
    faults: [{ path: VERSIONS, answer: htmlAnswer(404) }],
  });
  const inside = await notThere.run();
  assert.equal(outcomeOf(inside, 'news'), 'unreachable NO_HOMESERVER');
  assert.match(textOf(inside), /matrix_tokens_homeserver_url/);
  assert.deepEqual(logins(notThere), []);
});

test('4: a well-known file in HTML ends it: no login, and the message names its URL', async (t) => {
  const discovered = await discoveredServices(t, {
    faults: [{ path: WELL_KNOWN, answer: htmlAnswer(200) }],
  });
  const inside = await discovered.run();
  assert.equal(outcomeOf(inside, 'news'), 'failed WELL_KNOWN');
  assert.match(textOf(inside), /https:\/\/example\.org\/\.well-known\/matrix\/client/);
  assert.deepEqual(discovered.seen, [`GET example.org${WELL_KNOWN}`]);
});

test('5: a base_url may end in slashes and have a path: no request goes to //', async (t) => {
  for (const [path, wanted] of [
    ['', ''],
    ['/', ''],
    ['/x', '/x'],
    ['/x/', '/x'],
    ['/x//', '/x'],
  ]) {
    const discovered = await discoveredServices(t, {
      faults: [{ path: WELL_KNOWN, answer: wellKnown(`https://matrix.example.org${path}`) }],
    });
    await discovered.run();
    assert.equal(discovered.seen[1], `GET matrix.example.org${wanted}${VERSIONS}`);
    assert.ok(discovered.seen.every((line) => !line.slice(5).includes('//')));
  }
});

test('6: where a base_url leads to no homeserver, none of its users is tried', async (t) => {
  for (const answer of [htmlAnswer(200), jsonAnswer(200, {}), jsonAnswer(200, { versions: 'x' })]) {
    const discovered = await discoveredServices(t, {
      names: ['news', 'rss'],
      faults: [
        { path: WELL_KNOWN, answer: wellKnown('https://matrix.example.org') },
        { path: VERSIONS, answer },
      ],
    });
    const inside = await discovered.run();
    assert.equal(outcomeOf(inside, 'news'), 'unreachable NOT_MATRIX');
    assert.equal(outcomeOf(inside, 'rss'), 'unreachable NOT_MATRIX');
    assert.deepEqual(logins(discovered), []);
  }
});

test('7: a well-known file that redirects round and round, or to http, ends it', async (t) => {
  for (const [location, requests] of [
    [WELL_KNOWN, 6],
    ['http://example.org/elsewhere', 1],
  ] as const) {
    const answer = { status: 302, headers: { Location: location }, body: '' };
    const discovered = await discoveredServices(t, { faults: [{ path: WELL_KNOWN, answer }] });
    const inside = await discovered.run();
    assert.match(outcomeOf(inside, 'news'), /^(?:failed|unreachable) REDIRECT$/);
    assert.equal(discovered.seen.length, requests);
  }
});

test('8: r0 is spoken where nothing newer is, v3 everywhere else', async (t) => {
  for (const [versions, api] of [
    [['r0.6.1'], 'r0'],
    [['r0.6.1', 'v1.11'], 'v3'],
  ] as const) {
    const services = await servicesFor(t, { versions, names: ['news'] });
    assert.equal(outcomeOf(await provisionInside(services), 'news'), 'changed');
    const lines = requestLines(services.homeserver).filter((line) => line.endsWith('/login'));
    const path = `/_matrix/client/${api}/login`;
    assert.deepEqual(lines, [`GET ${path}`, `POST ${path}`]);
  }
});

test('9: malformed user IDs are bad input, all at once: nothing is asked, nothing tried', async (t) => {
  const services = await servicesFor(t, { names: ['news'] });
  const project = await makeProject(t);
  const users = ['a:ex.org', '@a', `@${'a'.repeat(240)}:example.com.example`, '@a\\0:example.com'];
  const definitions = users.map((user, index) => {
    return `  bad${index}: {user: "${user}", password: x, variables: {access_token: t${index}}}\n`;
  });
  await project.write('inventory.yml', `all:\n  hosts:\n    ${HOST}:\n`);
  const lines = [
    'matrix_tokens_server_name: example.com\n',
    `matrix_tokens_homeserver_url: ${services.homeserver.baseUrl}\n`,
    'matrix_tokens_services:\n',
    ...definitions,
    '  news: {password: the password of news, variables: {access_token: vault_news_token}}\n',
  ];
  await project.write(`host_vars/${HOST}/vars.yml`, lines.join(''));
  const before = project.tree();
  const run = await project.run(['--json']);
  assert.equal(run.exitCode, 5);
  const codes = reportOf(run).faults.map(({ code }) => code);
  assert.deepEqual(codes, ['E_USER_ID', 'E_USER_ID', 'E_VALUE', 'E_USER_ID']);
  assert.equal(services.homeserver.requests.length, 0);
  assert.deepEqual(project.tree(), before);
});

test('20: no /login but OAuth 2.0 is said to be that, and no password is sent', async (t) => {
  const services = await servicesFor(t, {
    software: 'continuwuity',
    passwords: false,
    names: ['news'],
  });
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'failed OAUTH_ONLY');
  assert.match(textOf(inside), /OAuth 2\.0/);
  assert.deepEqual(
    services.homeserver.requests.map(({ method }) => method),
    // The last one asks what it is, for the command that makes a token there.
    ['GET', 'GET', 'GET', 'GET'],
  );
});

test('21: no /login but the 404 of a web server is said to be not routed', async (t) => {
  const services = await servicesFor(t, {
    software: 'continuwuity',
    names: ['news'],
    proxy: { kind: 'nginx', routes: /^(?!.*\/login$)/ },
  });
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'unreachable NOT_MATRIX');
  assert.match(textOf(inside), /login answered 404 text\/html, though \/versions is there/);
  assert.ok(services.homeserver.requests.every(({ method }) => method === 'GET'));
});
