// What a homeserver says of itself to strangers, and the commands that come of it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { Homeserver } from '../src/matrix/homeserver.ts';
import { identifySoftware, softwareNamed, type Software } from '../src/matrix/software.ts';
import { masTokenCommands, rateLimitSetting, userCommand } from '../src/provision/commands.ts';
import { parseYaml } from '../src/yaml/parse.ts';
import { clientFor, html, json, startReplayServer, type Answer } from './helpers/replay-server.ts';

const METADATA = json(200, { issuer: 'https://auth.hs.test/' });
const NOT_THERE = json(404, { errcode: 'M_UNRECOGNIZED', error: 'Unrecognized request' });

async function identify(
  t: TestContext,
  answers: { readonly version?: Answer; readonly metadata?: Answer },
  homeserver: Partial<Homeserver> = {},
): Promise<[Software | null, number]> {
  const server = await startReplayServer(t, ({ path }) => {
    const answer = path.endsWith('/auth_metadata') ? answers.metadata : answers.version;
    return answer ?? NOT_THERE;
  });
  const base = { serverName: 'hs.test', baseUrl: server.url, api: 'v3', flows: [] } as const;
  const software = await identifySoftware(clientFor(t), { ...base, ...homeserver });
  return [software, server.requests.length];
}

/** As a real Dendrite 0.15.2 answers, which has no Server header. */
const DENDRITE = json(200, { server: { version: '0.15.2', name: 'Dendrite' } });

test('a homeserver is known by its header, by what it tells others, by what stands before it', async (t) => {
  const synapse = { software: 'Synapse' };
  assert.deepEqual(await identify(t, {}, synapse), ['synapse', 1]);
  assert.deepEqual(await identify(t, { metadata: METADATA }, synapse), ['mas', 1]);
  assert.deepEqual(await identify(t, { version: DENDRITE }), ['dendrite', 1]);
  assert.deepEqual(await identify(t, { version: DENDRITE }, { software: 'nginx' }), [
    'dendrite',
    1,
  ]);
  const tuwunel = json(200, { server: { name: 'Tuwunel', version: '1.9.0' } });
  assert.deepEqual(await identify(t, { version: tuwunel, metadata: METADATA }), ['tuwunel', 1]);
  assert.deepEqual(await identify(t, {}, { isOAuthOnly: true }), ['mas', 1]);
});

test('whoever says nothing, or nonsense, is not guessed', async (t) => {
  const nonsense = [html(200), json(200, { server: 'x' }), json(200, { server: { name: 7 } })];
  for (const version of [...nonsense, json(200, { server: { name: 'Hers' } })]) {
    assert.deepEqual(await identify(t, { version, metadata: html(200) }), [null, 2]);
  }
  assert.equal(softwareNamed('SYNAPSE'), 'synapse');
  assert.equal(softwareNamed('toString'), null);
});

const WHO = {
  localpart: "it's",
  needsAdmin: false,
  playbook: { isUsed: false, implementation: null, hasMas: false },
  homeserver: {
    serverName: 'hs.test',
    url: null,
    allowHttp: false,
    caFile: null,
    maxWait: 600,
    register: null,
  },
};
const SOFTWARE = ['conduit', 'continuwuity', 'dendrite', 'mas', 'synapse', 'tuwunel'] as const;

test('what is to be typed in a shell reaches the program word by word, whatever the name holds', async () => {
  for (const software of ['dendrite', 'mas', 'synapse'] as const) {
    for (const isUsed of [true, false]) {
      const who = { ...WHO, playbook: { ...WHO.playbook, isUsed } };
      const line = userCommand(software, who)?.split('\n')[1] ?? '';
      const script = `printf '%s\\n' ${line}`;
      const { stdout } = await promisify(execFile)('sh', ['-c', script]);
      assert.ok(stdout.split('\n').includes("it's"), stdout);
    }
  }
});

test('every software that is known has a command that creates a user, and one for administrators', () => {
  for (const software of SOFTWARE) {
    assert.match(userCommand(software, WHO) ?? '', /^create the user .*:\n\S.*$/);
  }
  for (const software of ['dendrite', 'mas', 'synapse'] as const) {
    assert.match(userCommand(software, { ...WHO, needsAdmin: true }) ?? '', / -?-admin/);
  }
  assert.equal(userCommand(null, WHO), null);
});

test('the commands that make a token name the user, the device and the variables', () => {
  const request = {
    ...WHO,
    deviceId: 'MT01',
    variables: { accessToken: ['a', 'b'], deviceId: ['c'] },
  } as const;
  assert.deepEqual(masTokenCommands(request).split('\n'), [
    String.raw`mas-cli manage issue-compatibility-token 'it'\''s' 'MT01'`,
    "ansible-vault encrypt_string --stdin-name 'b'",
    'c: MT01',
  ]);
});

test('each setting against a rate limit is YAML that can be pasted', () => {
  for (const software of SOFTWARE) {
    for (const isUsed of [true, false]) {
      const setting = rateLimitSetting(software, { ...WHO.playbook, isUsed });
      if (setting === null) continue;
      const [place = '', ...lines] = setting.split('\n');
      assert.match(place, /^in .*:$/);
      assert.equal(parseYaml(lines.join('\n'), 'setting')?.kind, 'map', setting);
    }
  }
});
