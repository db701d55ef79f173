import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { synapseSkip } from './helpers/python.ts';
import { sharedSynapse, startSynapse } from './helpers/synapse.ts';
import type { Synapse, TestUser } from './helpers/synapse.ts';

const skip = await synapseSkip();

async function login(synapse: Synapse, user: TestUser, password = user.password) {
  const response = await fetch(`${synapse.baseUrl}/_matrix/client/v3/login`, {
    method: 'POST',
    body: JSON.stringify({
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: user.userId },
      password,
      device_id: 'DEVICE',
    }),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

test('a user of the shared Synapse has no session until it logs in', { skip }, async (t) => {
  const synapse = await sharedSynapse();
  t.after(() => synapse.stop());
  const user = await synapse.newUser('bot');
  assert.deepEqual(await synapse.devicesOf(user.userId), []);
  assert.equal((await login(synapse, user)).status, 200);
  const devices = await synapse.devicesOf(user.userId);
  assert.deepEqual(
    devices.map((device) => device.device_id),
    ['DEVICE'],
  );
});

test('a locked and a deactivated user cannot log in', { skip }, async (t) => {
  const synapse = await sharedSynapse();
  t.after(() => synapse.stop());
  const [locked, gone] = [await synapse.newUser('locked'), await synapse.newUser('gone')];
  await synapse.lockUser(locked.userId);
  await synapse.deactivateUser(gone.userId);
  assert.equal((await login(synapse, locked)).json['errcode'], 'M_USER_LOCKED');
  assert.equal((await login(synapse, gone)).json['errcode'], 'M_FORBIDDEN');
});

test('a Synapse with a scaled rc_login refuses the login beyond its burst', { skip }, async (t) => {
  const synapse = await startSynapse({
    rcLogin: { address: { per_second: 1, burst_count: 2 } },
    serverName: 'limited.test',
  });
  t.after(() => synapse.stop());
  const user = await synapse.newUser('bot');
  const statuses: number[] = [];
  for (let i = 0; i < 3; i += 1) statuses.push((await login(synapse, user)).status);
  assert.deepEqual(statuses, [200, 200, 429]);
});

test(
  'a Synapse ends when the process that started it is killed',
  { skip, timeout: 60_000 },
  async () => {
    const helper = resolve(import.meta.dirname, 'helpers/synapse.js');
    const code = `import { startSynapse } from ${JSON.stringify(helper)};
    console.log((await startSynapse()).baseUrl); setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const url = `${line.toString().trim()}/_matrix/client/versions`;
    assert.equal((await fetch(url)).status, 200);
    parent.kill('SIGKILL');
    let alive = true;
    while (alive) {
      alive = await fetch(url).then(
        () => true,
        () => false,
      );
      if (alive) await sleep(50);
    }
  },
);
