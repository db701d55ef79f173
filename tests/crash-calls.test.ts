// Trouble at single system calls: a kill, an error of the disk or the network. Here it is made at a
// few dozen calls; `npm run test:crash` makes it at all of them, with power cuts and a full disk, and
// on a real Synapse.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { findUntrue } from './helpers/crash-claims.ts';
import { isNone } from './helpers/crash-counts.ts';
import { makeFixture } from './helpers/crash-fixture.ts';
import type { Fixture } from './helpers/crash-fixture.ts';
import { listPoints, passedOver, tryPoint } from './helpers/crash-point.ts';
import { makeLocalFixture } from './helpers/crash-rekey.ts';
import { SCENARIOS } from './helpers/crash-scenarios.ts';
import type { Scenario } from './helpers/crash-scenarios.ts';
import { outcomesOf } from './helpers/provision-project.ts';
import { FILES, STATE } from './helpers/provision-services.ts';
import { EFFECTS, watchRun, watchSkip } from './helpers/watch-calls.ts';

const skip = await watchSkip();
const ROOT = resolve(import.meta.dirname, '../..');

/** One of each scenario; which one differs from scenario to scenario. */
const SPREAD = 37;

const HERE = SCENARIOS.filter(({ disk, homeserver }) => {
  return disk === undefined && homeserver === undefined;
});

for (const [index, scenario] of HERE.entries()) {
  test(`at some calls, the rest by npm run test:crash: ${scenario.name}`, { skip }, async (t) => {
    const fixture = await makeLocalFixture(t, scenario);
    const names = await listPoints(fixture, scenario);
    const before = passedOver(names, scenario);
    const at = 1 + before + ((index * SPREAD) % (names.length - before));
    await assertMended(fixture, scenario, at);
  });
}

async function assertMended(fixture: Fixture, scenario: Scenario, at: number): Promise<void> {
  const { point, counts, trouble } = await tryPoint(fixture, scenario, at);
  assert.equal(trouble, null, `call ${at}, ${point}`);
  assert.ok(isNone(counts), `call ${at}, ${point}: ${JSON.stringify(counts)}`);
}

const LOGIN: Scenario = { name: 'login', options: { names: ['news'] } };
const LOST = { match: /^receive POST \S+\/login$/, at: 1 } as const;

test(
  'two runs make the same calls in the same order, several hundred of them',
  { skip },
  async (t) => {
    const fixture = await makeFixture(t, LOGIN);
    const names = await listPoints(fixture, LOGIN);
    assert.deepEqual(await listPoints(fixture, LOGIN), names);
    assert.ok(names.length > 250 && names.filter((name) => EFFECTS.test(name)).length > 50);
    await fixture.reset();
    const killed = await watchRun(fixture.project, { at: 100 });
    assert.equal(killed.run.exitCode, 137);
    assert.equal(killed.calls.length, 100);
  },
);

test('the counts see what is lost: a journal that somebody removes', { skip }, async (t) => {
  const fixture = await makeFixture(t, LOGIN);
  await watchRun(fixture.project, LOST);
  await rm(join(fixture.project.folder, STATE), { recursive: true });
  assert.equal(await fixture.recover('inside'), null);
  const { tokens, devices, ...others } = await fixture.count();
  assert.deepEqual([tokens, devices], [1, 1]);
  assert.ok(Object.values(others).every((count) => count === 0));
});

test('the counts see what is left or damaged: files, locks, tokens', { skip }, async (t) => {
  const fixture = await makeFixture(t, LOGIN);
  await watchRun(fixture.project, LOST);
  const killed = await fixture.count();
  assert.deepEqual([killed.locks, killed.tokens, killed.devices, killed.lost], [1, 1, 1, 1]);
  assert.ok(killed.temp >= 3, 'the state folder, the entry, the temp file');
  assert.equal(await fixture.recover('inside'), null);
  const file = join(fixture.project.folder, FILES, 'news.yml');
  const text = await fixture.project.read(`${FILES}/news.yml`);
  await writeFile(file, text.replace(/^( +\d{60})\d/m, '$1x'));
  const { closed, lost } = await fixture.countDamage();
  assert.deepEqual([closed, lost], [1, 0]);
});

test('a run that says what is not so is found out', () => {
  const told = { service: 'news', outcome: 'changed', code: null, message: '', hint: null };
  const services = [told];
  const report = { services, sessions_left: [], notes: [], faults: [] };
  const said = { exitCode: 0, report, stderr: '' };
  const truth = { stored: ['news'], written: ['news'], isUnchanged: false, logins: 1 };
  const good = { ...truth, open: [], opened: [], journalled: [] };
  assert.deepEqual(findUntrue(said, good), []);
  assert.equal(findUntrue(said, { ...good, stored: [] }).length, 1);
  assert.equal(findUntrue(said, { ...good, open: ['D'] }).length, 3);
  assert.equal(findUntrue({ ...said, exitCode: 70 }, good).length, 1);
  assert.equal(findUntrue({ ...said, report: null }, good).length, 1);
});

test('every test and scenario that docs/guarantees.md names is there', async () => {
  const docs = await readFile(join(ROOT, 'docs/guarantees.md'), 'utf8');
  const table = docs.split('\n').filter((line) => line.startsWith('| ') && line.includes('`'));
  const named = table.flatMap((line) =>
    [...line.matchAll(/`([^`]+)`/g)].map(([, word]) => word ?? ''),
  );
  for (const name of named.filter((word) => /^[a-z-]+$/.test(word))) {
    assert.ok(existsSync(join(ROOT, `tests/${name}.test.ts`)), name);
  }
  for (const path of named.filter((word) => word.includes('/'))) {
    assert.ok(existsSync(join(ROOT, path)), path);
  }
  const commands = named.flatMap((word) => /^npm run test:crash -- (.*)$/.exec(word)?.[1] ?? []);
  assert.ok(named.length > 15 && commands.length >= 4);
  for (const words of commands) {
    for (const [, quoted, bare] of words.matchAll(/'([^']+)'|(\S+)/g)) {
      const part = quoted ?? bare ?? '';
      assert.ok(
        SCENARIOS.some(({ name }) => name.includes(part)),
        part,
      );
    }
  }
});

test('a lock that cannot be removed does not make its own run wait for it', { skip }, async (t) => {
  const scenario = { ...LOGIN, killedBefore: [LOST] };
  const { project } = await makeFixture(t, scenario);
  const match = /^unlink \S+\/news\.yml\.lock$/;
  const { run, point } = await watchRun(project, { match, at: 2, blow: 'EIO' }, ['--json']);
  assert.notEqual(point, null);
  assert.equal(run.exitCode, 0, run.stderr);
  assert.deepEqual(outcomesOf(run), { news: 'changed' });
});

test(
  'a disk that becomes read-only while the lock is made is bad input, no bug',
  { skip },
  async (t) => {
    const { project } = await makeFixture(t, LOGIN);
    const match = /^(?:unlink|create|write) /;
    const { calls } = await watchRun(project, { match: /^unlink /, at: 1 });
    const at = calls.filter((call) => match.test(call)).length;
    const second = await makeFixture(t, LOGIN);
    const watch = { match, at, blow: 'EROFS', onwards: true } as const;
    const { run } = await watchRun(second.project, watch, ['--json']);
    assert.equal(run.exitCode, 5, run.stderr);
    assert.match(run.stdout, /the file system is read-only \(EROFS\); the file is as it was/);
  },
);
