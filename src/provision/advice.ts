// What an operator can do about a failure that depends on which software the homeserver is.
import type { PlaybookFacts } from '../definitions/types.ts';
import { isFailure, type Failure } from '../matrix/failure.ts';
import { softwareNamed, type Software } from '../matrix/software.ts';
import type { LoginWork } from '../preflight.ts';
import { masTokenCommands, rateLimitSetting, userCommand } from './commands.ts';
import type { OpenHomeserver } from './homeservers.ts';
import { newDeviceId } from './slot.ts';

type Work = Pick<LoginWork, 'action' | 'fixedDevice'>;

/** Gives what to do about a failure, or null where its own hint says it all. */
export async function adviseOn(
  failure: Failure,
  work: Work,
  server: OpenHomeserver | Failure,
): Promise<string | null> {
  if (isFailure(server)) return null;
  const { definition } = work.action;
  switch (failure.code) {
    case 'USER_MISSING':
    case 'REGISTER_NOT_OFFERED':
      return createUser(await softwareOf(server, definition.playbook), work, failure);
    case 'NO_LOGIN_FLOW':
    case 'NO_PASSWORD_FLOW':
    case 'OAUTH_ONLY':
      return makeToken(await softwareOf(server, definition.playbook), work, failure);
    default:
      return null;
  }
}

/** Gives a note on how those that a rate limit left over can be logged in, too. */
export async function adviseOnLimit(
  { action }: Pick<LoginWork, 'action'>,
  server: OpenHomeserver,
  deferred: number,
): Promise<string> {
  const { playbook, homeserver } = action.definition;
  const setting = rateLimitSetting(await softwareOf(server, playbook), playbook);
  const advice = describePace(homeserver.serverName, server, deferred);
  return setting === null
    ? advice
    : `${advice}, or raise the limit while you provision, ${setting}`;
}

/** A play has no options. */
const IN_VARS = '(in vars: matrix_tokens_max_wait)';
/** The most that --max-wait takes, in seconds. */
const MOST_WAIT_S = 86_400;

function describePace(name: string, { queue }: OpenHomeserver, deferred: number): string {
  const intervalMs = queue.intervalMs();
  const begin = `${name} limits how often somebody logs in`;
  if (intervalMs === null)
    return `${begin}: run again later, or allow more with --max-wait ${IN_VARS}`;
  const pace = `${begin}, to about once in ${Math.max(1, Math.round(intervalMs / 1000))} s`;
  // Waits are rounded up, each on its own.
  const needed = Math.ceil((deferred * intervalMs * 1.02) / 10_000) * 10;
  const more = needed > MOST_WAIT_S ? '' : `, or allow more with --max-wait ${needed} ${IN_VARS}`;
  return `${pace}: run again later${more}`;
}

/** The playbook knows best what it installs; what stands before Synapse only the server tells. */
async function softwareOf(
  server: OpenHomeserver,
  playbook: PlaybookFacts,
): Promise<Software | null> {
  if (playbook.hasMas) return 'mas';
  const named = softwareNamed(playbook.implementation ?? '');
  return named === null || named === 'synapse' ? ((await server.software()) ?? named) : named;
}

function createUser(software: Software | null, { action }: Work, failure: Failure): string {
  const command = userCommand(software, action.definition);
  if (command !== null) return command;
  const example = userCommand('synapse', action.definition)?.split('\n').at(-1) ?? '';
  return `${failure.hint ?? 'create the user first'}; on Synapse for example:\n${example}`;
}

function makeToken(software: Software | null, work: Work, failure: Failure): string | null {
  const { definition, write } = work.action;
  if (software !== 'mas') {
    const isSynapse = software === 'synapse' && failure.code !== 'OAUTH_ONLY';
    return isSynapse ? SYNAPSE_WITHOUT_PASSWORDS : null;
  }
  const deviceId = work.fixedDevice ?? newDeviceId();
  const commands = masTokenCommands({ ...definition, deviceId, variables: write });
  const variable = write.accessToken.join(' → ');
  const isRouted = failure.code !== 'OAUTH_ONLY';
  const route = isRouted
    ? ''
    : 'let the reverse proxy route /login, /logout and /refresh to Matrix Authentication Service, or ';
  return `${route}make the token on the homeserver, and put what the second command makes of it into your vars as ${variable}:\n${commands}`;
}

const SYNAPSE_WITHOUT_PASSWORDS =
  'let Synapse accept passwords (`password_config: {enabled: true}`), or install its module shared_secret_auth and set `matrix_tokens_shared_secret_auth`; where neither may be, log the bot in with a browser once and put its token into your vars';
