// The way to log in that is taken for one user on one homeserver, with its secret.
import type { ServiceDefinition } from '../definitions/types.ts';
import { formatPosition } from '../errors.ts';
import { isFailure, type Failure } from '../matrix/failure.ts';
import type { Homeserver } from '../matrix/homeserver.ts';
import { chooseLogin } from '../matrix/login/choose.ts';
import type { LoginMethod } from '../matrix/login/method.ts';
import { loginMethod } from '../matrix/login/registry.ts';
import type { LoginSecrets } from '../preflight/needed.ts';
import type { ReadSecret } from '../preflight/secrets.ts';

export interface ChosenLogin {
  readonly method: LoginMethod;
  readonly secret: ReadSecret;
  /** Why it is this one: a sentence without a full stop. */
  readonly why: string;
}

/** Chooses by what the definition has and the homeserver offers. */
export function chooseFor(
  { logins }: ServiceDefinition,
  secrets: LoginSecrets,
  homeserver: Homeserver,
): ChosenLogin | Failure {
  const methods = logins.filter((name) => secrets.has(name)).map(loginMethod);
  const choice = chooseLogin(methods, homeserver);
  if (isFailure(choice)) return choice;
  const secret = secrets.get(choice.method.name);
  if (secret === undefined) throw new Error('a way to log in without its secret was chosen');
  return { method: choice.method, secret, why: choice.why };
}

/** Names those who log in with the same secret, or each with one of the same kind. */
export function groupOf({ method, secret }: ChosenLogin): string {
  return method.secret.of === 'host' ? `${method.name} ${formatPosition(secret.at)}` : method.name;
}
