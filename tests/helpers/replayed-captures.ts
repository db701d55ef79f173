// Sends a captured request to another server, and makes the answers comparable: what is random or a
// time is compared by its form.
import type { Homeserver } from '../../scripts/homeserver/homeserver.ts';
import { headerOf, type Capture } from './captures.ts';

export interface Comparable {
  readonly status: number;
  readonly contentType: string | null;
  readonly retryAfter: string | null;
  readonly body: unknown;
}

/** Sends the captured request; gives what came back. */
export async function replay(server: Homeserver, { request }: Capture): Promise<Comparable> {
  const headers: [string, string][] = [];
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    if (name !== 'Content-Length') headers.push([name, String(value)]);
  }
  const body = request.method === 'POST' ? (request.body ?? '') : null;
  const init = { method: request.method, headers, body };
  const answer = await fetch(`${server.baseUrl}${request.path}`, init);
  return {
    status: answer.status,
    contentType: answer.headers.get('content-type'),
    retryAfter: formOf('retry-after', answer.headers.get('retry-after')) as string | null,
    body: bodyOf(await answer.text(), request.body),
  };
}

/** Gives what had come back. */
export function capturedAnswer({ request, response }: Capture): Comparable {
  return {
    status: response.status,
    contentType: headerOf(response.headers, 'content-type'),
    retryAfter: formOf('retry-after', headerOf(response.headers, 'retry-after')) as string | null,
    body: bodyOf(response.body, request.body),
  };
}

/** A device ID that the request named has to come back; any other is made up. */
function bodyOf(text: string, sent: string | null): unknown {
  if (!text.startsWith('{')) return text;
  const body = JSON.parse(text, (key, value: unknown) =>
    key === 'device_id' && (sent ?? '').includes(`"device_id":"${String(value)}"`)
      ? value
      : formOf(key, value),
  ) as { devices?: unknown[] };
  // They come in no order.
  return body.devices === undefined ? body : new Set(body.devices);
}

function formOf(key: string, value: unknown): unknown {
  if (key === 'unstable_features') return 'features';
  if (value === null || !RANDOM.includes(key)) return value;
  // Kinds of characters, and how many where that is fixed.
  const text = (typeof value === 'string' ? value : '').replace(/^(syt_)[A-Za-z0-9+/]+/, '$1name');
  const classes = text.replaceAll(/[A-Z]/g, 'A').replaceAll(/[a-z]/g, 'a').replaceAll(/\d/g, '9');
  if (key === 'access_token') return /^(?:syt|mct)_/.test(text) ? shapeOf(text) : `${text.length}`;
  if (key === 'nonce') return `${/^[\da-f]+$/.test(text) ? 'hex' : 'letters'} ${text.length}`;
  if (key === 'device_id') return /^A{10}$/.test(classes) ? 'capitals' : `${text.length}`;
  return typeof value;
}

/** Every part of a token between underscores, by its length; the first one is its kind. */
function shapeOf(token: string): string {
  const [kind = '', ...parts] = token.split('_');
  return [kind, ...parts.map((part) => `${part.length}`)].join('_');
}

const RANDOM = [
  'access_token',
  'device_id',
  'last_seen_ts',
  'nonce',
  'retry-after',
  'retry_after_ms',
];
