// From a server name to a homeserver that is known to speak Matrix and what logins it offers. All
// of it is GET without a secret, so that an attempt can be repeated freely.
import { classifyFailure, errcodeOf, isSuccess } from './answers.ts';
import { BASE_URL_PROBLEMS, parseBaseUrl } from './base-url.ts';
import {
  FAILURE_CODES,
  homeserverFailure,
  isFailure,
  ofWholeHomeserver,
  type Failure,
} from './failure.ts';
import { endpointUrl, type Homeserver } from './homeserver.ts';
import type { HttpClient } from './http.ts';
import type { HttpResult } from './http-result.ts';
import { cleanLoginType } from './server-text.ts';
import { parseServerName } from './user-id.ts';
import { checkDiscovered, readWellKnown, wellKnownFailure } from './well-known.ts';

export interface DiscoveryRequest {
  readonly serverName: string;
  /** matrix_tokens_homeserver_url: wins over what would be discovered. */
  readonly configuredUrl?: string | undefined;
  /** matrix_tokens_allow_http: a configured URL may be http beyond loopback. */
  readonly allowHttp: boolean;
}

/**
 * Finds a homeserver: base URL, version of its API, login types. One attempt: a failure of scope
 * `retry` may be tried again.
 * @see https://spec.matrix.org/v1.19/client-server-api/#server-discovery
 */
export async function discoverHomeserver(
  request: DiscoveryRequest,
  client: HttpClient,
): Promise<Homeserver | Failure> {
  const found = await findBaseUrl(request, client);
  if (isFailure(found)) return found;
  const { baseUrl } = found;
  const versions = await readVersions(client, baseUrl);
  if (isFailure(versions)) return found.isGuess ? explainGuess(request, versions) : versions;
  const logins = await readLogins(client, { baseUrl, api: versions.api });
  if (isFailure(logins)) return logins;
  return { serverName: request.serverName, baseUrl, ...versions, ...logins };
}

interface FoundBaseUrl {
  readonly baseUrl: string;
  /** True if nothing but the server name speaks for it. */
  readonly isGuess: boolean;
}

async function findBaseUrl(
  request: DiscoveryRequest,
  client: HttpClient,
): Promise<FoundBaseUrl | Failure> {
  const { serverName, configuredUrl } = request;
  if (configuredUrl !== undefined) return useConfigured(configuredUrl, request.allowHttp);
  const host = parseServerName(serverName)?.host;
  const origin = `https://${host}`;
  if (host === undefined || !URL.canParse(origin)) {
    return wellKnownFailure('BAD_URL', `${serverName} is not a server name with an address`);
  }
  const wellKnown = await readWellKnown(client, host);
  if (isFailure(wellKnown)) return wellKnown;
  if (wellKnown.kind === 'base_url') return { baseUrl: wellKnown.baseUrl, isGuess: false };
  const guess = checkDiscovered(origin, host, 'the server name alone');
  return guess.kind === 'base_url' ? { baseUrl: guess.baseUrl, isGuess: true } : nothing(host);
}

function useConfigured(configuredUrl: string, allowHttp: boolean): FoundBaseUrl | Failure {
  const parsed = parseBaseUrl(configuredUrl, { allowHttp });
  if (parsed.kind === 'base_url') return { baseUrl: parsed.baseUrl, isGuess: false };
  const isInsecure = parsed.problem === 'insecure';
  return homeserverFailure('BAD_URL', {
    message: `${FAILURE_CODES.BAD_URL}: matrix_tokens_homeserver_url ${BASE_URL_PROBLEMS[parsed.problem]}`,
    hint: isInsecure ? 'use https, or set matrix_tokens_allow_http: true' : undefined,
  });
}

function nothing(host: string): Failure {
  const found = `https://${host}/.well-known/matrix/client is not there`;
  return wellKnownFailure('NO_HOMESERVER', found);
}

/** A guess that failed says more about the missing well-known than about the homeserver. */
function explainGuess({ serverName }: DiscoveryRequest, failure: Failure): Failure {
  const host = parseServerName(serverName)?.host ?? serverName;
  const { message, hint } = nothing(host);
  return { ...failure, code: 'NO_HOMESERVER', message: `${message}, and ${failure.message}`, hint };
}

type Versions = Pick<Homeserver, 'api' | 'software'>;

async function readVersions(client: HttpClient, baseUrl: string): Promise<Versions | Failure> {
  const result = await client.request('GET', `${baseUrl}/_matrix/client/versions`);
  const versions = isSuccess(result) ? result.json?.['versions'] : undefined;
  if (!Array.isArray(versions)) return ofWholeHomeserver(classifyFailure(result));
  const names = versions.filter((version) => typeof version === 'string');
  if (names.some((name) => name.startsWith('v1.'))) return { api: 'v3', ...softwareOf(result) };
  if (names.some((name) => name.startsWith('r0.'))) return { api: 'r0', ...softwareOf(result) };
  return homeserverFailure('UNSUPPORTED_VERSION', {
    message: `${FAILURE_CODES.UNSUPPORTED_VERSION}: ${result.request} names neither v1.* nor r0.*`,
  });
}

function softwareOf(result: HttpResult): Pick<Homeserver, 'software'> {
  return result.kind === 'answer' && result.software !== null ? { software: result.software } : {};
}

type Api = Pick<Homeserver, 'baseUrl' | 'api'>;

type Logins = Pick<Homeserver, 'flows' | 'isOAuthOnly'>;

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3login */
async function readLogins(client: HttpClient, api: Api): Promise<Logins | Failure> {
  const result = await client.request('GET', endpointUrl(api, '/login'));
  const flows = isSuccess(result) ? result.json?.['flows'] : undefined;
  if (Array.isArray(flows)) {
    return { flows: flows.map(typeOfFlow).filter((type) => type !== null) };
  }
  if (result.kind === 'answer' && errcodeOf(result) === 'M_UNRECOGNIZED') {
    return explainMissingLogin(client, api, ofWholeHomeserver(classifyFailure(result)));
  }
  return explainUnrouted(result, ofWholeHomeserver(classifyFailure(result)));
}

function typeOfFlow(flow: unknown): string | null {
  if (typeof flow !== 'object' || flow === null || !('type' in flow)) return null;
  // Whatever else stands there is neither looked for nor fit to be shown.
  return typeof flow.type === 'string' ? cleanLoginType(flow.type) : null;
}

/** @see https://spec.matrix.org/v1.19/client-server-api/#authentication-api-discovery */
async function explainMissingLogin(
  client: HttpClient,
  api: Api,
  failure: Failure,
): Promise<Logins | Failure> {
  const metadata = await client.request('GET', `${api.baseUrl}/_matrix/client/v1/auth_metadata`);
  if (!isSuccess(metadata) || metadata.json === null) return failure;
  return { flows: [], isOAuthOnly: true };
}

/** /versions was answered, so that it is only this path that leads somewhere else. */
function explainUnrouted(result: HttpResult, failure: Failure): Failure {
  if (failure.code !== 'NOT_MATRIX' || result.kind !== 'answer' || result.status < 400) {
    return failure;
  }
  const hint = 'let the reverse proxy route /_matrix/client/*/login as it does /versions';
  return { ...failure, message: `${failure.message}, though /versions is there`, hint };
}
