// On a real Synapse with a module that offers com.devture.shared_secret_auth: bots without passwords,
// lost sessions of theirs, a wrong secret. And users that Synapse has to create first.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startHomeserver } from '../scripts/homeserver/homeserver.ts';
import { proveUser } from '../src/matrix/login/shared-secret.ts';
import { Secret } from '../src/secret.ts';
import { killRun, LOGIN } from './helpers/provision-kill.ts';
import { assertStored, projectOn } from './helpers/provision-on-synapse.ts';
import { outcomesOf, reportOf } from './helpers/provision-project.ts';
import { ageJournal, FILES, STATE } from './helpers/provision-services.ts';
import { synapseSkip } from './helpers/python.ts';
import { record } from './helpers/recorded-requests.ts';
import type { Send, Server } from './helpers/recorded-requests.ts';
import { startSynapse } from './helpers/synapse.ts';
import type { Synapse, TestUser } from './helpers/synapse.ts';

const skip = await synapseSkip();
const SECRET = 'the secret "of the" module';
const TYPE = 'com.devture.shared_secret_auth';
const SETTING = `matrix_tokens_shared_secret_auth: {shared_secret: ${JSON.stringify(SECRET)}}\n`;

function withModule(types: readonly string[]): Promise<Synapse> {
  const config = { shared_secret: SECRET, types };
  return startSynapse({ modules: [{ module: 'shared_secret_module.SharedSecretModule', config }] });
}

/** The module offers its own type, or only takes its proof in place of a password. */
const SERVERS = skip === false ? [TYPE, 'm.login.password'].map((type) => withModule([type])) : [];
after(async () => {
  for (const server of SERVERS) await (await server).stop();
});

async function serverFor(type: string): Promise<Synapse> {
  const server = await SERVERS[type === TYPE ? 0 : 1];
  assert.ok(server);
  return server;
}

function nobodysPassword({ userId }: TestUser): Pick<TestUser, 'userId'> {
  return { userId };
}

for (const type of [TYPE, 'm.login.password']) {
  test(
    `bots without passwords get their tokens by the shared secret, ${type}`,
    { skip },
    async (t) => {
      const synapse = await serverFor(type);
      const [news, rss] = await Promise.all([synapse.newUser('news'), synapse.newUser('rss')]);
      const services = { news: nobodysPassword(news), rss: nobodysPassword(rss) };
      const project = await projectOn(t, synapse, services, { settings: SETTING });
      const run = await project.run(['--json', '-v']);
      assert.deepEqual(outcomesOf(run), { news: 'changed', rss: 'changed' }, run.stderr);
      assert.match(
        run.stderr,
        new RegExp(`^news: logs in with the shared secret; \\S+ \\S+ offers\\s+${type}$`, 'm'),
      );
      for (const name of ['news', 'rss']) await assertStored(synapse, project, name);
      assert.deepEqual(outcomesOf(await project.run(['--json'])), { news: 'ok', rss: 'ok' });
    },
  );

  test(
    `a lost session of such a login is removed, in one request, ${type}`,
    { skip },
    async (t) => {
      const synapse = await serverFor(type);
      const news = await synapse.newUser('news');
      const services = { news: nobodysPassword(news) };
      const project = await projectOn(t, synapse, services, { settings: SETTING });
      const { point } = await killRun(project, { killOn: LOGIN['the answer has come (K3)'] });
      assert.notEqual(point, null);
      assert.equal((await synapse.devicesOf(news.userId)).length, 1);
      await ageJournal(project);
      const run = await project.run(['--json', '-v']);
      assert.equal(run.exitCode, 0, run.stderr);
      await assertStored(synapse, project, 'news');
      assert.match(reportOf(run).notes.join('\n'), /^removed the session MT/);
      assert.match(run.stderr, /^POST \S+\/delete_devices 200 /m);
      assert.equal(run.stderr.match(/^POST \S+\/login /gm)?.length, 1);
      assert.ok(!project.tree().has(STATE));
    },
  );
}

test('a wrong secret is the fault of the secret: not asked for every user', { skip }, async (t) => {
  const synapse = await serverFor(TYPE);
  const names = Array.from({ length: 8 }, (_, index) => `bot_${index}`);
  const users = await Promise.all(names.map(() => synapse.newUser('bot')));
  const right = await synapse.newUser('right');
  const services = Object.fromEntries(
    users.map((user, index) => [names[index] ?? '', nobodysPassword(user)]),
  );
  const settings = 'matrix_tokens_shared_secret_auth: {shared_secret: another}\n';
  const project = await projectOn(t, synapse, { ...services, right }, { settings });
  const run = await project.run(['--json', '-v']);
  assert.equal(run.exitCode, 1);
  const { right: last, ...others } = outcomesOf(run);
  assert.equal(last, 'changed');
  assert.deepEqual(new Set(Object.values(others)), new Set(['failed']));
  const messages = reportOf(run).services.map((one) => one.message);
  assert.match(
    messages[0] ?? '',
    /: the shared secret is wrong \(the user exists\), .*; the shared secret is that of \S+vars\.yml:3:\d+$/,
  );
  const refused = run.stderr.match(/^POST \S+\/login 403 /gm)?.length ?? 0;
  assert.ok(refused >= 2 && refused <= 5, `${refused} refused`);
});

test('the embedded homeserver answers such logins as Synapse does', { skip }, async () => {
  const synapse = await serverFor(TYPE);
  const embedded = await startHomeserver({
    serverName: synapse.serverName,
    registrationSecret: 'x',
    sharedSecretAuth: { secret: SECRET },
  });
  const user = await synapse.newUser('both');
  embedded.state.users.set(user.userId, {
    ...user,
    admin: false,
    displayName: user.localpart,
    locked: false,
    deactivated: false,
  });
  try {
    const real = await record((send) => story(send, user), synapse);
    const server: Server = { ...embedded, registrationSecret: 'x' };
    const ours = await record((send) => story(send, user), server);
    assert.deepEqual(ours.map(sortStages), real.map(sortStages));
    assert.ok(real.some((line) => line.includes('delete_devices -> 200')));
  } finally {
    await embedded.stop();
  }
});

/** Synapse keeps them in a set, whose order differs from start to start. */
function sortStages(line: string): string {
  return line.replace(/(?:\{"stages":\[[^\]]*\]\},?)+/, (all) =>
    all
      .split(/,(?=\{)/)
      .toSorted()
      .join(),
  );
}

async function story(send: Send, { userId }: TestUser): Promise<void> {
  const proof = (id: string): string => proveUser(new Secret(SECRET), id).reveal();
  const identifier = (user: string): object => ({ type: 'm.id.user', user });
  const login = (body: object) => send('POST', '/_matrix/client/v3/login', { body });
  const own = { type: TYPE, identifier: identifier(userId) };
  await send('GET', '/_matrix/client/v3/login');
  const { json } = await login({ ...own, token: proof(userId), device_id: 'ONE' });
  await login({ ...own, token: proof(userId), device_id: 'TWO' });
  await login({ ...own, token: 'wrong' });
  await login(own);
  const nobody = `@nobody:${userId.split(':')[1]}`;
  await login({ ...own, identifier: identifier(nobody), token: proof(nobody) });
  const asPassword = { type: 'm.login.password', identifier: identifier(userId) };
  await login({ ...asPassword, password: proof(userId) });
  const token = json?.['access_token'];
  const remove = (auth: object) =>
    send('POST', '/_matrix/client/v3/delete_devices', { token, body: { devices: ['TWO'], auth } });
  await remove({ ...own, token: 'wrong' });
  await remove({ ...own, token: proof(userId) });
  await send('POST', '/_matrix/client/v3/logout', { token, body: {} });
}

interface Account {
  readonly user_type: string | null;
  readonly admin: boolean;
}

async function accountOf(synapse: Synapse, userId: string): Promise<Account> {
  const url = `${synapse.baseUrl}/_synapse/admin/v2/users/${encodeURIComponent(userId)}`;
  const headers = { authorization: `Bearer ${synapse.adminToken}` };
  return (await (await fetch(url, { headers })).json()) as Account;
}

test(
  'missing users are created on Synapse, as a bot or a server administrator',
  { skip },
  async (t) => {
    const synapse = await serverFor(TYPE);
    const suffix = Date.now().toString(36);
    const userId = (name: string): string => `@${name}-${suffix}:${synapse.serverName}`;
    const settings = `${SETTING}matrix_tokens_register: {shared_secret: ${synapse.registrationSecret}}\n`;
    const services = {
      news: { userId: userId('news'), password: 'pw of "news"' },
      boss: { userId: userId('boss'), password: 'x' },
      // Created with a password that nobody knows, and logged in by the shared secret.
      rss: { userId: userId('rss') },
    };
    const project = await projectOn(t, synapse, services, { settings });
    const vars = 'host_vars/matrix.example.com/vars.yml';
    await project.write(
      vars,
      (await project.read(vars)).replace('boss: {', 'boss: {register_as: admin, '),
    );
    const { point } = await killRun(project, { killOn: '^done send POST \\S+/register$' });
    assert.notEqual(point, null);
    await ageJournal(project);
    const run = await project.run(['--json', '-v']);
    assert.equal(run.exitCode, 0, run.stderr);
    for (const name of ['news', 'boss', 'rss']) await assertStored(synapse, project, name);
    const { news, boss, rss } = services;
    assert.deepEqual(await briefly(synapse, news.userId), ['bot', false]);
    assert.deepEqual(await briefly(synapse, boss.userId), [null, true]);
    assert.deepEqual(await briefly(synapse, rss.userId), ['bot', false]);
    assert.deepEqual(
      [...project.tree().keys()].filter((path) => path.startsWith(FILES)),
      [FILES, ...['boss', 'news', 'rss'].map((name) => `${FILES}/${name}.yml`)],
    );
  },
);

async function briefly(synapse: Synapse, userId: string): Promise<[string | null, boolean]> {
  const { user_type: type, admin } = await accountOf(synapse, userId);
  return [type, admin];
}
