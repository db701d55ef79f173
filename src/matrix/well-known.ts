// Where a server name says that its homeserver is. Redirects are followed here and nowhere else,
// from https to https only; the answer is believed only within the server name, since passwords go
// where it points.
import { classifyFailure } from './answers.ts';
import { BASE_URL_PROBLEMS, isAtOrBelow, isLoopback, parseBaseUrl } from './base-url.ts';
import {
  FAILURE_CODES,
  homeserverFailure,
  isFailure,
  ofWholeHomeserver,
  type Failure,
  type KnownCode,
} from './failure.ts';
import type { HttpClient } from './http.ts';
import type { HttpResult } from './http-result.ts';
import { cleanServerText } from './server-text.ts';

const MOST_REDIRECTS = 5;

/** What is found for a server name; `none`: it has no well-known. */
export type WellKnown =
  { readonly kind: 'base_url'; readonly baseUrl: string } | { readonly kind: 'none' } | Failure;

/**
 * Asks the host of a server name for its homeserver: one request, plus those of redirects.
 * @see https://spec.matrix.org/v1.19/client-server-api/#well-known-uris
 */
export async function readWellKnown(client: HttpClient, host: string): Promise<WellKnown> {
  const url = `https://${host}/.well-known/matrix/client`;
  const result = await getFollowing(client, url);
  if (isFailure(result)) return result;
  if (result.kind === 'transport' || result.status !== 200) return readRefusal(result);
  const homeserver = result.json?.['m.homeserver'];
  const baseUrl = isRecord(homeserver) ? homeserver['base_url'] : undefined;
  if (typeof baseUrl !== 'string') {
    const found = result.json === null ? 'is not a JSON object' : 'has no m.homeserver.base_url';
    return wellKnownFailure('WELL_KNOWN', `${url} ${found}`);
  }
  return checkDiscovered(baseUrl, host, url);
}

/** Checks that a URL that nobody configured may get passwords. `source`: where it was found. */
export function checkDiscovered(text: string, host: string, source: string): WellKnown {
  const parsed = parseBaseUrl(text, { allowHttp: false });
  const shown = cleanServerText(text);
  if (parsed.kind === 'problem' && parsed.problem !== 'insecure') {
    const problem = BASE_URL_PROBLEMS[parsed.problem];
    return wellKnownFailure('WELL_KNOWN', `${source} names "${shown}", which ${problem}`);
  }
  const isTrusted =
    parsed.kind === 'base_url' && !isLoopback(parsed.host) && isAtOrBelow(parsed.host, host);
  if (isTrusted) return { kind: 'base_url', baseUrl: parsed.baseUrl };
  return homeserverFailure('FOREIGN_URL', {
    message: `${FAILURE_CODES.FOREIGN_URL}: ${source} names ${shown}, which is not https on ${host} or below it`,
    hint: `if you trust that address, set it for the host:\nmatrix_tokens_homeserver_url: ${shown}`,
  });
}

/** Gives a failure of discovery, with the way round it. */
export function wellKnownFailure(code: KnownCode, found: string): Failure {
  return homeserverFailure(code, {
    message: `${FAILURE_CODES[code]}: ${found}`,
    hint: 'mend it, or set matrix_tokens_homeserver_url to the address of the homeserver',
  });
}

async function getFollowing(client: HttpClient, url: string): Promise<HttpResult | Failure> {
  let next = url;
  for (let redirects = 0; ; redirects += 1) {
    const result = await client.request('GET', next);
    if (result.kind !== 'answer' || result.status < 300 || result.status > 399) return result;
    if (redirects === MOST_REDIRECTS) return wellKnownFailure('REDIRECT', tooMany(url));
    if (result.location?.startsWith('https://') !== true) return classifyFailure(result);
    next = result.location;
  }
}

function tooMany(url: string): string {
  return `${url} redirects more than ${MOST_REDIRECTS} times`;
}

function readRefusal(result: HttpResult): WellKnown {
  if (result.kind === 'answer' && result.status === 404) return { kind: 'none' };
  return ofWholeHomeserver(classifyFailure(result));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
