// The order in which things become durable, read from the system calls of a run: what a power cut
// leaves depends on nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { SOFTWARE } from '../scripts/homeserver/servers.ts';
import { KEPT_FILE, makeFixture } from './helpers/crash-fixture.ts';
import { findOrderFaults } from './helpers/crash-order.ts';
import type { Scenario } from './helpers/crash-scenarios.ts';
import { FILES } from './helpers/provision-services.ts';
import { watchRun, watchSkip, withoutNonces } from './helpers/watch-calls.ts';

const skip = await watchSkip();
const OWN = `${FILES}/news.yml`;

async function callsOf(t: TestContext, scenario: Omit<Scenario, 'name'>): Promise<string[]> {
  const { project } = await makeFixture(t, { name: 'order', ...scenario });
  const { calls, run } = await watchRun(project, {});
  assert.equal(run.exitCode, 0, run.stderr);
  return [...calls];
}

for (const software of SOFTWARE) {
  for (const keys of [[], ['device_id: FIXED']]) {
    const kind = keys.length === 0 ? 'a new device' : 'a fixed device';
    test(
      `journal, request, file, journal: each durable in turn (${kind}, ${software})`,
      { skip },
      async (t) => {
        const calls = await callsOf(t, { options: { names: ['news'], keys, software } });
        assert.deepEqual(findOrderFaults(calls, OWN), []);
      },
    );
  }
}

for (const target of ['hand-written file', 'encrypted file'] as const) {
  test(`the same order for a token that goes into: ${target}`, { skip }, async (t) => {
    const calls = await callsOf(t, { options: { names: ['news'] }, target });
    assert.deepEqual(findOrderFaults(calls, KEPT_FILE), []);
  });
}

test('the order is wrong as soon as one of these syncs is left out', { skip }, async (t) => {
  const calls = await callsOf(t, { options: { names: ['news'] } });
  const needed = calls.flatMap((call, index) => {
    if (!call.startsWith('fsync ')) return [];
    return findOrderFaults(calls.toSpliced(index, 1), OWN).length > 0 ? [withoutNonces(call)] : [];
  });
  const state = `${FILES}/.matrix-tokens`;
  assert.deepEqual(needed, [
    // The journal entry, its folder, and its name there.
    `fsync ${state}/news.yml.NONCE.tmp`,
    `fsync ${state}`,
    // The token, and its name.
    `fsync ${state}/news.yml.NONCE.tmp`,
    `fsync ${FILES}`,
  ]);
  const other = calls.filter((call) => !call.startsWith('fsync '));
  assert.ok(findOrderFaults(other, OWN).length >= 3);
});

test(
  'the room for the token is reserved, at full size and synced, before the login',
  { skip },
  async (t) => {
    const calls = await callsOf(t, { options: { names: ['news'] } });
    const login = calls.findIndex((call) => /^send POST \S+\/login$/.test(call));
    const stored = calls.find((call) => call.startsWith('rename ') && call.endsWith(` ${OWN}`));
    const temp = stored?.split(' ')[1] ?? '';
    const before = calls.slice(0, login).filter((call) => call.endsWith(` ${temp}`));
    assert.deepEqual(
      before.map((call) => call.split(' ')[0]).filter((verb) => verb !== 'stat'),
      ['create', 'fchmod', 'write', 'fsync'],
    );
  },
);
