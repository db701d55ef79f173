// The words of a case about homeservers.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorAnswer } from '../../scripts/homeserver/answer.ts';
import type { HomeserverFault } from '../../scripts/homeserver/faults.ts';
import { startHomeserver } from '../../scripts/homeserver/homeserver.ts';
import type { Homeserver, HomeserverOptions } from '../../scripts/homeserver/homeserver.ts';
import { devicesOf, openSession } from '../../scripts/homeserver/state.ts';
import { SYNAPSE } from '../../scripts/homeserver/servers/synapse.ts';
import { makeCertificate } from './certificates.ts';
import type { Certificate } from './certificates.ts';
import type { Case } from './cli-case.ts';

/** Splits `key=value` words; a key may stand several times. */
function readPairs(args: readonly string[]): Map<string, string[]> {
  const pairs = new Map<string, string[]>();
  for (const arg of args) {
    const at = arg.indexOf('=');
    const [key, value] = [arg.slice(0, at), arg.slice(at + 1)];
    pairs.set(key, [...(pairs.get(key) ?? []), value]);
  }
  return pairs;
}

/**
 * `homeserver [as=NAME] [server_name=…] [software=…] [limit=address:PER_SECOND/BURST] [tls=FILE]
 * [flows=TYPE,…|none] [shared_secret_auth=SECRET] [registration_secret=SECRET]
 * user=LOCALPART:PASSWORD …` starts one; `$URL` (or `$URL_NAME`) is where it listens. With `tls` the
 * file receives the certificate that it has made for itself. `flows=none`: it has no /login.
 */
export async function startNamed(one: Case, args: readonly string[]): Promise<void> {
  const pairs = readPairs(args);
  const name = pairs.get('as')?.[0] ?? '';
  const software = pairs.get('software')?.[0] as HomeserverOptions['software'];
  const serverName = pairs.get('server_name')?.[0];
  const certificate = await certify(one, pairs.get('tls')?.[0]);
  const homeserver = await startHomeserver({
    users: (pairs.get('user') ?? []).map(readUser),
    rcLogin: Object.fromEntries((pairs.get('limit') ?? []).map(readLimit)),
    ...(software === undefined ? {} : { software }),
    ...(serverName === undefined ? {} : { serverName }),
    ...readLogins(pairs),
    ...(certificate === null ? {} : { tls: certificate }),
  });
  one.homeservers.set(name, homeserver);
  one.values.set(name === '' ? 'URL' : `URL_${name}`, homeserver.baseUrl);
}

function readLogins(pairs: ReadonlyMap<string, readonly string[]>): Partial<HomeserverOptions> {
  const flows = pairs.get('flows')?.[0];
  const secret = pairs.get('shared_secret_auth')?.[0];
  const registrationSecret = pairs.get('registration_secret')?.[0];
  const types = flows?.split(',').map((type) => ({ type })) ?? [];
  return {
    ...(flows === undefined ? {} : { flows: flows === 'none' ? null : types }),
    ...(secret === undefined ? {} : { sharedSecretAuth: { secret } }),
    ...(registrationSecret === undefined ? {} : { registrationSecret }),
  };
}

async function certify(one: Case, file: string | undefined): Promise<Certificate | null> {
  if (file === undefined) return null;
  const certificate = await makeCertificate();
  mkdirSync(dirname(join(one.work, file)), { recursive: true });
  writeFileSync(join(one.work, file), certificate.cert);
  return certificate;
}

function readUser(text: string): { localpart: string; password: string } {
  const at = text.indexOf(':');
  return { localpart: text.slice(0, at), password: text.slice(at + 1) };
}

function readLimit(text: string): [string, { per_second: number; burst_count: number }] {
  const [, name = '', perSecond, burst] = /^(\w+):([\d.]+)\/(\d+)$/.exec(text) ?? [];
  return [name, { per_second: Number(perSecond), burst_count: Number(burst) }];
}

/** Takes `as=NAME` from the words and gives that homeserver with the other words. */
export function pickNamed(one: Case, args: readonly string[]): [Homeserver, string[]] {
  const named = args.find((arg) => arg.startsWith('as='));
  const homeserver = one.homeservers.get(named?.slice(3) ?? '');
  if (homeserver === undefined) throw new Error('no such homeserver was started');
  return [homeserver, args.filter((arg) => arg !== named)];
}

/**
 * `fault METHOD PATH [nth=N] [cut=before|while|after|answering] [delay=MS] [late=MS] [status=N
 * errcode=CODE]`: what happens to the requests whose path ends so.
 */
export function addFault(one: Case, args: readonly string[]): void {
  const [{ faults }, [method = '', path = '', ...rest]] = pickNamed(one, args);
  const pairs = readPairs(rest);
  const value = (key: string): string | undefined => pairs.get(key)?.[0];
  const fault: HomeserverFault = {
    method,
    path: new RegExp(`${path}$`),
    ...(value('nth') === undefined ? {} : { nth: Number(value('nth')) }),
    ...(value('cut') === undefined ? {} : { cut: value('cut') as 'before' }),
    ...(value('delay') === undefined ? {} : { delayBeforeMs: Number(value('delay')) }),
    ...(value('late') === undefined ? {} : { delayAfterMs: Number(value('late')) }),
    ...(value('status') === undefined
      ? {}
      : {
          answer: errorAnswer(
            Number(value('status')),
            value('errcode') ?? 'M_UNKNOWN',
            value('error') ?? 'as the test wants it',
          ),
        }),
  };
  faults.push(fault);
}

/** `requests N [METHOD PATH]`: how many it has seen, of all or of those whose path ends so. */
export function checkRequests(one: Case, args: readonly string[]): void {
  const [homeserver, [count, method, path = '']] = pickNamed(one, args);
  const lines = homeserver.requests
    .filter((request) => method === undefined || request.method === method)
    .filter((request) => request.path.endsWith(path))
    .map((request) => `${request.method} ${request.path}`);
  assert.equal(lines.length, Number(count), `seen: ${lines.join(', ')}`);
}

/** `devices N LOCALPART`: how many sessions the user has. */
export function checkDevices(one: Case, args: readonly string[]): void {
  const [homeserver, [count, localpart = '']] = pickNamed(one, args);
  const ids = [...devicesOf(homeserver.state, `@${localpart}:${homeserver.serverName}`).keys()];
  assert.equal(ids.length, Number(count), `devices: ${ids.join(', ')}`);
}

/** `change-user LOCALPART locked|deactivated` */
export function changeUser(one: Case, args: readonly string[]): void {
  const [homeserver, [localpart = '', state]] = pickNamed(one, args);
  const user = homeserver.state.users.get(`@${localpart}:${homeserver.serverName}`);
  assert(user !== undefined, 'no such user');
  if (state === 'locked') user.locked = true;
  else user.deactivated = true;
}

/** `session NAME LOCALPART DEVICE`: the user logs in elsewhere; `$NAME` is the token. */
export function addSession(one: Case, args: readonly string[]): void {
  const [{ state, serverName }, [name = '', localpart = '', deviceId = '']] = pickNamed(one, args);
  const user = state.users.get(`@${localpart}:${serverName}`);
  assert(user !== undefined, 'no such user');
  const token = openSession(state, SYNAPSE, { user, deviceId, displayName: null });
  one.values.set(name, token);
  one.secrets.set(name, token);
}

/** Checks that a token is that of a user, and that its device is the one that is named. */
export function checkSession(
  homeserver: Homeserver,
  wanted: { readonly token: string; readonly localpart: string; readonly deviceId: string | null },
): void {
  const session = homeserver.state.sessions.get(wanted.token);
  assert(session !== undefined, 'the stored token is no session of the homeserver');
  assert.equal(session.user.localpart, wanted.localpart);
  if (wanted.deviceId !== null) assert.equal(session.device.deviceId, wanted.deviceId);
}
