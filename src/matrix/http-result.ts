// What came of one request, and how an answer is read: secrets are wrapped as soon as they are
// parsed, and nothing else of what a server wrote is left lying open.
import { inspect, promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Secret } from '../secret.ts';
import { cleanMediaType, cleanProductName, cleanRetryAfter } from './server-text.ts';

const SECRET_KEYS = new Set([
  'access_token',
  'refresh_token',
  'login_token',
  'mac',
  'nonce',
  'token',
]);

export type TransportReason =
  | 'bad_token'
  | 'bad_url'
  | 'cancelled'
  | 'dns'
  | 'dns_for_now'
  | 'network'
  | 'protocol'
  | 'proxy'
  | 'refused'
  | 'reset'
  | 'timeout'
  | 'tls'
  | 'too_large';

/** An HTTP answer, of whatever status. Whatever prints it does not see `json` and `location`. */
export interface HttpAnswer {
  readonly kind: 'answer';
  /** Method, origin and path, for messages. */
  readonly request: string;
  readonly status: number;
  readonly retryAfter: string | null;
  /** The media type alone, in lower case. */
  readonly contentType: string | null;
  /** What the server calls itself in the Server header, without a version. */
  readonly software: string | null;
  /** Where a redirect leads, absolute. */
  readonly location: string | null;
  /** The body, if it is a JSON object; tokens in it are a `Secret`. */
  readonly json: Readonly<Record<string, unknown>> | null;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
}

/** No answer, or none that could be read to its end. */
export interface HttpTransport {
  readonly kind: 'transport';
  readonly request: string;
  readonly reason: TransportReason;
  /** False only if it is proved that the request did not reach the server. */
  readonly maybeExecuted: boolean;
  /** The code of the error, and whether a proxy stood between. */
  readonly detail: string;
}

export type HttpResult = HttpAnswer | HttpTransport;

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly method: string;
  readonly url: URL;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly receivedAt: number;
}

/** Names a request in messages: method, origin and path, never a query. */
export function describeRequest(method: string, url: URL): string {
  return `${method} ${url.origin}${url.pathname}`;
}

/**
 * Reads an answer. A body that is no JSON object, or is packed in a way that cannot be undone in
 * `maxBytes`, counts as none.
 */
export async function readAnswer(raw: RawAnswer, maxBytes: number): Promise<HttpAnswer> {
  const encoding = headerOf(raw, 'content-encoding');
  const body = await unpack(raw.body, encoding, maxBytes);
  const json = body === null ? null : parseObject(body.toString('utf8'));
  const location = resolveLocation(headerOf(raw, 'location'), raw.url);
  const shown = {
    kind: 'answer' as const,
    request: describeRequest(raw.method, raw.url),
    status: raw.status,
    retryAfter: cleanRetryAfter(headerOf(raw, 'retry-after') ?? ''),
    contentType: cleanMediaType(headerOf(raw, 'content-type') ?? ''),
    software: cleanProductName(headerOf(raw, 'server') ?? ''),
    receivedAt: raw.receivedAt,
  };
  const answer = { ...shown, location, json };
  return Object.defineProperties(answer, {
    location: { enumerable: false },
    json: { enumerable: false },
    [inspect.custom]: { value: () => shown },
  });
}

function headerOf(raw: RawAnswer, name: string): string | null {
  const value = raw.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

async function unpack(body: Buffer, encoding: string | null, max: number): Promise<Buffer | null> {
  if (encoding === null || encoding === 'identity') return body;
  if (encoding !== 'gzip' && encoding !== 'x-gzip') return null;
  try {
    return await promisify(gunzip)(body, { maxOutputLength: max });
  } catch {
    return null;
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text.replace(/^\ufeff/, ''), wrapSecret);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function wrapSecret(key: string, value: unknown): unknown {
  return SECRET_KEYS.has(key) && typeof value === 'string' ? new Secret(value) : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function resolveLocation(location: string | null, base: URL): string | null {
  return location !== null && URL.canParse(location, base.href)
    ? new URL(location, base).href
    : null;
}
