// A homeserver as discovery found it, and the addresses of its client-server API.
import { FAILURE_CODES, homeserverFailure, type Failure } from './failure.ts';

export interface Homeserver {
  readonly serverName: string;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** The version in the paths of its API. */
  readonly api: 'v3' | 'r0';
  /** The login types that it offers. */
  readonly flows: readonly string[];
  /** True: it has no `/login` at all, but the OAuth 2.0 API. */
  readonly isOAuthOnly?: boolean;
  /** What it calls itself, such as `Synapse`; absent: it does not say, or something else answers. */
  readonly software?: string;
}

/** Gives the URL of an endpoint, such as `/login`, whose parts are percent-encoded already. */
export function endpointUrl(homeserver: Pick<Homeserver, 'baseUrl' | 'api'>, path: string): string {
  return `${homeserver.baseUrl}/_matrix/client/${homeserver.api}${path}`;
}

/**
 * Gives the failure of a homeserver that does not offer a login with a password, so that none is
 * sent there; null if it does.
 */
export function missingPasswordFlow(homeserver: Homeserver): Failure | null {
  if (homeserver.flows.includes('m.login.password')) return null;
  const offered = homeserver.flows.length === 0 ? 'nothing' : homeserver.flows.join(', ');
  const isSso = homeserver.flows.includes('m.login.sso');
  const kind = isSso ? ', but single sign-on (SSO)' : '';
  return homeserverFailure('NO_PASSWORD_FLOW', {
    message: `${FAILURE_CODES.NO_PASSWORD_FLOW}${kind}: ${homeserver.baseUrl} offers ${offered}`,
    hint: 'let the homeserver accept passwords (on Synapse: password_config.enabled), or put a token into your vars',
  });
}
