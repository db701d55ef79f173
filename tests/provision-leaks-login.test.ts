// Canaries for what logs in without a password and what creates users: shared secrets, proofs,
// nonces, HMACs, passwords that are made up. None turns up, whatever a homeserver does with them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { findLeaks } from './helpers/provision-leaks.ts';
import { putProxyBefore } from './helpers/provision-proxy.ts';
import type { Passing, Rewrites } from './helpers/provision-proxy.ts';
import type { Run } from './helpers/provision-project.ts';
import { HOST, servicesFor } from './helpers/provision-services.ts';
import type { Services } from './helpers/provision-services.ts';

const SHARED = 'cänary "of/the" module+secret & \\ 100%';
const REGISTRATION = "cänary 'of' the/registration+secret=";
/** What is secret of what is sent and answered. */
const SECRET_FIELDS = /"(?:token|password|mac|nonce|access_token)": ?"((?:[^"\\]|\\.)*)"/g;

function secretsIn(text: string): string[] {
  return [...text.matchAll(SECRET_FIELDS)].map(([, value]) => JSON.parse(`"${value}"`) as string);
}

/** Says everything again, in the reason phrase, in headers and in the body. */
function echo({ requestBody, body }: Passing, status: number, errcode: string): Partial<Passing> {
  const known = [...secretsIn(requestBody), ...secretsIn(body)];
  const plain = encodeURIComponent(known.join(' '));
  return {
    status,
    statusMessage: plain,
    headers: {
      'content-type': 'application/json',
      server: known[0]?.replaceAll(/[^\x20-\x7e]/g, '') ?? '',
      'www-authenticate': `Bearer ${plain}`,
      location: `/elsewhere?secret=${plain}`,
      'retry-after': known[0]?.replaceAll(/[^\x20-\x7e]/g, '') ?? '',
    },
    body: JSON.stringify({
      errcode,
      error: `${known.join(' ')} ${requestBody} ${body} ${SHARED} ${REGISTRATION}`,
      user_id: known.join(' '),
      device_id: known[0],
    }),
  };
}

type Answer = (passing: Passing) => Partial<Passing>;

function on(request: RegExp, answer: Answer): Rewrites {
  return { answer: (passing) => (request.test(passing.request) ? answer(passing) : {}) };
}

const NONCE = /^GET \S+\/register$/;
const CREATION = /^POST \S+\/register$/;
const LOGIN = /^POST \S+\/login$/;

const ANSWERS: Readonly<Record<string, Rewrites>> = {
  'all well': {},
  'a refused login': on(LOGIN, (one) => echo(one, 418, 'M_TEAPOT')),
  'a refused login with a secret as its errcode': on(LOGIN, (one) => echo(one, 403, `M_${SHARED}`)),
  'a login that is redirected': on(LOGIN, (one) => echo(one, 302, 'M_FOUND')),
  'a server error of a login': on(LOGIN, (one) => echo(one, 500, 'M_UNKNOWN')),
  'no nonce': on(NONCE, (one) => echo(one, 404, 'M_UNRECOGNIZED')),
  'a refused creation': on(CREATION, (one) => echo(one, 400, 'M_UNKNOWN')),
  'a wrong HMAC': on(CREATION, (one) => echo(one, 403, 'M_FORBIDDEN')),
  'a taken name': on(CREATION, (one) => echo(one, 400, 'M_USER_IN_USE')),
  'a user of another name': on(CREATION, (one) => echo(one, 200, 'M_NONE')),
  'a server error of a creation': on(CREATION, (one) => echo(one, 500, 'M_UNKNOWN')),
};

/** Those that are told as JSON, too. */
const AS_JSON = ['a refused login', 'a refused creation', 'a user of another name'];

for (const [name, rewrites] of Object.entries(ANSWERS)) {
  test(`${name}: no secret turns up`, async (t) => {
    const { services, seen } = await prepare(t, rewrites);
    const runs = [await run(services, [])];
    if (AS_JSON.includes(name)) runs.push(await run(services, ['--json']));
    assertNoLeaks(services, runs, seen);
    assert.ok(seen.some((text) => /"(?:token|mac)"/.test(text)));
  });
}

function run({ project }: Services, args: readonly string[]): Promise<Run> {
  return project.run(['-v', ...args], {
    env: { TMPDIR: project.folder },
    preload: { speed: 20 },
  });
}

/** A service whose user does not exist and one that does, both without passwords. */
async function prepare(
  t: TestContext,
  rewrites: Rewrites,
): Promise<{ services: Services; seen: string[] }> {
  const services = await servicesFor(t, {
    software: 'dendrite',
    sharedSecretAuth: { secret: SHARED },
    registrationSecret: REGISTRATION,
  });
  services.homeserver.state.users.delete('@news:example.com');
  const vars = `host_vars/${HOST}/vars.yml`;
  const text = (await services.project.read(vars)).replaceAll(/password: "[^"]*", /g, '');
  const sealed = [
    `vault_shared: ${await services.project.sealed(SHARED)}`,
    `vault_registration: ${await services.project.sealed(REGISTRATION)}`,
    'matrix_tokens_shared_secret_auth: {shared_secret: "{{ vault_shared }}"}',
    'matrix_tokens_register: {shared_secret: "{{ vault_registration }}"}\n',
  ];
  await services.project.write(vars, text + sealed.join('\n'));
  const seen: string[] = [];
  await putProxyBefore(t, services.project, services.homeserver, {
    answer: (passing) => {
      seen.push(passing.requestBody, passing.body);
      return rewrites.answer?.(passing) ?? {};
    },
  });
  return { services, seen };
}

function assertNoLeaks({ project }: Services, runs: readonly Run[], seen: readonly string[]): void {
  const sent = [...new Set(seen.flatMap(secretsIn))].filter((one) => one.length >= 4);
  const secrets = {
    'the shared secret': SHARED,
    'the registration secret': REGISTRATION,
    ...Object.fromEntries(sent.map((value, index) => [`secret ${index}`, value])),
  };
  const files = [...project.tree()].filter(([path]) => path !== 'vault_pass');
  const places = {
    ...Object.fromEntries(runs.map((one, index) => [`run ${index}`, one.stdout + one.stderr])),
    ...Object.fromEntries(files.map(([path, text]) => [path, text ?? path])),
  };
  assert.deepEqual(findLeaks(secrets, places), []);
}
