import type { TestContext } from 'node:test';
import { startHomeserver } from '../../scripts/homeserver/homeserver.ts';
import type { Homeserver, HomeserverOptions } from '../../scripts/homeserver/homeserver.ts';
import { devicesOf } from '../../scripts/homeserver/state.ts';

/** Starts an embedded homeserver that is stopped when the test ends. */
export async function homeserverFor(
  t: TestContext,
  options: HomeserverOptions = {},
): Promise<Homeserver> {
  const homeserver = await startHomeserver(options);
  t.after(() => homeserver.stop());
  return homeserver;
}

/** Gives the IDs of the devices that a user has now, sorted. */
export function deviceIds(homeserver: Homeserver, localpart: string): string[] {
  const userId = `@${localpart}:${homeserver.serverName}`;
  return [...devicesOf(homeserver.state, userId).keys()].toSorted();
}

/** Gives the log as lines such as `POST /_matrix/client/v3/login`. */
export function requestLines(homeserver: Homeserver): string[] {
  return homeserver.requests.map((request) => `${request.method} ${request.path}`);
}
