// Killed at any instant, or without power from that instant on: the next run ends with every token
// stored, every other session gone, and nothing of ours left behind. Here are the instants at which
// something is decided, by their names; `npm run test:crash` tries every system call.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { K7, K8, killAndRunAgain, LOGIN } from './helpers/provision-kill.ts';
import type { Kill } from './helpers/provision-kill.ts';
import type { ServicesOptions } from './helpers/provision-services.ts';

const skip = process.platform === 'linux' ? false : 'only Linux tells who is dead';

/** What else a run does to the disk. */
const HOUSEKEEPING = {
  'the first folder is made': '^done mkdir ',
  'the lock is not yet there': '^link \\S+ \\S+/news\\.yml\\.lock$',
  'the room is half reserved': '^write \\S+/news\\.yml\\.\\w+\\.tmp$',
  'the lock is about to be removed': '^unlink \\S+/news\\.yml\\.lock$',
  'one lock is removed': '^done unlink \\S+/news\\.yml\\.lock$',
  'the state folder is about to be removed': '^rmdir \\S+/\\.matrix-tokens$',
} as const;

/** The run after a kill in the middle of a login: it gets a new session and removes the old one. */
const CLEANING = {
  synapse: {
    'the removal is sent': '^done send POST \\S+/delete_devices$',
  },
  mas: {
    'the second login for it is done': '^send POST \\S+/logout$',
    'the logout is answered (K10)': '^receive POST \\S+/logout$',
  },
} as const;

const AMID_LOGIN = { killOn: LOGIN['the answer has come (K3)'] };
const ONE = ['news'];

for (const [when, killOn] of Object.entries(LOGIN)) {
  test(`killed when ${when}`, { skip }, async (t) => {
    await assertRecovers(t, { names: ONE }, [{ killOn }]);
  });
}

// Tuwunel keeps sessions as Synapse does, Conduit and Continuwuity as Dendrite does.
for (const software of ['mas', 'dendrite'] as const) {
  for (const when of ['the answer has come (K3)', K8] as const) {
    test(`killed when ${when}, ${software}`, { skip }, async (t) => {
      await assertRecovers(t, { software, names: ONE }, [{ killOn: LOGIN[when] }]);
    });
  }
}

for (const [when, killOn] of Object.entries(HOUSEKEEPING)) {
  test(`killed when ${when}`, { skip }, async (t) => {
    await assertRecovers(t, {}, [{ killOn }]);
  });
}

for (const software of ['synapse', 'mas'] as const) {
  for (const [when, killOn] of Object.entries(CLEANING[software])) {
    test(`killed in a login, and again when ${when}, ${software}`, { skip }, async (t) => {
      await assertRecovers(t, { software, names: ONE }, [AMID_LOGIN, { killOn }]);
    });
  }
}

for (const when of ['the entry is durable, nothing is sent (K1)', K7] as const) {
  test(`interrupted by Ctrl-C when ${when}`, { skip }, async (t) => {
    await assertRecovers(t, {}, [{ killOn: LOGIN[when], signal: 'SIGINT' }]);
  });
}

const POWER_FAILS = {
  'the request is sent (K2)': LOGIN['the request is sent (K2)'],
  [K7]: LOGIN[K7],
  'the entry is dropped': HOUSEKEEPING['the lock is about to be removed'],
};

for (const [when, killOn] of Object.entries(POWER_FAILS)) {
  for (const [powerCut, left] of [
    ['synced', 'only what was synced is left'],
    ['current', 'names are left, too'],
  ] as const) {
    test(`the power fails when ${when}, and ${left}`, { skip }, async (t) => {
      await assertRecovers(t, { names: ONE }, [{ killOn, powerCut }]);
    });
  }
}

for (const software of ['synapse', 'mas'] as const) {
  test(`killed in the login of a fixed device, ${software}`, { skip }, async (t) => {
    await assertRecovers(t, { software, names: ONE, keys: ['device_id: FIXED'] }, [AMID_LOGIN]);
  });
}

async function assertRecovers(
  t: Parameters<typeof killAndRunAgain>[0],
  options: ServicesOptions,
  kills: readonly Kill[],
): Promise<void> {
  const points = await killAndRunAgain(t, options, kills);
  assert.ok(!points.includes(null), 'every run was killed');
}
