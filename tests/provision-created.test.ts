// What is said of users that a run creates: each is told, whatever came of its login and of the answer
// to the request that created it, and of two services that want the same one neither is told wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { errorAnswer } from '../scripts/homeserver/answer.ts';
import { requestLines } from './helpers/homeserver.ts';
import { killRun } from './helpers/provision-kill.ts';
import {
  ageJournal,
  assertConverged,
  HOST,
  servicesFor,
  STATE,
} from './helpers/provision-services.ts';
import type { Services, ServicesOptions } from './helpers/provision-services.ts';
import { outcomeOf, provisionInside, skippingClock } from './helpers/provision-world.ts';
import type { Inside } from './helpers/provision-world.ts';

const skip = process.platform === 'linux' ? false : 'only Linux tells who is dead';
const REGISTER = { method: 'POST', path: /\/register$/ } as const;
const LOGIN = { method: 'POST', path: /\/login$/ } as const;

/** Makes a project whose user does not exist yet, and is to be a server administrator. */
function missing(t: TestContext, options: ServicesOptions = {}): Promise<Services> {
  return servicesFor(t, {
    names: ['news'],
    keys: ['register_as: admin'],
    isMissing: true,
    ...options,
  });
}

/** The notes on users, without their names. */
function notesOnUsers({ report }: Inside): string[] {
  return report.notes.flatMap((note) => /^there was no user \S+: (.*)$/.exec(note)?.[1] ?? []);
}

const PROBABLY = 'a request whose answer was lost probably created it, as a server administrator';

for (const software of ['synapse', 'dendrite'] as const) {
  test(`an administrator whose creation got no answer is told as probably created, ${software}`, async (t) => {
    const services = await missing(t, { software });
    services.homeserver.faults.push({ ...REGISTER, nth: 1, cut: 'after' });
    const inside = await provisionInside(services);
    assert.equal(outcomeOf(inside, 'news'), 'changed');
    assert.deepEqual(notesOnUsers(inside), [PROBABLY]);
    await assertConverged(services);
    assert.deepEqual(notesOnUsers(await provisionInside(services)), []);
  });
}

test('whoever cannot be logged in after a lost creation is told as perhaps created, then as probably', async (t) => {
  const services = await missing(t);
  services.homeserver.faults.push(
    { ...REGISTER, cut: 'after' },
    { ...LOGIN, nth: [2, 3, 4], cut: 'before' },
  );
  const first = await provisionInside(services);
  assert.equal(outcomeOf(first, 'news'), 'unreachable RESET');
  assert.deepEqual(notesOnUsers(first), [PROBABLY.replace('probably', 'may have')]);
  services.homeserver.faults.length = 0;
  const second = await provisionInside(services);
  assert.deepEqual(notesOnUsers(second), [PROBABLY]);
  await assertConverged(services);
});

test('a user whom a killed run created is told by the next one', { skip }, async (t) => {
  const cases = {
    dendrite: 'an ordinary user, since the homeserver knows no bots',
    synapse: 'a bot',
  } as const;
  for (const [software, kind] of Object.entries(cases)) {
    const services = await missing(t, { software: software as keyof typeof cases, keys: [] });
    await killRun(services.project, { killOn: '^receive POST \\S+/register$' });
    await ageJournal(services.project);
    const inside = await provisionInside(services);
    assert.deepEqual(notesOnUsers(inside), [
      `a request whose answer was lost probably created it, as ${kind}`,
    ]);
    await assertConverged(services);
  }
});

test('a user is told as created once, also if its session stays open for the next run', async (t) => {
  const services = await missing(t, { software: 'dendrite', keys: [] });
  services.homeserver.faults.push(
    { method: 'POST', path: /\/logout$/, cut: 'before' },
    { ...LOGIN, nth: [2, 3, 4], cut: 'before' },
  );
  const first = await provisionInside(services);
  assert.match(notesOnUsers(first).join('\n'), /^it was created, as an ordinary user/);
  services.homeserver.faults.length = 0;
  const second = await provisionInside(services);
  assert.deepEqual(notesOnUsers(second), []);
  assert.match(second.report.notes.join('\n'), /^removed the session shared_secret_registration/m);
  await assertConverged(services);
});

test('without a nonce nothing was sent that creates anybody: nobody and no session is left', async (t) => {
  const services = await missing(t);
  services.homeserver.faults.push({ method: 'GET', path: /\/register$/, cut: 'after' });
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'unreachable RESET');
  assert.deepEqual(inside.report.leftovers, []);
  assert.deepEqual(notesOnUsers(inside), []);
  assert.ok(!services.project.tree().has(STATE));
});

test('every user that a run creates is told, also if its login is deferred or fails', async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  const limit = { per_second: 0.003, burst_count: 5 };
  const clock = skippingClock();
  const services = await missing(t, {
    names,
    keys: [],
    rcLogin: { address: limit },
    now: clock.now,
  });
  const inside = await provisionInside(services, { clock, maxWait: 0 });
  const { users } = services.homeserver.state;
  assert.ok(users.size >= 3, 'more were created than could log in');
  assert.ok(inside.report.outcomes.filter(({ outcome }) => outcome === 'deferred').length > 3);
  const told = inside.report.notes.flatMap(
    (note) => /^there was no user (\S+): it was created, as a bot$/.exec(note)?.[1] ?? [],
  );
  assert.deepEqual(told.toSorted(), [...users.keys()].toSorted());
});

/** Gives both services the same user, with a password each. */
async function shareUser({ project }: Services, passwords: readonly string[]): Promise<void> {
  const vars = `host_vars/${HOST}/vars.yml`;
  const text = await project.read(vars);
  const [one = '', two = ''] = passwords;
  const shared = text
    .replace('one: {password: "{{ vault_one_password }}"', `one: {user: bot, password: "${one}"`)
    .replace('two: {password: "{{ vault_two_password }}"', `two: {user: bot, password: "${two}"`);
  await project.write(vars, shared);
}

for (const [when, path] of Object.entries({
  'while the first is being created': /\/register$/,
  'while the first looks for its profile': /\/profile\//,
  'while the second looks for its profile': /\/profile\//,
})) {
  test(`two services with one missing user are both logged in, ${when}`, async (t) => {
    const services = await missing(t, { names: ['one', 'two'], keys: [] });
    await shareUser(services, ['the same', 'the same']);
    const nth = when.includes('second') ? 2 : 1;
    services.homeserver.faults.push({ path, nth, delayBeforeMs: 150, delayAfterMs: 150 });
    const inside = await provisionInside(services);
    assert.deepEqual(
      ['one', 'two'].map((name) => outcomeOf(inside, name)),
      ['changed', 'changed'],
    );
    assert.deepEqual(notesOnUsers(inside), ['it was created, as a bot']);
    assert.equal(services.homeserver.state.users.size, 1);
  });
}

test('of two services with one missing user and two passwords, one is told that its own is wrong', async (t) => {
  const services = await missing(t, { names: ['one', 'two'], keys: [] });
  await shareUser(services, ['the one', 'the other']);
  const inside = await provisionInside(services);
  const outcomes = ['one', 'two'].map((name) => outcomeOf(inside, name));
  assert.deepEqual(outcomes.toSorted(), ['changed', 'failed M_FORBIDDEN']);
  const message = inside.report.outcomes.find(({ code }) => code === 'M_FORBIDDEN')?.message;
  assert.match(message ?? '', /^the password of @bot:\S+ is wrong \(the user exists\)/);
  assert.deepEqual(notesOnUsers(inside), ['it was created, as a bot']);
});

test('of two services with one user that cannot be created, both are told why, and once each', async (t) => {
  const services = await missing(t, { names: ['one', 'two'], keys: [] });
  await shareUser(services, ['the same', 'the same']);
  services.homeserver.faults.push({
    ...REGISTER,
    answer: errorAnswer(400, 'M_WEAK_PASSWORD', 'too weak'),
  });
  const inside = await provisionInside(services);
  for (const name of ['one', 'two']) {
    assert.equal(outcomeOf(inside, name), 'failed M_WEAK_PASSWORD');
  }
  const logins = requestLines(services.homeserver).filter((line) => /^POST .*login$/.test(line));
  assert.equal(logins.length, 2);
  assert.deepEqual(notesOnUsers(inside), []);
});

test('a run that only removes what a lost creation has left tells of the user, too', async (t) => {
  const services = await missing(t, { software: 'dendrite', keys: [] });
  services.homeserver.faults.push(
    { ...REGISTER, nth: 1, cut: 'after' },
    { path: /\/devices$/, answer: errorAnswer(403, 'M_FORBIDDEN', 'not now') },
  );
  const first = await provisionInside(services);
  assert.equal(first.report.leftovers.length, 1);
  services.homeserver.faults.length = 0;
  const second = await provisionInside(services);
  assert.equal(outcomeOf(second, 'news'), 'ok');
  assert.match(notesOnUsers(second).join('\n'), /^a request whose answer was lost probably/);
  assert.deepEqual(notesOnUsers(await provisionInside(services)), []);
  await assertConverged(services);
});
