import { isFailure, type Failure } from '../matrix/failure.ts';
import type { LoginWork } from '../preflight.ts';
import type { OpenHomeserver } from './homeservers.ts';

/** Gives what to do about a failure, or null where its own hint says it all. */
export async function adviseOn(
  failure: Failure,
  { action }: Pick<LoginWork, 'action'>,
  server: OpenHomeserver | Failure,
): Promise<string | null> {
  if (failure.code !== 'USER_MISSING' || isFailure(server)) return null;
  return createUser(action.definition.localpart);
}

function createUser(localpart: string): string {
  return `create the user first, on Synapse for example:\nregister_new_matrix_user --no-admin -u '${localpart}' -c homeserver.yaml`;
}
