// A refused login says no more than "forbidden". One question without a token tells more.
import { isFailure, type Failure } from '../matrix/failure.ts';
import { profileExists } from '../matrix/sessions.ts';
import type { LoginWork } from '../preflight.ts';
import type { OpenHomeserver } from './homeservers.ts';

/** Gives a failure with what could be found out about it, and what to do. */
export async function explainFailure(
  failure: Failure,
  work: LoginWork,
  server: OpenHomeserver | Failure,
): Promise<{ failure: Failure; advice: string | null }> {
  if (failure.code !== 'M_FORBIDDEN' || isFailure(server)) return { failure, advice: null };
  const { userId, localpart, homeserver } = work.action.definition;
  const answer = await profileExists(server.client, server.homeserver, userId);
  if (answer === 'missing') {
    const message = `there seems to be no user ${userId} on ${homeserver.serverName}`;
    return {
      failure: { ...failure, code: 'USER_MISSING', message },
      advice: createUser(localpart),
    };
  }
  if (answer === 'exists') {
    const message = `the password of ${userId} is wrong (the user exists), or the user is deactivated`;
    return { failure: { ...failure, message }, advice: null };
  }
  return { failure, advice: null };
}

function createUser(localpart: string): string {
  return `create the user first, on Synapse for example:\nregister_new_matrix_user --no-admin -u '${localpart}' -c homeserver.yaml`;
}
