// Case 40 of the list in helpers/conformance-cases.ts, by the whole main job.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { SeenRequest } from '../scripts/homeserver/homeserver.ts';
import { HOST, servicesFor } from './helpers/provision-services.ts';
import type { Services } from './helpers/provision-services.ts';
import { outcomeOf, provisionInside } from './helpers/provision-world.ts';

const TYPE = 'com.devture.shared_secret_auth';
const SECRET = 'the secret of the module';

interface SharedSecretServices extends Services {
  /** Bodies of the logins, in their order. */
  readonly logins: () => Record<string, unknown>[];
}

/** Services that log in with the secret of their host, all into one file. */
async function prepare(t: TestContext, secret: string): Promise<SharedSecretServices> {
  const seen: SeenRequest[] = [];
  const services = await servicesFor(t, {
    names: ['a', 'b', 'c'],
    keys: ['login: shared_secret', 'vault_file: tokens.yml'],
    sharedSecretAuth: { secret: SECRET },
    onRequest: (request) => void seen.push(request),
  });
  const file = `host_vars/${HOST}/vars.yml`;
  const setting = `matrix_tokens_shared_secret_auth: {shared_secret: "${secret}"}\n`;
  await services.project.write(file, (await services.project.read(file)) + setting);
  const logins = (): Record<string, unknown>[] =>
    seen
      .filter(({ method, path }) => method === 'POST' && path.endsWith('/login'))
      .map(({ body }) => JSON.parse(body) as Record<string, unknown>);
  return { ...services, logins };
}

test('40: the token of a shared secret login is the HMAC over the full user ID', async (t) => {
  const services = await prepare(t, SECRET);
  const inside = await provisionInside(services);
  assert.equal(outcomeOf(inside, 'a'), 'changed');
  const tokens = services.logins().map(({ type, token }) => `${String(type)} ${String(token)}`);
  const expected = ['a', 'b', 'c'].map((name) => {
    const proof = createHmac('sha512', SECRET).update(`@${name}:example.com`).digest('hex');
    return `${TYPE} ${proof}`;
  });
  assert.deepEqual(new Set(tokens), new Set(expected));
  assert.equal(tokens.length, 3);
  assert.ok(services.logins().every((body) => !('password' in body)));
});

test('40: refused for two users, the shared secret is wrong for the whole homeserver', async (t) => {
  const services = await prepare(t, 'another secret');
  const inside = await provisionInside(services);
  assert.equal(services.logins().length, 2);
  for (const name of ['a', 'b', 'c']) assert.equal(outcomeOf(inside, name), 'failed M_FORBIDDEN');
});
