// From what is known and what was done to the lines of the report.
import type { Assessment, WaitingSession } from '../assess.ts';
import type { ServiceDefinition, UnwantedService, VariablePath } from '../definitions/types.ts';
import { formatPosition } from '../errors.ts';
import { FAILURE_CODES, isFailure, type Failure } from '../matrix/failure.ts';
import { loginMethod } from '../matrix/login/registry.ts';
import type { Action } from '../plan/types.ts';
import { blankOutcome, type Leftover, type Outcome } from '../report/types.ts';
import type { LoginWork } from '../preflight.ts';
import type { Created } from './creations.ts';
import type { ChosenLogin } from './logins.ts';

/** Gives the outcome of every service of which nothing had to be done, or could not be known. */
export function settledOutcomes(assessment: Assessment): Outcome[] {
  const { actions, unwanted, unknown } = assessment;
  return [
    ...unwanted.map((one) => ({
      ...nothing(one),
      outcome: 'skipped' as const,
      server_name: one.serverName,
      message: one.reason,
    })),
    ...unknown.map((one) => ({
      ...nothing(one),
      outcome: 'unknown' as const,
      message: one.reason,
      code: 'CLOSED_VAULT',
    })),
    ...actions.flatMap((action): Outcome[] => {
      if (action.kind === 'present') {
        return [{ ...describeAction(action), outcome: 'ok', message: 'the token is there' }];
      }
      if (action.kind === 'login') return [];
      return [
        {
          ...describeAction(action),
          outcome: 'unknown',
          message: action.reason,
          code: 'CLOSED_VAULT',
        },
      ];
    }),
  ];
}

/** Gives the outcome that a login would have, for check mode. */
export function pendingOutcome(action: Extract<Action, { kind: 'login' }>): Outcome {
  return {
    ...describeAction(action),
    outcome: 'changed',
    message: describePending(action),
    variables: writtenVariables(action),
  };
}

/** Which way is taken only the homeserver decides, and nobody is asked. */
function describePending({ definition, reason }: Extract<Action, { kind: 'login' }>): string {
  const { logins, homeserver, registerAs } = definition;
  const words = logins.map((name) => loginMethod(name).words);
  const isUsual = logins.length === 1 && logins[0] === 'password';
  const how = isUsual ? '' : ` with ${words.join(', or else ')}`;
  const as = registerAs === 'admin' ? ', as a server administrator' : '';
  const maker = homeserver.register === null ? '' : `; would create the user if it is missing${as}`;
  return `would log in${how}: ${reason}${maker}`;
}

/** Gives the outcome of a login that was not begun before the run was interrupted. */
export function interruptedOutcome(action: Extract<Action, { kind: 'login' }>): Outcome {
  return {
    ...describeAction(action),
    outcome: 'failed',
    message: FAILURE_CODES.INTERRUPTED,
    code: 'INTERRUPTED',
  };
}

/** Gives the outcome of a login whose token is stored. */
export function storedOutcome(
  { action }: Pick<LoginWork, 'action'>,
  login: ChosenLogin | Failure,
  created: Created | null,
): Outcome {
  const made = created?.certainty === 'sure' ? 'created the user, ' : '';
  // A password goes without saying.
  const isUsual = isFailure(login) || login.method.name === 'password';
  const how = isUsual ? '' : ` with ${login.method.words}`;
  return {
    ...describeAction(action),
    outcome: 'changed',
    message: `${made}logged in${how} and stored`,
    variables: writtenVariables(action),
  };
}

/** Gives the outcome of a login that failed. */
export function failedOutcome(
  work: LoginWork,
  failure: Failure,
  { login, advice }: { readonly login: ChosenLogin | Failure; readonly advice: string | null },
): Outcome {
  const { definition } = work.action;
  const isRefused = failure.code === 'M_FORBIDDEN' && !isFailure(login);
  const place = isRefused
    ? `; the ${login.method.secret.noun} is that of ${formatPosition(login.secret.at)}`
    : '';
  return {
    ...describeAction(work.action),
    outcome: failure.outcome,
    message: `${failure.message}${place}`,
    code: failure.code,
    hint: advice ?? failure.hint ?? null,
    user_id: definition.userId,
  };
}

/** Gives the sessions that still wait, with why. */
export function describeLeftovers(
  sessions: readonly WaitingSession[],
  reasonOf: (session: WaitingSession) => string,
): Leftover[] {
  // Several logins of a device that somebody fixed are one session to be removed.
  const leftovers = new Map<string, Leftover>();
  for (const session of sessions) {
    const { host, service, user_id, device_id } = session.entry;
    const key = JSON.stringify([host, service, user_id, device_id]);
    leftovers.set(key, { host, service, user_id, device_id, message: reasonOf(session) });
  }
  return [...leftovers.values()];
}

function describeAction({ definition, target }: Action): Outcome {
  return {
    ...nothing(definition),
    ...identity(definition),
    file: target.shown,
  };
}

function identity(
  definition: ServiceDefinition,
): Pick<Outcome, 'user_id' | 'server_name' | 'install_tag'> {
  return {
    user_id: definition.userId,
    server_name: definition.homeserver.serverName,
    install_tag: definition.installTag,
  };
}

function writtenVariables({ write }: Extract<Action, { kind: 'login' }>): string[] {
  return [write.accessToken, write.deviceId]
    .filter((path): path is VariablePath => path !== null)
    .map((path) => path.join('.'));
}

function nothing({ host, name, at }: Pick<UnwantedService, 'host' | 'name' | 'at'>): Outcome {
  return blankOutcome({ host: host.name, service: name, defined_at: at });
}
