// Every captured request to a real server is sent to the embedded homeserver as that server; status,
// type, Retry-After and body of its answer have to be those of the captured one. Only what is random
// or a time is compared by its form.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { proxyPage } from '../scripts/homeserver/proxy.ts';
import type { Homeserver, HomeserverOptions } from '../scripts/homeserver/homeserver.ts';
import { addUser, openSession } from '../scripts/homeserver/state.ts';
import type { User } from '../scripts/homeserver/state.ts';
import { SERVERS } from '../scripts/homeserver/servers.ts';
import type { Software } from '../scripts/homeserver/servers.ts';
import { headerOf, readCaptures } from './helpers/captures.ts';
import type { Capture } from './helpers/captures.ts';
import { homeserverFor } from './helpers/homeserver.ts';
import { capturedAnswer, replay } from './helpers/replayed-captures.ts';

const LOGIN = '/_matrix/client/v3/login';
const captures = readCaptures();

/** Captures of what the embedded homeserver does not know, with the reason. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'as-whoami': 'appservices',
  flows: 'JSON web tokens and login tokens are switched on',
  'mas-login-refresh': 'refresh tokens, which nobody asks for',
  'refresh-login': 'refresh tokens, which nobody asks for',
  root: 'nobody asks for /',
};

/** What the captured server was like when it was asked. */
interface Given {
  readonly options?: HomeserverOptions;
  /** The captured token is that of a session on this device. */
  readonly device?: string;
  /** Devices that were there before. */
  readonly others?: readonly { readonly id: string; readonly name: string | null }[];
  /** The session has been looked at, and ended a second ago. */
  readonly ended?: boolean;
  readonly user?: Partial<Pick<User, 'locked' | 'deactivated'>>;
  /** So many logins before, with this password in place of the right one. */
  readonly before?: { readonly count: number; readonly password?: string };
}

const FIVE = { address: { per_second: 0.003, burst_count: 5 } };
const FAILURES = { failed_attempts: { per_second: 0.17, burst_count: 3 } };
const REGISTERS = { registrationSecret: 'of another server' };
const PUBLIC = { publicBaseUrl: 'https://matrix.hs.test/' };

const GIVEN: Readonly<Record<string, Given>> = {
  'dendrite-logout': { device: 'LABDEV' },
  'dendrite-register': { options: REGISTERS },
  'dendrite-register-nonce': { options: REGISTERS },
  'dendrite-register-taken': { options: REGISTERS },
  'dendrite-register-weak': { options: REGISTERS },
  'dendrite-register-wrong-mac': { options: REGISTERS },
  'device-new-devices': {
    device: 'NHSNRWDKYG',
    others: [{ id: 'SAMEDEV', name: 'first name' }],
  },
  'device-reuse-devices': { device: 'SAMEDEV', others: [{ id: 'SAMEDEV', name: 'first name' }] },
  'device-reuse-whoami-after-failed': { device: 'SAMEDEV' },
  'device-reuse-whoami-new': { device: 'SAMEDEV' },
  'device-reuse-whoami-old': { device: 'SAMEDEV' },
  'device-reuse-whoami-still': { device: 'SAMEDEV' },
  'flows-no-password': { options: { passwords: false } },
  'login-deactivated': { user: { deactivated: true } },
  'login-locked': { user: { locked: true } },
  'login-no-password-server': { options: { passwords: false } },
  'login-well-known': { options: PUBLIC },
  logout: { device: 'ONE' },
  'logout-all': { device: 'ONE', others: [{ id: 'TWO', name: null }] },
  'mas-logout': { device: 'LABDEV' },
  'mas-whoami-after-logout': { device: 'LABDEV', ended: true },
  'ratelimit-5th': { options: { rcLogin: FIVE }, before: { count: 4 } },
  'ratelimit-6th': { options: { rcLogin: FIVE }, before: { count: 5 } },
  'ratelimit-6th-again': { options: { rcLogin: FIVE }, before: { count: 5 } },
  'ratelimit-failed-attempts': {
    options: { rcLogin: FAILURES },
    before: { count: 3, password: 'nope' },
  },
  'ratelimit-flows': { options: { rcLogin: FIVE }, before: { count: 5 } },
  register: { options: REGISTERS },
  'register-nonce': { options: REGISTERS },
  'register-taken': { options: REGISTERS },
  'register-wrong-mac': { options: REGISTERS },
  'rotate-other-device-logout-old': { device: 'ROT1', others: [{ id: 'ROT2', name: null }] },
  'rotate-other-device-whoami-new': { device: 'ROT2' },
  'rotate-same-device-logout-old': { device: 'ROT' },
  'well-known': { options: PUBLIC },
  'whoami-after-password-reset': { device: 'PRPNGYHESI' },
  'whoami-locked': { device: 'D', user: { locked: true } },
  'whoami-newline': { device: 'SAMEDEV' },
  'whoami-ok': { device: 'SAMEDEV' },
  'whoami-query-token': { device: 'SAMEDEV' },
  'whoami-suspended': { device: 'UIHLERYOES' },
};

/** Captures of a Synapse that leaves logins to a MAS that did not answer. */
const MAS_WAS_DOWN = ['auth-metadata-mas', 'flows-mas', 'login-mas', 'whoami-mas-down'];

function softwareOf({ case: name, server }: Capture): Software | null {
  if (MAS_WAS_DOWN.includes(name)) return 'mas_unreachable';
  if (/^(?:matrix-s|S)ynapse/.test(server)) return 'synapse';
  if (server.startsWith('Dendrite')) return 'dendrite';
  return server.startsWith('MAS') ? 'mas' : null;
}

function serverNameOf(software: Software): string {
  return { dendrite: 'den.test', mas: 'mas.test' }[software as string] ?? 'hs.test';
}

/** The user whom the answer names, or else the request. */
function localpartOf({ request, response }: Capture): string {
  const answered = /"user_id":"@([^:"]+):/.exec(response.body)?.[1];
  return answered ?? /"user":"@?(bot\d+)/i.exec(request.body ?? '')?.[1]?.toLowerCase() ?? 'bot1';
}

function tokenOf({ request }: Capture): string | null {
  const inQuery = /access_token=([^&]+)/.exec(request.path)?.[1];
  const header = /^Bearer (\S+)/.exec(String(request.headers?.['Authorization'] ?? ''))?.[1];
  return header ?? inQuery ?? null;
}

async function prepare(
  server: Homeserver,
  capture: Capture,
  software: Software,
  { device, others = [], ended, user: change, before }: Given,
): Promise<void> {
  const localpart = localpartOf(capture);
  const password = software === 'synapse' ? `pw-${localpart}` : `pw-${localpart}-Aa1`;
  const user = addUser(server.state, server.serverName, { localpart, password });
  Object.assign(user, change);
  for (const { id, name } of others) {
    const session = server.state.sessions.get(open(server, software, user, id, name));
    if (session !== undefined) session.device.lastSeen = { at: 1, address: '127.0.0.1' };
  }
  const token = tokenOf(capture);
  if (device !== undefined && token !== null) {
    const made = open(server, software, user, device, null);
    const session = server.state.sessions.get(made);
    assert.ok(session !== undefined);
    session.lookedAt = true;
    server.state.sessions.delete(made);
    if (ended === true) server.state.ended.set(token, { session, at: server.state.now() - 1000 });
    else server.state.sessions.set(token, session);
  }
  for (let i = 0; i < (before?.count ?? 0); i += 1) {
    const identifier = { type: 'm.id.user', user: localpart };
    const body = { type: 'm.login.password', identifier, password: before?.password ?? password };
    await fetch(`${server.baseUrl}${LOGIN}`, { method: 'POST', body: JSON.stringify(body) });
  }
}

interface RegistrationBody {
  readonly nonce: string;
  readonly username: string;
  readonly password: string;
  readonly user_type?: string;
}

function registrationIn({ request }: Capture): RegistrationBody | null {
  const isOne = request.path === '/_synapse/admin/v1/register' && request.method === 'POST';
  return isOne ? (JSON.parse(request.body ?? '') as RegistrationBody) : null;
}

function prepareRegistration(server: Homeserver, body: RegistrationBody, name: string): void {
  server.state.nonces.set(body.nonce, server.state.now() + 1000);
  const { username, password } = body;
  if (name.endsWith('taken'))
    addUser(server.state, server.serverName, { localpart: username, password });
}

/** The secret of the captured server is not known: with ours, a right MAC is another one. */
function withOurMac(capture: Capture, body: RegistrationBody, software: Software): Capture {
  if (capture.response.status === 403) return capture;
  const type = software === 'dendrite' || body.user_type === undefined ? [] : [body.user_type];
  const parts = [body.nonce, body.username, body.password, 'notadmin', ...type];
  const hmac = createHmac('sha1', REGISTERS.registrationSecret).update(parts.join('\0'));
  const changed = { ...body, mac: hmac.digest('hex') };
  return { ...capture, request: { ...capture.request, body: JSON.stringify(changed) } };
}

function open(
  server: Homeserver,
  software: Software,
  user: User,
  deviceId: string,
  displayName: string | null,
): string {
  return openSession(server.state, SERVERS[software], { user, deviceId, displayName });
}

const NAMED_DEVICE = /whoami|devices/;

for (const [name, capture] of captures) {
  const software = softwareOf(capture);
  if (software === null || name in ELSEWHERE) continue;
  test(`${name}: ${software} answers as it did`, async (t) => {
    const given = GIVEN[name] ?? {};
    const serverName = serverNameOf(software);
    const server = await homeserverFor(t, { software, serverName, ...given.options });
    const registration = registrationIn(capture);
    if (registration === null) await prepare(server, capture, software, given);
    else prepareRegistration(server, registration, name);
    const asked = registration === null ? capture : withOurMac(capture, registration, software);
    assert.deepEqual(await replay(server, asked), capturedAnswer(capture));
    if (given.device === undefined || !NAMED_DEVICE.test(name)) return;
    // There the device is the one that the session was opened on.
    assert.ok(capture.response.body.includes(given.device) || capture.response.status !== 200);
  });
}

const PROXIES = { nginx: 'nginx', Caddy: 'caddy' } as const;

test('the pages of nginx and Caddy are those that they gave', () => {
  const seen: string[] = [];
  for (const [name, { server, response }] of captures) {
    const kind = PROXIES[server.split(' ')[0] as keyof typeof PROXIES] as 'nginx' | undefined;
    if (kind === undefined) continue;
    seen.push(name);
    const page = proxyPage(kind, response.status);
    assert.equal(page.body, response.body, name);
    for (const [header, value] of Object.entries(page.headers)) {
      assert.equal(headerOf(response.headers, header.toLowerCase()), value, name);
    }
  }
  assert.equal(seen.length, 10);
});

test('every capture is replayed, or said to be of something else', () => {
  for (const name of [...Object.keys(ELSEWHERE), ...Object.keys(GIVEN), ...MAS_WAS_DOWN]) {
    assert.ok(captures.has(name), `there is no capture ${name}`);
  }
  const replayed = [...captures].filter(([name, one]) => {
    return softwareOf(one) !== null && !(name in ELSEWHERE);
  });
  assert.ok(replayed.length > 90, `${replayed.length}`);
});
