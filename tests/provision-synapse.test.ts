// What a real Synapse makes of us: users that it refuses, its rate limit, and sessions after kills.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { countConnections } from './helpers/provision-counter.ts';
import { killRun, LOGIN } from './helpers/provision-kill.ts';
import type { Kill } from './helpers/provision-kill.ts';
import { assertStored, projectOn } from './helpers/provision-on-synapse.ts';
import { reportOf } from './helpers/provision-project.ts';
import type { Project, Run } from './helpers/provision-project.ts';
import { ageJournal, FILES } from './helpers/provision-services.ts';
import { synapseSkip } from './helpers/python.ts';
import { sharedSynapse, startSynapse } from './helpers/synapse.ts';
import type { Synapse } from './helpers/synapse.ts';

const skip = await synapseSkip();

test('users that Synapse refuses are each asked for once, and told apart', { skip }, async (t) => {
  const synapse = await sharedSynapse();
  t.after(() => synapse.stop());
  const [right, wrong, locked, gone] = await Promise.all(
    ['right', 'wrong', 'locked', 'gone'].map((name) => synapse.newUser(name)),
  );
  assert.ok(right && wrong && locked && gone);
  await synapse.lockUser(locked.userId);
  await synapse.deactivateUser(gone.userId);
  const unknown = { userId: `@nobody-${right.localpart}:${synapse.serverName}`, password: 'x' };
  const services = { right, wrong: { ...wrong, password: 'no' }, unknown, gone, locked };
  const project = await projectOn(t, synapse, services);
  const run = await project.run(['--json', '-v']);
  assert.equal(run.exitCode, 1);
  const told = reportOf(run).services.map(({ service, outcome, code, message }) => {
    return [service, outcome, code, message] as const;
  });
  for (const [index, [service, outcome, code, message]] of EXPECTED.entries()) {
    assert.deepEqual(told[index]?.slice(0, 3), [service, outcome, code]);
    assert.match(told[index]?.[3] ?? '', message);
  }
  assert.equal(run.stderr.match(/^POST .*\/login /gm)?.length, 5);
  await assertStored(synapse, project, 'right');
  assert.deepEqual(
    [...project.tree().keys()].filter((path) => path.startsWith(FILES)),
    [FILES, `${FILES}/right.yml`],
  );
});

const EXPECTED = [
  ['right', 'changed', null, /^logged in and stored$/],
  ['wrong', 'failed', 'M_FORBIDDEN', /is wrong .*; the password is that of .*vars\.yml:5:\d+$/],
  ['unknown', 'failed', 'USER_MISSING', /^there seems to be no user @nobody/],
  ['gone', 'failed', 'M_FORBIDDEN', /or the user is deactivated;/],
  ['locked', 'failed', 'M_USER_LOCKED', /^the user is locked: /],
] as const;

test("Synapse's own rate limit: all are logged in, with few refusals", { skip }, async (t) => {
  const rcLogin = { address: { per_second: 4, burst_count: 3 } };
  const synapse = await startSynapse({ rcLogin });
  t.after(() => synapse.stop());
  const names = Array.from({ length: 8 }, (_, index) => `bot_${index}`);
  const users = await Promise.all(names.map((name) => synapse.newUser(name.replace('_', '-'))));
  const services = Object.fromEntries(users.map((user, index) => [names[index], user]));
  const project = await projectOn(t, synapse, services);
  const run = await project.run(['--json', '-v']);
  assert.equal(run.exitCode, 0, run.stderr);
  for (const name of names) await assertStored(synapse, project, name);
  const refused = run.stderr.match(/^POST .*\/login 429 /gm)?.length ?? 0;
  t.diagnostic(`${refused} of ${names.length + refused} logins refused`);
  assert.ok(refused >= 1 && refused < names.length);
});

const KILLS: Readonly<Record<string, readonly Kill[]>> = {
  ...Object.fromEntries(Object.entries(LOGIN).map(([when, killOn]) => [when, [{ killOn }]])),
  'the removal of its session is sent': [
    { killOn: LOGIN['the answer has come (K3)'] },
    { killOn: '^done send POST \\S+/delete_devices$' },
  ],
};

for (const [when, kills] of Object.entries(KILLS)) {
  test(
    `killed when ${when}: the next run leaves one session, and nothing else`,
    { skip },
    async (t) => {
      const synapse = await sharedSynapse();
      t.after(() => synapse.stop());
      const project = await projectOn(t, synapse, { news: await synapse.newUser('news') });
      for (const kill of kills) {
        assert.notEqual((await killRun(project, kill)).point, null);
        await ageJournal(project);
      }
      await assertCompletes(synapse, project);
    },
  );
}

test('killed when the token was not stored and its logout is sent (K10)', { skip }, async (t) => {
  const synapse = await sharedSynapse();
  t.after(() => synapse.stop());
  const project = await projectOn(t, synapse, { news: await synapse.newUser('news') });
  const file = join(project.folder, FILES, 'news.yml');
  const meddle = { on: LOGIN['the answer has come (K3)'], file, text: 'mine: kept\n' };
  const { point } = await killRun(project, { meddle, killOn: '^done send POST \\S+/logout$' });
  assert.notEqual(point, null);
  await ageJournal(project);
  await assertCompletes(synapse, project);
  assert.match(await project.read(`${FILES}/news.yml`), /^mine: kept\n/);
});

test(
  'a request that arrives after the next login is found and removed (K11)',
  { skip },
  async (t) => {
    const synapse = await sharedSynapse();
    t.after(() => synapse.stop());
    let isHeld = false;
    const counter = await countConnections(t, synapse.baseUrl, (text) => {
      if (isHeld || !text.startsWith('POST /_matrix/client/v3/login')) return 0;
      isHeld = true;
      return 2000;
    });
    const user = await synapse.newUser('news');
    const project = await projectOn(t, synapse, { news: user }, { baseUrl: counter.baseUrl });
    await killRun(project, { killOn: LOGIN['the request is sent (K2)'] });
    assert.deepEqual(await synapse.devicesOf(user.userId), []);
    // Two and a half seconds until its request must have ended.
    await ageJournal(project, 27_000);
    const run = await assertCompletes(synapse, project);
    assert.match(reportOf(run).notes.join('\n'), /^removed the session MT/);
  },
);

async function assertCompletes(synapse: Synapse, project: Project): Promise<Run> {
  const run = await project.run(['--json']);
  assert.equal(run.exitCode, 0, run.stderr + run.stdout);
  await assertStored(synapse, project, 'news');
  assert.deepEqual(
    [...project.tree().keys()].filter((path) => path.startsWith(FILES)),
    [FILES, `${FILES}/news.yml`],
  );
  return run;
}
