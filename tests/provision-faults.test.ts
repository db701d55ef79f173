// What a homeserver, or what stands in front of it, can do to a run. After each: no session is open
// that no file and no journal entry knows; and a run without faults ends with everything in place.
// MATRIX_TOKENS_TEST_FAULTS=500 tries as many combinations of faults.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { errorAnswer, jsonAnswer } from '../scripts/homeserver/answer.ts';
import { htmlAnswer } from '../scripts/homeserver/faults.ts';
import type { HomeserverFault } from '../scripts/homeserver/faults.ts';
import { SOFTWARE } from '../scripts/homeserver/servers.ts';
import { rememberBefore, saidInside } from './helpers/crash-truth.ts';
import { assertConverged, FILES, servicesFor } from './helpers/provision-services.ts';
import type { Services, ServicesOptions } from './helpers/provision-services.ts';
import { assertNothingLost, outcomeOf, provisionInside } from './helpers/provision-world.ts';
import type { Inside } from './helpers/provision-world.ts';

type Effect = Omit<HomeserverFault, 'method' | 'path' | 'nth'>;

const EMPTY = 'executed and answered with an empty object';

const EFFECTS = {
  'cut before it is executed': { cut: 'before' },
  'cut while it is executed': { cut: 'while', delayBeforeMs: 30 },
  'cut after it was executed': { cut: 'after' },
  'cut in the middle of the answer': { cut: 'answering' },
  'executed and answered with 502 in HTML': { answer: { ...htmlAnswer(502), execute: true } },
  'answered with 502 in HTML': { answer: htmlAnswer(502) },
  'executed and answered with 500': {
    answer: { ...errorAnswer(500, 'M_UNKNOWN', 'Internal server error'), execute: true },
  },
  'answered with 200 in HTML': { answer: htmlAnswer(200) },
  [EMPTY]: { answer: { ...jsonAnswer(200, {}), execute: true } },
  'answered with 429': { answer: errorAnswer(429, 'M_LIMIT_EXCEEDED', 'Too Many Requests') },
  'answered with 403': { answer: errorAnswer(403, 'M_FORBIDDEN', 'Forbidden') },
} as const satisfies Record<string, Effect>;

const ENDPOINTS = {
  login: { method: 'POST', path: /\/login$/ },
  logout: { method: 'POST', path: /\/logout$/ },
  whoami: { method: 'GET', path: /\/whoami$/ },
  devices: { method: 'GET', path: /\/devices$/ },
  delete_devices: { method: 'POST', path: /\/delete_devices$/ },
} as const;

const ONE: ServicesOptions = { names: ['news'] };
const LOST = { ...ENDPOINTS.login, ...EFFECTS['cut after it was executed'], nth: 1 };

/** Whatever happens, the run says what is true. */
async function runTruly(services: Services): Promise<Inside> {
  const judge = rememberBefore(services);
  const inside = await provisionInside(services, { meanwhile });
  assert.deepEqual(await judge(saidInside(inside)), []);
  return inside;
}

/** Without faults, everything must come to its place. */
async function assertRecovers(services: Services): Promise<void> {
  services.homeserver.faults.length = 0;
  const { report } = await provisionInside(services, { meanwhile });
  assert.deepEqual(report.leftovers, []);
  await assertConverged(services);
}

for (const [name, effect] of Object.entries(EFFECTS)) {
  test(`a login ${name}, once or always`, async (t) => {
    const once = await servicesFor(t, ONE);
    once.homeserver.faults.push({ ...ENDPOINTS.login, ...effect, nth: 1 });
    const always = await servicesFor(t, { ...ONE, software: 'mas' });
    always.homeserver.faults.push({ ...ENDPOINTS.login, ...effect });
    for (const services of [once, always]) {
      await runTruly(services);
      await assertNothingLost(services);
      await assertRecovers(services);
    }
  });

  test(`the token cannot be stored, and its logout is ${name}`, async (t) => {
    const services = await withMeddler(t, { software: 'dendrite', ...ONE });
    services.homeserver.faults.push({ ...ENDPOINTS.logout, ...effect, nth: 1 });
    const inside = await runTruly(services);
    assert.equal(outcomeOf(inside, 'news'), 'failed STORE_FAILED');
    assert.equal(await services.project.read(`${FILES}/news.yml`), MEDDLED);
    await assertNothingLost(services);
    await assertRecovers(services);
  });
}

const SOME_EFFECTS = [
  'cut before it is executed',
  'cut after it was executed',
  'executed and answered with 502 in HTML',
  'answered with 429',
  'answered with 403',
] as const;

for (const endpoint of ['whoami', 'devices', 'delete_devices', 'login', 'logout'] as const) {
  test(`a session waits to be removed, and ${endpoint} fails`, async (t) => {
    for (const effect of SOME_EFFECTS) {
      const services = await servicesFor(t, { software: 'mas', ...ONE });
      // The first login is lost, the second one stored, the third one is that of the removal.
      const nth = endpoint === 'login' ? 3 : 1;
      services.homeserver.faults.push(LOST, { ...ENDPOINTS[endpoint], ...EFFECTS[effect], nth });
      await runTruly(services);
      await assertNothingLost(services);
      await assertRecovers(services);
    }
  });
}

test('any faults in any order: the run after them puts everything in its place', async (t) => {
  const effect = fc.constantFrom(...Object.values(EFFECTS));
  const endpoint = fc.constantFrom(...Object.values(ENDPOINTS));
  const fault = fc
    .tuple(endpoint, effect, fc.nat(4))
    // An empty object says that a removal was done.
    .filter(([where, what]) => where !== ENDPOINTS.delete_devices || what !== EFFECTS[EMPTY])
    .map(([where, what, nth]): HomeserverFault => ({ ...where, ...what, nth: nth + 1 }));
  const software = fc.constantFrom(...SOFTWARE);
  const keys = fc.constantFrom<string[]>([], ['device_id: FIXED']);
  const meddles = fc.boolean();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fault, { maxLength: 5 }),
      fc.record({ software, keys }),
      meddles,
      async (faults, options, isMeddling) => {
        const make = isMeddling ? withMeddler : servicesFor;
        const services = await make(t, { ...options, ...ONE });
        services.homeserver.faults.push(LOST, ...faults);
        for (let run = 0; run < 2; run += 1) {
          await runTruly(services);
          await assertNothingLost(services);
        }
        await assertRecovers(services);
      },
    ),
    { numRuns: Number(process.env['MATRIX_TOKENS_TEST_FAULTS'] ?? 15) },
  );
});

const MEDDLED = 'somebody: wrote this meanwhile\n';

/** When the first login arrives, somebody else makes the file that it is for. */
async function withMeddler(t: TestContext, options: ServicesOptions): Promise<Services> {
  let hasMeddled = false;
  const services: Services = await servicesFor(t, {
    ...options,
    onRequest: ({ method, path }) => {
      if (hasMeddled || method !== 'POST' || !path.endsWith('/login')) return;
      hasMeddled = true;
      writeFileSync(join(services.project.folder, FILES, 'news.yml'), MEDDLED);
    },
  });
  return services;
}

/** Real time for what the homeserver does late. */
function meanwhile(): Promise<void> {
  return sleep(60);
}
