// Cases 61 and 62 of the list in helpers/conformance-cases.ts: error paths × channels × forms. How
// to add a path: helpers/secrecy.ts.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { hidesSecret, redact, Secret } from '../src/secret.ts';
import { cleanServerText } from '../src/matrix/server-text.ts';
import { makeCertificate } from './helpers/certificates.ts';
import { findLeaks } from './helpers/provision-leaks.ts';
import { putProxyBefore } from './helpers/provision-proxy.ts';
import { useVaultScript } from './helpers/provision-vault-script.ts';
import type { ServicesOptions } from './helpers/provision-services.ts';
import { servicesFor } from './helpers/provision-services.ts';
import { ansibleSkip } from './helpers/python.ts';
import { echoing, formsFor, secrecyServices } from './helpers/secrecy.ts';
import type { ErrorPath } from './helpers/secrecy.ts';
import { FORM_NAMES, forHeader, inForm } from './helpers/secret-forms.ts';
import { watchProcesses } from './helpers/watched-processes.ts';

const VAULT_PASSWORD = "cänary 'of' the/vault+password=";
const LOGIN = /^POST .*\/login$/;
/** The first login is lost, so that its session has to be removed. */
const LOST = [{ method: 'POST', path: /\/login$/, nth: 1, cut: 'after' }] as const;

const REGISTER = /^POST .*\/register$/;
const MODULE_SECRET = 'cänary of "the/module" + & 100%';
const SHARED_SECRET: Pick<ErrorPath, 'options' | 'vars'> = {
  options: {
    sharedSecretAuth: { secret: MODULE_SECRET },
    keys: ['login: shared_secret'],
  },
  vars: [`matrix_tokens_shared_secret_auth: {shared_secret: ${JSON.stringify(MODULE_SECRET)}}`],
};
const MISSING: ServicesOptions = { isMissing: true };

const ERROR_PATHS: Readonly<Record<string, ErrorPath>> = {
  'the versions are refused': { on: /^GET .*\/versions$/, status: 403 },
  'the versions are secrets': { on: /^GET .*\/versions$/, status: 200 },
  'the login types are secrets': { on: /^GET .*\/login$/, status: 200 },
  'the login types are refused': { on: /^GET .*\/login$/, status: 404, errcode: 'M_UNRECOGNIZED' },
  'the password is refused': { on: LOGIN, status: 403 },
  'the password is refused, with the profile': { on: /^POST .*login$|profile/, status: 403 },
  'the user is locked': { on: LOGIN, status: 401, errcode: 'M_USER_LOCKED' },
  'the user is not there': { on: LOGIN, status: 404, errcode: 'M_NOT_FOUND' },
  'the code is of its own': { on: LOGIN, status: 403, errcode: 'COM.EXAMPLE_NO' },
  'the code is a secret': { on: LOGIN, status: 403, errcode: ([first]) => first ?? '' },
  'the request is refused': { on: LOGIN, status: 400, errcode: 'M_UNKNOWN' },
  'a status that nobody knows': { on: LOGIN, status: 418, errcode: 'M_TEAPOT' },
  'a rate limit': {
    on: LOGIN,
    status: 429,
    errcode: 'M_LIMIT_EXCEEDED',
    headers: ({ headerText }) => ({ 'retry-after': headerText }),
    vars: ['matrix_tokens_max_wait: 0'],
  },
  'a redirect': { on: LOGIN, status: 307 },
  'a server error': { on: LOGIN, status: 500, errcode: 'M_UNKNOWN' },
  'a page of a gateway': {
    on: LOGIN,
    status: 502,
    headers: () => ({ 'content-type': 'text/html' }),
    body: ({ text, secrets }) => `<html><title>${text}</title>${secrets.join('<br>')}</html>`,
  },
  'a page with a media type of its own': {
    on: LOGIN,
    status: 400,
    headers: ({ headerText }) => ({ 'content-type': `text/${headerText.replaceAll(/\W/g, '')}` }),
    body: ({ text }) => text,
  },
  'JSON that is cut off': { on: LOGIN, body: ({ passing }) => passing.body.slice(0, -2) },
  'a session of somebody else': {
    on: LOGIN,
    body: ({ passing, text }) => change(passing.body, { user_id: `@${text}:example.com` }),
  },
  'a session of another device': {
    on: LOGIN,
    body: ({ passing, text }) => change(passing.body, { device_id: forHeader(text) }),
  },
  'a session without a user': {
    on: LOGIN,
    body: ({ passing, text }) => change(passing.body, { user_id: [text], [text]: text }),
  },
  'a token that cannot be stored': {
    on: LOGIN,
    body: ({ passing, text }) => change(passing.body, { access_token: `{{${text}}}` }),
  },
  'a session that cannot be logged out': {
    on: /^POST .*\/(?:login|logout)$/,
    status: 200,
    body: ({ passing, text }) => change(passing.body, { device_id: 'OTHER', error: text }),
  },
  'the stored token is not known': { on: /\/whoami$/, status: 403, faults: LOST },
  'the stored token is of somebody else': {
    on: /\/whoami$/,
    faults: LOST,
    body: ({ text }) => JSON.stringify({ user_id: text, device_id: text }),
  },
  'the devices are refused': { on: /\/devices$/, status: 403, faults: LOST },
  'the devices are secrets': {
    on: /\/devices$/,
    faults: LOST,
    body: ({ text }) => JSON.stringify({ devices: [{ device_id: text }, { id: text }] }),
  },
  'the removal is refused': { on: /\/delete_devices$/, status: 401, faults: LOST },
  'the logout of a lost session is refused': {
    on: /\/logout$/,
    status: 403,
    faults: LOST,
    options: { software: 'mas' },
  },
  'the shared secret is refused': { on: LOGIN, status: 403, ...SHARED_SECRET },
  'a shared secret login that nobody understands': { on: LOGIN, status: 418, ...SHARED_SECRET },
  'the devices of a shared secret are not removed': {
    on: /\/delete_devices$/,
    status: 401,
    faults: LOST,
    ...SHARED_SECRET,
  },
  'the nonce is refused': { on: /^GET .*\/register$/, status: 403, options: MISSING },
  'the nonce is strange': { on: /^GET .*\/register$/, status: 200, options: MISSING },
  'the creation is refused': { on: REGISTER, status: 403, options: MISSING },
  'the creation is refused for its content': {
    on: REGISTER,
    status: 400,
    errcode: 'M_INVALID_USERNAME',
    options: MISSING,
  },
  'the creation made somebody else': {
    on: REGISTER,
    options: MISSING,
    body: ({ passing, text }) => change(passing.body, { user_id: `@${text}:example.com` }),
  },
  'the session of a creation cannot be logged out': {
    on: /\/logout$/,
    status: 500,
    options: MISSING,
  },
};

function change(body: string, changes: object): string {
  try {
    return JSON.stringify({ ...(JSON.parse(body) as object), ...changes });
  } catch {
    return body;
  }
}

for (const [index, [name, path]] of Object.entries(ERROR_PATHS).entries()) {
  const args = index % 2 === 0 ? ['-v', '-D'] : ['-v', '--json'];
  test(`62: ${name}: of what the homeserver hands back nothing is told, ${args.join(' ')}`, async (t) => {
    const forms = formsFor(name === 'the password is refused' ? 'all' : index);
    const services = await secrecyServices(t, path, { vaultPassword: VAULT_PASSWORD, forms });
    const found = new Set<string>();
    const rewrites = echoing(path, found, services);
    await putProxyBefore(t, services.project, services.homeserver, rewrites);
    await assertNoLeaks(t, services, args, found);
  });
}

const FEW = { vaultPassword: VAULT_PASSWORD, forms: [0, 1] };

test('61: every failure of a login without any echo tells no secret either', async (t) => {
  for (const answer of [{ cut: 'before' }, { cut: 'answering' }] as const) {
    const services = await secrecyServices(t, { on: LOGIN }, FEW);
    services.homeserver.faults.push({ method: 'POST', path: /\/login$/, ...answer });
    await assertNoLeaks(t, services, ['-v'], new Set());
  }
});

const CERTIFIED = { names: ['news'], vaultPassword: VAULT_PASSWORD };
const skip = await ansibleSkip();

test('62: a certificate that names secrets tells none', { skip }, async (t) => {
  const password = 'canary-of-a-certificate';
  const names = [password, inForm('hex', password), `${inForm('base64url', password)}.test`];
  const tls = await makeCertificate({ names });
  for (const args of [['-v'], ['-v', '--json']]) {
    const services = await servicesFor(t, { ...CERTIFIED, password, tls });
    await assertNoLeaks(t, services, args, new Set([password]));
  }
});

test('62: a text of a server in which a secret stands in any form is not shown', () => {
  const secret = 'cänary "in/any" form+of=it & 100%';
  const known = new Secret(secret);
  for (const form of FORM_NAMES) {
    for (const around of ['', 'Invalid password: ', 'xx']) {
      const shown = cleanServerText(`${around}${inForm(form, known.reveal())} for the user`);
      assert.deepEqual(findLeaks({ secret }, { shown }), [], `${form} after "${around}"`);
    }
  }
});

test('62: forms of forms are found, and ordinary texts are not taken for them', () => {
  const secret = new Secret('canary/of+two==forms');
  // What is put in capitals is no base64 any more.
  for (const outer of FORM_NAMES.filter((form) => form !== 'capitals')) {
    for (const inner of FORM_NAMES) {
      const text = redact(inForm(outer, inForm(inner, secret.reveal())));
      assert.ok(text.includes('<redacted>') || hidesSecret(text), `${outer} of ${inner}`);
    }
  }
  for (const text of [
    'Invalid username or password',
    'M_LIMIT_EXCEEDED: Too Many Requests',
    'dGhpcyBpcyBub25l is base64, 6e6f6e65 is hex, %20 a space, &amp; a sign',
  ]) {
    assert.equal(cleanServerText(text), text);
  }
});

test('61: the search finds a secret in every form', () => {
  const secret = 'cänary "1+2/3&4=5"';
  for (const form of FORM_NAMES) {
    const text = `before ${inForm(form, secret)} after`;
    assert.notDeepEqual(findLeaks({ secret }, { text }), [], form);
  }
  assert.deepEqual(findLeaks({ secret }, { text: 'cänary 1 2 3 4 5' }), []);
});

/** Runs, and looks at everything that came out of it and everything that could be seen meanwhile. */
async function assertNoLeaks(
  t: TestContext,
  { project, homeserver, names }: Awaited<ReturnType<typeof secrecyServices>>,
  args: readonly string[],
  found: ReadonlySet<string>,
): Promise<void> {
  const outside = await mkdtemp(join(tmpdir(), 'matrix-tokens-outside-'));
  t.after(() => rm(outside, { recursive: true }));
  await useVaultScript(project, outside, VAULT_PASSWORD);
  let processes = (): Readonly<Record<string, string>> => ({});
  const run = await project.run(args, {
    env: { TMPDIR: project.folder },
    preload: { speed: 20 },
    onStart: (child) => {
      processes = watchProcesses(child);
    },
  });
  assert.match(String(run.exitCode), /^[0134]$/, run.stderr);
  const { sessions, ended, users } = homeserver.state;
  const passwords = names.flatMap((name) => users.get(`@${name}:example.com`)?.password ?? []);
  const all = new Set([
    VAULT_PASSWORD,
    ...passwords,
    ...sessions.keys(),
    ...ended.keys(),
    ...found,
  ]);
  const secrets = Object.fromEntries([...all].map((secret, index) => [`secret ${index}`, secret]));
  const seen = processes();
  assert.ok(Object.keys(seen).length > 1, 'the run was watched');
  const places = {
    stdout: run.stdout,
    stderr: run.stderr,
    'what a child sees': await readFile(join(outside, 'seen')),
    ...seen,
    ...Object.fromEntries([...project.tree()].map(([path, text]) => [path, text ?? path])),
  };
  assert.deepEqual(findLeaks(secrets, places), []);
}
