// The same requests go to the embedded homeserver and to a real Synapse; status, body and the
// headers that clients read must be the same.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { startHomeserver } from '../scripts/homeserver/homeserver.ts';
import { addUser } from '../scripts/homeserver/state.ts';
import { synapseSkip } from './helpers/python.ts';
import { record } from './helpers/recorded-requests.ts';
import type { Seen, Send, Server } from './helpers/recorded-requests.ts';
import { sharedSynapse, startSynapse } from './helpers/synapse.ts';

const skip = await synapseSkip();
const synapse = skip === false ? await sharedSynapse() : null;
after(async () => {
  await synapse?.stop();
});

/** Runs the story on both and compares, request by request. */
async function compare(story: (send: Send, server: Server) => Promise<void>): Promise<void> {
  assert.ok(synapse);
  const registrationSecret = randomBytes(12).toString('hex');
  const embedded = await startHomeserver({ serverName: synapse.serverName, registrationSecret });
  try {
    const real = await record(story, synapse);
    const ours = await record(story, { ...embedded, registrationSecret });
    assert.deepEqual(ours, real);
    assert.ok(real.length > 0);
  } finally {
    await embedded.stop();
  }
}

async function register(send: Send, server: Server, localpart: string, extra: object = {}) {
  const { json } = await send('GET', '/_synapse/admin/v1/register');
  const nonce = String(json?.['nonce']);
  const mac = createHmac('sha1', server.registrationSecret)
    .update([nonce, localpart, 'secret-word', 'notadmin'].join('\0'))
    .digest('hex');
  const body = { nonce, username: localpart, password: 'secret-word', mac, ...extra };
  return await send('POST', '/_synapse/admin/v1/register', { body });
}

const quiet = { inhibit_login: true };
const unique = (prefix: string): string => `${prefix}-${randomBytes(6).toString('hex')}`;
const identifier = (user: string): object => ({ type: 'm.id.user', user });
const password = (user: string): object => ({
  type: 'm.login.password',
  identifier: identifier(user),
  password: 'secret-word',
});

test('what a client asks before it logs in is answered as on Synapse', { skip }, async () => {
  await compare(async (send) => {
    await send('GET', '/.well-known/matrix/client');
    await send('GET', '/_matrix/client/v3/login');
    await send('GET', '/_matrix/client/r0/login?x=1');
    await send('GET', '/_matrix/client/v1/login');
    await send('GET', '/_matrix/client/v1/auth_metadata');
    await send('POST', '/_matrix/client/versions', { body: {} });
    await send('PUT', '/_matrix/client/v3/login', { body: {} });
    await send('POST', '/_matrix/client/v3/login/', { body: {} });
    await send('POST', '//_matrix/client/v3/login', { body: {} });
    await send('OPTIONS', '/_matrix/client/v3/login');
    await send('HEAD', '/_matrix/client/v3/login');
    await send('GET', '/_matrix/client/v3/nope');
    await send('GET', '/_matrix/nope');
    await send('GET', '/_synapse/nope');
    await send('GET', '/nope');
  });
});

test('every way of a wrong login is answered as on Synapse', { skip }, async () => {
  const name = unique('wrong');
  await compare(async (send, server) => {
    await register(send, server, name, quiet);
    const login = (body: unknown): Promise<Seen> =>
      send('POST', '/_matrix/client/v3/login', { body });
    await send('POST', '/_matrix/client/v3/login', { text: '{"type":' });
    await send('POST', '/_matrix/client/v3/login', { text: '' });
    await login([]);
    await login({});
    await login({ ...password(name), type: undefined });
    await login({ ...password(name), type: 7 });
    await login({ ...password(name), type: 'm.login.nope' });
    await login({ ...password(name), refresh_token: 'yes' });
    await login({ ...password(name), identifier: undefined });
    await login({ ...password(name), identifier: 'x' });
    await login({ ...password(name), identifier: {} });
    await login({ ...password(name), identifier: { type: 'm.id.user' } });
    await login({ ...password(name), identifier: { type: 'm.id.nope', user: name } });
    await login({
      ...password(name),
      identifier: { type: 'm.id.thirdparty', medium: 'email', address: 'a@b.test' },
    });
    await login({ ...password(name), password: undefined });
    await login({ ...password(name), password: 7 });
    await login({ ...password(name), password: '' });
    await login({ ...password(name), password: 'wrong' });
    await login(password('nobody-of-that-name'));
    await login(password(`@${name}:other.test`));
    await login({ ...password(name), device_id: 7 });
    await login({ ...password(name), device_id: 'D'.repeat(600) });
  });
});

test('right logins, sessions and logouts are answered as on Synapse', { skip }, async () => {
  const name = unique('right');
  await compare(async (send, server) => {
    await register(send, server, name, quiet);
    const login = async (body: object): Promise<unknown> =>
      (await send('POST', '/_matrix/client/v3/login', { body })).json?.['access_token'];
    const whoami = (token: unknown): Promise<Seen> =>
      send('GET', '/_matrix/client/v3/account/whoami', { token });
    const userId = `@${name}:${server.serverName}`;
    const one = await login({ ...password(userId), device_id: 'ONE' });
    const again = await login({
      ...password(name.toUpperCase()),
      device_id: 'ONE',
      initial_device_display_name: 'second name',
    });
    await login({ type: 'm.login.password', user: name, password: 'secret-word' });
    await whoami(one);
    await whoami(again);
    await send('POST', '/_matrix/client/v3/logout', { token: one, body: {} });
    await whoami(again);
    await send('POST', '/_matrix/client/v3/logout', { token: one });
    const two = await login({ ...password(name), device_id: 'TWO' });
    await send('POST', '/_matrix/client/r0/logout/all', { token: two });
    await whoami(two);
    await whoami(undefined);
    await whoami('syt_nope');
    await send('GET', '/_matrix/client/v3/account/whoami', { header: 'Basic eDp5' });
    await send('GET', '/_matrix/client/v3/account/whoami', { header: 'Bearer a b' });
  });
});

test('devices are listed and deleted as on Synapse', { skip }, async () => {
  const name = unique('devices');
  const other = unique('other');
  await compare(async (send, server) => {
    await register(send, server, name, quiet);
    await register(send, server, other, quiet);
    const open = async (deviceId: string): Promise<unknown> => {
      const body = { ...password(name), device_id: deviceId, initial_device_display_name: 'n' };
      return (await send('POST', '/_matrix/client/v3/login', { body })).json?.['access_token'];
    };
    const token = await open('D1');
    const second = await open('D2');
    await open('D3');
    const remove = (body: unknown, by: unknown = token): Promise<Seen> =>
      send('POST', '/_matrix/client/v3/delete_devices', { token: by, body });
    const wrong = { ...password(name), password: 'wrong' };
    await send('GET', '/_matrix/client/v3/devices', { token });
    await send('GET', '/_matrix/client/v3/devices');
    await send('GET', '/_matrix/client/v3/devices/D2', { token });
    await send('GET', '/_matrix/client/v3/devices/NOPE', { token });
    await remove({ devices: ['D2'] }, undefined);
    const begun = await remove({ devices: ['D2'] });
    await remove({ devices: ['D2'], auth: wrong });
    await remove({ devices: ['D2'], auth: { ...password(name), type: 'm.login.nope' } });
    await remove({ devices: ['D2'], auth: password(other) });
    await remove({ devices: ['D2'], auth: { ...password(name), session: 'nope' } });
    await send('GET', '/_matrix/client/v3/account/whoami', { token: second });
    await remove({ devices: ['D2', 'NOPE'], auth: password(name) });
    await send('GET', '/_matrix/client/v3/account/whoami', { token: second });
    await send('DELETE', '/_matrix/client/v3/devices/D3', { token });
    const auth = { ...password(name), session: begun.json?.['session'] };
    await send('POST', '/_matrix/client/v3/delete_devices', {
      token,
      body: { devices: ['D2'], auth },
    });
    await send('DELETE', '/_matrix/client/v3/devices/D3', {
      token,
      body: { auth: password(name) },
    });
    await send('GET', '/_matrix/client/v3/devices', { token });
  });
});

test('registration and profiles are answered as on Synapse', { skip }, async () => {
  const [first, second] = [unique('first'), unique('second')];
  await compare(async (send, server) => {
    const refused = (body: object): Promise<Seen> =>
      send('POST', '/_synapse/admin/v1/register', { body });
    await register(send, server, first);
    await register(send, server, first);
    await register(send, server, second, { ...quiet, displayname: 'Second' });
    await register(send, server, 'Not A Localpart');
    await register(send, server, first, { mac: '00' });
    await refused({ username: 'x', password: 'y', mac: '00' });
    await refused({ nonce: 'nope', username: 'x', password: 'y', mac: '00' });
    for (const userId of [
      `@${first}:${server.serverName}`,
      `@${second}:${server.serverName}`,
      `@nobody-of-that-name:${server.serverName}`,
      'nobody',
    ]) {
      await send('GET', `/_matrix/client/v3/profile/${encodeURIComponent(userId)}`);
    }
  });
});

test('a locked user is answered as on Synapse', { skip }, async () => {
  assert.ok(synapse);
  const embedded = await startHomeserver({ serverName: synapse.serverName });
  try {
    const user = await synapse.newUser('locked');
    const registered = { localpart: user.localpart, password: user.password };
    const ours = addUser(embedded.state, synapse.serverName, registered);
    const story = (lock: () => Promise<void>) => async (send: Send) => {
      const body = { ...password(user.userId), password: user.password, device_id: 'D' };
      const { json } = await send('POST', '/_matrix/client/v3/login', { body });
      const token = json?.['access_token'];
      await lock();
      await send('POST', '/_matrix/client/v3/login', { body });
      await send('GET', '/_matrix/client/v3/account/whoami', { token });
      await send('GET', '/_matrix/client/v3/devices', { token });
      await send('POST', '/_matrix/client/v3/logout', { token });
      await send('POST', '/_matrix/client/v3/logout', { token });
    };
    const real = await record(
      story(() => synapse.lockUser(user.userId)),
      synapse,
    );
    const lockOurs = async (): Promise<void> => {
      ours.locked = true;
    };
    assert.deepEqual(await record(story(lockOurs), { ...embedded, registrationSecret: '' }), real);
  } finally {
    await embedded.stop();
  }
});

test('login rate limits refuse the same logins as on Synapse', { skip }, async (t) => {
  const off = { per_second: 1000, burst_count: 1000 };
  const slow = { per_second: 0.001, burst_count: 2 };
  const rcLogin = { address: off, account: slow, failed_attempts: slow };
  const limited = await startSynapse({ rcLogin });
  t.after(() => limited.stop());
  const registrationSecret = 'registration-secret';
  const embedded = await startHomeserver({ serverName: 'hs.test', registrationSecret, rcLogin });
  t.after(() => embedded.stop());
  const story = async (send: Send, server: Server): Promise<void> => {
    for (const name of ['often', 'fails']) await register(send, server, name, quiet);
    const login = (body: object): Promise<Seen> =>
      send('POST', '/_matrix/client/v3/login', { body });
    for (let i = 0; i < 3; i += 1) await login(password('often'));
    for (let i = 0; i < 3; i += 1) await login({ ...password('fails'), password: 'wrong' });
    await login(password('FAILS'));
    await login(password('nobody'));
  };
  const real = await record(story, limited);
  assert.deepEqual(await record(story, { ...embedded, registrationSecret }), real);
  assert.equal(real.filter((line) => line.includes('M_LIMIT_EXCEEDED')).length, 3);
});
