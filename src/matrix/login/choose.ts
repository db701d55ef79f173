// Which of several ways to log in is taken: the one whose secret opens least, of those that the
// homeserver offers.
import { FAILURE_CODES, homeserverFailure, type Failure } from '../failure.ts';
import { missingPasswordFlow, type Homeserver } from '../homeserver.ts';
import type { LoginMethod } from './method.ts';

/** Gives the methods in the order in which `auto` tries them. */
export function byReach(methods: readonly LoginMethod[]): readonly LoginMethod[] {
  const rank = ({ secret }: LoginMethod): number => (secret.opens === 'user' ? 0 : 1);
  return methods.toSorted((a, b) => rank(a) - rank(b));
}

/** A method for one user, and why it is this one. */
export interface Choice {
  readonly method: LoginMethod;
  /** The login type that it uses. */
  readonly type: string;
  /** A sentence without a full stop. */
  readonly why: string;
}

/** Gives the first of the methods that the homeserver offers, or the failure of one that offers none. */
export function chooseLogin(
  methods: readonly LoginMethod[],
  homeserver: Homeserver,
): Choice | Failure {
  for (const method of methods) {
    const type = method.typeFor(homeserver);
    if (type !== null) return { method, type, why: whyChosen(method, type, methods) };
  }
  return missingFlow(methods, homeserver);
}

function whyChosen(method: LoginMethod, type: string, methods: readonly LoginMethod[]): string {
  const others = methods.filter((one) => one !== method).map((one) => one.words);
  const first = methods[0] === method ? 'opens the least' : 'is the first that is offered';
  const among = others.length === 0 ? '' : `, which ${first} (the other: ${others.join(', ')})`;
  return `logs in with ${method.words}${among}; the homeserver offers ${type}`;
}

function missingFlow(methods: readonly LoginMethod[], homeserver: Homeserver): Failure {
  if (homeserver.isOAuthOnly === true) return oauthOnly(homeserver);
  if (methods.every(({ name }) => name === 'password')) {
    return missingPasswordFlow(homeserver) ?? homeserverFailure('NO_PASSWORD_FLOW');
  }
  const offered = homeserver.flows.length === 0 ? 'nothing' : homeserver.flows.join(', ');
  const wanted = methods.map(({ words }) => words).join(' or ');
  return homeserverFailure('NO_LOGIN_FLOW', {
    message: `${FAILURE_CODES.NO_LOGIN_FLOW}: ${homeserver.baseUrl} offers ${offered}, none of which takes ${wanted}`,
  });
}

function oauthOnly({ baseUrl }: Homeserver): Failure {
  return homeserverFailure('OAUTH_ONLY', {
    message: `${FAILURE_CODES.OAUTH_ONLY}: ${baseUrl} has no /login`,
  });
}
