// A play that is ended while logins are under way: they are finished and stored all the same, and no
// other one is begun.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { ansibleSkip } from './helpers/python.ts';
import { loginsAt, roleHosts, tokenOf, writePlay } from './helpers/role-hosts.ts';
import type { RoleHosts } from './helpers/role-hosts.ts';

const skip = await ansibleSkip();

const HOST = 'matrix.example.com';
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
/** So many logins of one homeserver are under way at once. */
const AT_ONCE = 4;

interface Way {
  readonly end: (pid: number) => void;
  /** Before 2.19, workers of ansible-playbook outlive it, and so does what they have begun. */
  readonly isWhole: boolean;
}

/** What a terminal does for Ctrl-C, and what `kill` does. */
const WAYS: Readonly<Record<string, Way>> = {
  // Pressed by somebody who does not like to wait.
  'Ctrl-C': { end: (pid) => [0, 100, 200, 300].forEach((ms) => interrupt(pid, ms)), isWhole: true },
  SIGTERM: { end: (pid) => process.kill(pid, 'SIGTERM'), isWhole: false },
};

for (const [name, { end, isWhole }] of Object.entries(WAYS)) {
  test(
    `${name}: what is in flight is stored, and the next run does the rest`,
    { skip },
    async (t) => {
      const setting = await roleHosts(t, { hosts: { [HOST]: NAMES } });
      const { homeserver, playbooks } = setting;
      await writePlay(setting);
      homeserver.faults.push({ method: 'POST', path: /\/login$/, delayAfterMs: 4000 });
      const run = await playbooks.run({
        isDetached: true,
        onStart: (child) => {
          void until(() => loginsAt(homeserver) >= AT_ONCE).then(() => end(child.pid ?? 0));
        },
      });
      assert.notEqual(run.exitCode, 0);
      await until(() => storedIn(setting).length >= AT_ONCE && !hasState(setting));
      if (isWhole) assert.equal(loginsAt(homeserver), AT_ONCE, 'no other login is begun');
      assert.equal(storedIn(setting).length, loginsAt(homeserver));
      for (const stored of storedIn(setting)) tokenOf(homeserver, stored);

      homeserver.faults.splice(0);
      const next = await playbooks.run();
      assert.equal(next.exitCode, 0, next.stdout);
      assert.deepEqual(storedIn(setting), NAMES);
      assert.equal(loginsAt(homeserver), NAMES.length);
      for (const stored of NAMES) tokenOf(homeserver, stored);
    },
  );
}

function interrupt(pid: number, ms: number): void {
  setTimeout(() => {
    try {
      process.kill(-pid, 'SIGINT');
    } catch {
      // Nobody is left to be told.
    }
  }, ms);
}

function pathIn({ project }: RoleHosts, name: string): string {
  return join(project.folder, `host_vars/${HOST}/vault_matrix_tokens`, name);
}

function storedIn(setting: RoleHosts): string[] {
  return NAMES.filter((name) => existsSync(pathIn(setting, `${name}.yml`)));
}

/** The lock and the journal are gone when the run has ended. */
function hasState(setting: RoleHosts): boolean {
  return existsSync(pathIn(setting, '.matrix-tokens'));
}

/** Waits as long as it takes; the test as a whole has an end. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await sleep(50);
}
