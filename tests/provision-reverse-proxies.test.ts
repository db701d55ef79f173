// What stands in front of a homeserver and answers in its place: nginx, Caddy, Traefik, Cloudflare.
// Whatever page it gives, no password is tried twice for it and no session is taken for gone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proxyPage } from '../scripts/homeserver/proxy.ts';
import type { ReverseProxy } from '../scripts/homeserver/proxy.ts';
import { requestLines } from './helpers/homeserver.ts';
import { ageJournal, assertConverged, servicesFor } from './helpers/provision-services.ts';
import type { Services, ServicesOptions } from './helpers/provision-services.ts';
import { assertNothingLost, outcomeOf, provisionInside } from './helpers/provision-world.ts';
import type { Inside } from './helpers/provision-world.ts';

const ONE: ServicesOptions = { names: ['news'] };
const LOGIN = { method: 'POST', path: /\/login$/ } as const;
const KINDS = ['nginx', 'caddy', 'traefik', 'cloudflare'] as const;

function logins({ homeserver }: Services): number {
  return requestLines(homeserver).filter((line) => /^POST .*\/login$/.test(line)).length;
}

function messageOf({ report }: Inside): string {
  return report.outcomes[0]?.message ?? '';
}

function hintOf({ report }: Inside): string {
  return report.outcomes[0]?.hint ?? '';
}

async function behind(
  t: Parameters<typeof servicesFor>[0],
  kind: ReverseProxy['kind'],
  routes: RegExp,
): Promise<Services> {
  return servicesFor(t, { ...ONE, proxy: { kind, routes } });
}

for (const kind of KINDS) {
  test(`${kind}: that routes nothing is no homeserver, and gets no password`, async (t) => {
    const services = await behind(t, kind, /^$/);
    const inside = await provisionInside(services);
    assert.equal(outcomeOf(inside, 'news'), 'unreachable NOT_MATRIX');
    assert.match(hintOf(inside), /route \/_matrix to the homeserver/);
    assert.equal(logins(services), 0);
  });

  test(`${kind}: that routes all but the login gets no password, and is told what to route`, async (t) => {
    const services = await behind(t, kind, /^(?!.*\/login$)/);
    const inside = await provisionInside(services);
    assert.equal(outcomeOf(inside, 'news'), 'unreachable NOT_MATRIX');
    // Caddy's empty 200 says nothing of a path that is missing.
    if (kind !== 'caddy') assert.match(messageOf(inside), /though \/versions is there$/);
    assert.equal(logins(services), 0);
  });

  test(`${kind}: that refuses a login with a page of its own is asked once`, async (t) => {
    const services = await servicesFor(t, ONE);
    services.homeserver.faults.push({ ...LOGIN, answer: proxyPage(kind, 403) });
    const inside = await provisionInside(services);
    assert.equal(outcomeOf(inside, 'news'), 'unreachable NOT_MATRIX');
    assert.equal(logins(services), 1);
    assert.deepEqual(inside.report.leftovers, []);
  });

  test(`${kind}: that has trouble is asked three times, with a device ID of its own each time`, async (t) => {
    const devices: unknown[] = [];
    const services = await servicesFor(t, {
      ...ONE,
      onRequest: ({ method, path, body }) => {
        if (method !== 'POST' || !path.endsWith('/login')) return;
        devices.push((JSON.parse(body) as { device_id: unknown }).device_id);
      },
    });
    for (const [index, status] of [502, 503, 504].entries()) {
      const answer = { ...proxyPage(kind, status), execute: status === 504 };
      services.homeserver.faults.push({ ...LOGIN, nth: index + 1, answer });
    }
    const inside = await provisionInside(services);
    assert.equal(outcomeOf(inside, 'news'), 'unreachable SERVER_ERROR');
    assert.equal(new Set(devices).size, 3);
    assert.equal(inside.report.leftovers.length, 3);
    await assertNothingLost(services);
    services.homeserver.faults.length = 0;
    await ageJournal(services.project, 120_000);
    await provisionInside(services);
    await assertConverged(services);
  });

  test(`${kind}: that has no way to sessions makes none look removed`, async (t) => {
    const services = await behind(t, kind, /^(?!.*\/(?:logout|delete_devices)$)/);
    services.homeserver.faults.push({ ...LOGIN, nth: 1, cut: 'after' });
    const inside = await provisionInside(services);
    assert.equal(outcomeOf(inside, 'news'), 'changed');
    assert.equal(inside.report.leftovers.length, 1, 'the lost session is still open');
    await assertNothingLost(services);
  });
}
