// Which path is whose. Old servers have the same endpoints under r0; v3 came with Matrix 1.1.
import { adminDevices } from './admin.ts';
import { PREFLIGHT } from './answer.ts';
import type { Answer } from './answer.ts';
import type { Call, Handler } from './call.ts';
import { deleteDevice, deleteDevices, getDevice, listDevices } from './devices.ts';
import { authMetadata, versions, wellKnown } from './discovery.ts';
import { login, loginFlows } from './login.ts';
import { logout, logoutAll } from './logout.ts';
import { profile } from './profile.ts';
import { register, registrationNonce } from './registration.ts';
import { whoami } from './whoami.ts';

interface Route {
  readonly pattern: RegExp;
  readonly handlers: Readonly<Partial<Record<string, Handler>>>;
}

const ROUTES: readonly Route[] = [
  { pattern: /^\/\.well-known\/matrix\/client$/, handlers: { GET: wellKnown } },
  { pattern: /^\/_matrix\/client\/versions$/, handlers: { GET: versions } },
  { pattern: /^\/_matrix\/client\/v1\/auth_metadata$/, handlers: { GET: authMetadata } },
  client('login', { GET: loginFlows, POST: login }),
  client('logout', { POST: logout }),
  client('logout/all', { POST: logoutAll }),
  client('account/whoami', { GET: whoami }),
  client('devices', { GET: listDevices }),
  client('devices/([^/]+)', { GET: getDevice, DELETE: deleteDevice }),
  client('delete_devices', { POST: deleteDevices }),
  client('profile/([^/]+)', { GET: profile }),
  {
    pattern: /^\/_synapse\/admin\/v1\/register$/,
    handlers: { GET: registrationNonce, POST: register },
  },
  {
    pattern: /^\/_synapse\/admin\/v2\/users\/([^/]+)\/devices$/,
    handlers: { GET: adminDevices },
  },
];

function client(path: string, handlers: Route['handlers']): Route {
  return { pattern: new RegExp(`^/_matrix/client/(?:r0|v3)/${path}$`), handlers };
}

/** Finds the endpoint of a request and gives its answer. `path` is as it came, still encoded. */
export async function route(call: Call, path: string): Promise<Answer> {
  if (call.method === 'OPTIONS') return PREFLIGHT;
  const { answers } = call.server.manner;
  if (!isServed(call, path)) return answers.unrecognized;
  for (const { pattern, handlers } of ROUTES) {
    const match = pattern.exec(path);
    if (match === null) continue;
    const handler = handlers[call.method === 'HEAD' ? 'GET' : call.method];
    if (handler === undefined) return answers.wrongMethod;
    return await handler({ ...call, params: match.slice(1).map(decode) });
  }
  return /^\/+_(?:matrix|synapse)(?:\/|$)/.test(path)
    ? answers.unrecognized
    : answers.noSuchResource;
}

/** A server whose versions are all older than 1.1 does not know v3. */
function isServed(call: Call, path: string): boolean {
  const isOld = !call.server.versions.some((version) => version.startsWith('v'));
  return !(isOld && path.startsWith('/_matrix/client/v3/'));
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
