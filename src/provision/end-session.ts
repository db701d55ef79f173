// The one way to end a session that nobody wants. What the homeserver says to a logout is believed:
// MAS answers whoami for two minutes longer.
import { isFailure, withoutRetry, type Failure } from '../matrix/failure.ts';
import type { Homeserver } from '../matrix/homeserver.ts';
import type { HttpClient } from '../matrix/http.ts';
import { logout } from '../matrix/sessions.ts';
import type { Secret } from '../secret.ts';
import type { World } from './world.ts';

/** How often a logout is sent before it is left to the next run. */
const TRIES = 3;
const PAUSE_MS = 1000;
/** A homeserver that asks for more is left to the next run. */
const LONGEST_PAUSE_MS = 30_000;

export interface SessionContext {
  readonly client: HttpClient;
  readonly homeserver: Homeserver;
  readonly world: World;
}

/** Logs a session out, also while the run is being interrupted. Gives null, or why it may be open. */
export async function endSession(
  token: Secret,
  { client, homeserver, world }: SessionContext,
): Promise<Failure | null> {
  for (let tries = 1; ; tries++) {
    const result = await logout(client, homeserver, token);
    if (!isFailure(result)) return null;
    const pause = Math.max(PAUSE_MS * tries, result.retryAfterMs ?? 0);
    const isLast = tries >= TRIES || result.scope !== 'retry' || pause > LONGEST_PAUSE_MS;
    if (isLast) return { ...withoutRetry(result), scope: 'user' };
    await world.sleep(pause);
  }
}
