// Sends a story of requests to a homeserver and writes down what it answers, so that two servers
// can be compared line by line. Only what is random or a time is masked.

export interface Server {
  readonly baseUrl: string;
  readonly serverName: string;
  readonly registrationSecret: string;
}

export interface Seen {
  readonly status: number;
  readonly contentType: string | null;
  readonly json: Record<string, unknown> | null;
}

export type Send = (
  method: string,
  path: string,
  options?: { token?: unknown; body?: unknown; text?: string; header?: string },
) => Promise<Seen>;

const RANDOM_KEYS = /^(?:access_token|nonce|session|last_seen_ts|retry_after_ms)$/;

/** Gives one line a request: what was asked, and status, type and body of the answer. */
export async function record(
  story: (send: Send, server: Server) => Promise<void>,
  server: Server,
): Promise<string[]> {
  const lines: string[] = [];
  const send: Send = async (method, path, options = {}) => {
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (typeof options.token === 'string') headers['authorization'] = `Bearer ${options.token}`;
    if (options.header !== undefined) headers['authorization'] = options.header;
    const body = options.text ?? (options.body === undefined ? null : JSON.stringify(options.body));
    const init = { method, headers, body };
    const response = await fetch(`${server.baseUrl}${path}`, init);
    const text = await response.text();
    const contentType = response.headers.get('content-type');
    const json = contentType === 'application/json' && text !== '' ? JSON.parse(text) : null;
    const shown = JSON.stringify(json ?? text, mask);
    const wait = response.headers.has('retry-after') ? ' Retry-After' : '';
    lines.push(`${method} ${path} -> ${response.status} ${contentType}${wait} ${shown}`);
    return { status: response.status, contentType, json };
  };
  await story(send, server);
  return lines;
}

function mask(key: string, value: unknown): unknown {
  if (RANDOM_KEYS.test(key) && value !== null) return '<masked>';
  // Device IDs that the server made up.
  if (key === 'device_id' && typeof value === 'string' && /^[A-Z]{10}$/.test(value))
    return '<made>';
  // Seen only in the admin API.
  if (key === 'last_seen_user_agent') return undefined;
  return value;
}
