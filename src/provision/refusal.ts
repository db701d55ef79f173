// A refused login says no more than "forbidden". One question without a token tells more.
import type { Failure } from '../matrix/failure.ts';
import { profileExists } from '../matrix/sessions.ts';
import type { LoginWork } from '../preflight.ts';
import type { SessionContext } from './end-session.ts';
import type { ChosenLogin } from './logins.ts';

/** Gives a failure with what could be found out about it: USER_MISSING for a user that is missing. */
export async function judgeRefusal(
  failure: Failure,
  { action }: Pick<LoginWork, 'action'>,
  { client, homeserver, login }: SessionContext & { readonly login: ChosenLogin },
): Promise<Failure> {
  if (failure.code !== 'M_FORBIDDEN') return failure;
  const { userId } = action.definition;
  const { noun, of } = login.method.secret;
  switch (await profileExists(client, homeserver, userId)) {
    case 'missing': {
      const message = `there seems to be no user ${userId} on ${homeserver.serverName}`;
      // Whoever is missing says nothing of a secret that is the same for all.
      return { ...failure, code: 'USER_MISSING', message, onRepeat: undefined, hint: undefined };
    }
    case 'exists': {
      const whose = of === 'service' ? `the ${noun} of ${userId}` : `the ${noun}`;
      const message = `${whose} is wrong (the user exists), or the user is deactivated`;
      return { ...failure, message: of === 'service' ? message : `${userId}: ${message}` };
    }
    case 'unknown':
      return failure;
  }
}
