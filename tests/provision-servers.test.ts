// The main job on every server that users run, as far as it is known how they answer: first fill,
// second run, a wrong password, a user who is not there, an answer that was lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HomeserverFault } from '../scripts/homeserver/faults.ts';
import { SOFTWARE } from '../scripts/homeserver/servers.ts';
import type { Software } from '../scripts/homeserver/servers.ts';
import { requestLines } from './helpers/homeserver.ts';
import { outcomesOf, reportOf } from './helpers/provision-project.ts';
import type { ReportedService } from './helpers/provision-project.ts';
import {
  ageJournal,
  assertConverged,
  readStored,
  servicesFor,
} from './helpers/provision-services.ts';
import { assertNothingLost, outcomeOf, provisionInside } from './helpers/provision-world.ts';

const LOGIN = { method: 'POST', path: /\/login$/ } as const;
const LOST: HomeserverFault = { ...LOGIN, cut: 'after' };

/** What the server says of a user whom it does not know, and what is made of it. */
const MISSING: Readonly<Partial<Record<Software, string>>> = { continuwuity: 'M_NOT_FOUND' };

const TOKENS: Readonly<Record<(typeof SOFTWARE)[number], RegExp>> = {
  synapse: /^syt_\w+$/,
  mas: /^mct_\w+$/,
  dendrite: /^[\w-]{43}$/,
  continuwuity: /^\w{24}$/,
  conduit: /^\w{32}$/,
  tuwunel: /^\w{32}$/,
};

for (const software of SOFTWARE) {
  test(`${software}: one bot gets its token once, a wrong password and a missing user are told apart`, async (t) => {
    const services = await servicesFor(t, { software, names: ['news', 'wrong', 'missing'] });
    const { project, homeserver } = services;
    const { users } = homeserver.state;
    const wrong = users.get('@wrong:example.com');
    assert.ok(wrong !== undefined);
    users.set(wrong.userId, { ...wrong, password: 'another' });
    users.delete('@missing:example.com');
    const first = await project.run(['--json']);
    assert.equal(first.exitCode, 1, first.stderr);
    assert.deepEqual(outcomesOf(first), { news: 'changed', wrong: 'failed', missing: 'failed' });
    const one = (name: string): ReportedService | undefined =>
      reportOf(first).services.find(({ service }) => service === name);
    assert.equal(one('wrong')?.code, 'M_FORBIDDEN');
    assert.match(one('wrong')?.message ?? '', /the password of @wrong:example\.com is wrong/);
    assert.equal(one('missing')?.code, MISSING[software] ?? 'USER_MISSING');
    assert.match(one('missing')?.hint ?? '', /create the user/);
    assert.equal(requestLines(homeserver).filter((line) => /^POST .*login$/.test(line)).length, 3);
    assert.match((await readStored(project, 'news')).accessToken, TOKENS[software]);
    assert.deepEqual(reportOf(first).sessions_left, []);
    const [files, requests] = [project.tree(), homeserver.requests.length];
    const second = await project.run(['news', '--json']);
    assert.deepEqual([second.exitCode, outcomesOf(second)], [0, { news: 'ok' }]);
    assert.deepEqual(project.tree(), files);
    assert.equal(homeserver.requests.length, requests, 'nobody is asked');
  });

  for (const keys of [[], ['device_id: FIXED']]) {
    const device = keys.length === 0 ? '' : ', of a fixed device';
    test(`${software}: a login${device} whose answer is lost leaves nothing behind`, async (t) => {
      const services = await servicesFor(t, { software, names: ['news'], keys });
      services.homeserver.faults.push({ ...LOST, nth: 1 });
      const inside = await provisionInside(services);
      assert.equal(outcomeOf(inside, 'news'), 'changed');
      assert.deepEqual(inside.report.leftovers, []);
      await assertConverged(services);
    });

    test(`${software}: where all answers${device} are lost, the next run cleans up`, async (t) => {
      const services = await servicesFor(t, { software, names: ['news'], keys });
      services.homeserver.faults.push(LOST);
      const inside = await provisionInside(services);
      assert.equal(outcomeOf(inside, 'news'), 'unreachable RESET');
      assert.ok(inside.report.leftovers.length > 0);
      await assertNothingLost(services);
      services.homeserver.faults.length = 0;
      await ageJournal(services.project, 120_000);
      const next = await provisionInside(services);
      assert.deepEqual(next.report.leftovers, []);
      await assertConverged(services);
    });
  }
}

test('where passwords are switched off, none is sent, and a way to a token is named', async (t) => {
  const offered: Partial<Record<Software, string>> = {
    synapse: 'NO_PASSWORD_FLOW',
    mas: 'NO_PASSWORD_FLOW',
    continuwuity: 'OAUTH_ONLY',
    tuwunel: 'NO_PASSWORD_FLOW',
  };
  for (const [software, code] of Object.entries(offered)) {
    const options = { software: software as Software, passwords: false, names: ['news'] };
    const services = await servicesFor(t, options);
    const inside = await provisionInside(services);
    assert.equal(outcomeOf(inside, 'news'), `failed ${code}`, software);
    assert.ok(inside.report.outcomes[0]?.hint, software);
    assert.ok(
      services.homeserver.requests.every(({ method }) => method === 'GET'),
      software,
    );
  }
});

test('where nothing routes the logins to MAS, that is said, and no password is sent', async (t) => {
  const services = await servicesFor(t, { software: 'mas_unreachable', names: ['news'] });
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'news'), 'failed M_UNRECOGNIZED');
  assert.ok(services.homeserver.requests.every(({ method }) => method === 'GET'));
});
