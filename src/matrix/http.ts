// Requests and their answers. Rules of its own:
// - nothing is followed and nothing is sent twice: whoever asks decides what an answer means;
// - one clock limits a request as a whole, so that no server can drip its way past it;
// - a request counts as perhaps executed from the moment when it is about to be written;
// - a secret goes into the body or the Authorization header, never into a URL;
// - an error of undici ends here, since it may hold bytes of the answer.
import type { Secret } from '../secret.ts';
import {
  agentFor,
  closeAgents,
  makeAgents,
  type Agents,
  type Connections,
  type Dispatcher,
} from './http-agents.ts';
import {
  describeRequest,
  readAnswer,
  type HttpResult,
  type RawAnswer,
  type TransportReason,
} from './http-result.ts';
import { sortTransportError } from './transport-error.ts';

/** Milliseconds for a whole request. A login that was sent may still be executed as long. */
export const REQUEST_TIMEOUT_MS = 30_000;
const MAX_BYTES = 2 ** 20;
const VISIBLE_ASCII = /^[\x21-\x7e]+$/;

export interface HttpOptions extends Omit<Connections, 'timeoutMs'> {
  /** From looking up the name to the last byte. Default: 30 000. */
  readonly timeoutMs?: number;
  /** The longest body that is read. Default: 1 MiB. */
  readonly maxBytes?: number;
  /** Gets a line for each request, without secrets. */
  readonly log?: ((line: string) => void) | undefined;
  /** Milliseconds since the epoch. Default: Date.now. */
  readonly now?: () => number;
  /** Breaks every request off at once, those that are in flight, too. */
  readonly signal?: AbortSignal;
}

export interface RequestOptions {
  /** Sent as JSON. */
  readonly body?: object;
  /** Sent as `Authorization: Bearer`. */
  readonly token?: Secret;
}

export interface HttpClient {
  /** Sends one request and gives what came of it. Never throws for what a server does. */
  request(method: 'GET' | 'POST', url: string, options?: RequestOptions): Promise<HttpResult>;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** How an exchange ended, and what had come until then. */
interface Ending {
  readonly broken: { readonly reason: TransportReason; readonly code: string } | null;
  readonly started: boolean;
  readonly head: Pick<RawAnswer, 'status' | 'headers'> | null;
  readonly body: Buffer;
}

/** Makes a client; undici is loaded with the first request. */
export function createHttpClient(options: HttpOptions): HttpClient {
  let agents: Promise<Agents> | null = null;
  return {
    async request(method, text, requestOptions = {}) {
      const refusal = refuseRequest(method, text, requestOptions);
      if (refusal !== null) return refusal;
      agents ??= makeAgents({ ...options, timeoutMs: options.timeoutMs ?? REQUEST_TIMEOUT_MS });
      return send(await agents, options, { method, url: new URL(text), ...requestOptions });
    },
    async close() {
      if (agents !== null) await closeAgents(await agents);
    },
  };
}

function refuseRequest(method: string, text: string, options: RequestOptions): HttpResult | null {
  const refusal = (request: string, reason: TransportReason): HttpResult => {
    return { kind: 'transport', request, reason, maybeExecuted: false, detail: 'nothing was sent' };
  };
  if (!URL.canParse(text)) return refusal(method, 'bad_url');
  const url = new URL(text);
  const isPlain = /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  if (!isPlain) return refusal(method, 'bad_url');
  const isTokenFit = options.token === undefined || VISIBLE_ASCII.test(options.token.reveal());
  return isTokenFit ? null : refusal(describeRequest(method, url), 'bad_token');
}

interface Call extends RequestOptions {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
}

async function send(agents: Agents, options: HttpOptions, call: Call): Promise<HttpResult> {
  const now = options.now ?? Date.now;
  const request = describeRequest(call.method, call.url);
  const begin = now();
  const { agent, throughProxy } = agentFor(agents, call.url);
  const { broken, started, head, body } = await exchange(agent, options, call);
  const end = now();
  const outcome = [head?.status, broken?.reason, broken?.code].filter((part) => part !== undefined);
  options.log?.(`${request} ${outcome.join(' ')} ${end - begin} ms`);
  // A refusal is a refusal even if its text was lost on the way: above all it is no reason to retry.
  if (head !== null && (broken === null || head.status >= 300)) {
    const raw = { method: call.method, url: call.url, ...head, receivedAt: end };
    const whole = broken === null ? body : Buffer.alloc(0);
    return readAnswer({ ...raw, body: whole }, options.maxBytes ?? MAX_BYTES);
  }
  const { reason, code } = broken ?? { reason: 'protocol', code: 'UNKNOWN' };
  if (!throughProxy) {
    return { kind: 'transport', request, reason, maybeExecuted: started, detail: code };
  }
  const blamed = !started && OF_THE_WAY.includes(reason) ? 'proxy' : reason;
  const detail = `${code}, proxies of the environment are in use`;
  // What a proxy says no to, it did not let through.
  const maybeExecuted = started && reason !== 'proxy';
  return { kind: 'transport', request, reason: blamed, maybeExecuted, detail };
}

/** Before the request is sent, these are said of the proxy: it is the proxy that connects further. */
const OF_THE_WAY: readonly TransportReason[] = [
  'dns',
  'dns_for_now',
  'network',
  'protocol',
  'refused',
  'reset',
  'too_large',
];

function exchange(agent: Dispatcher, options: HttpOptions, call: Call): Promise<Ending> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let head: Ending['head'] = null;
    let controller: Dispatcher.DispatchController | null = null;
    let size = 0;
    let isOver = false;
    const end = (broken: Ending['broken']): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', cancel);
      resolve({ broken, started: controller !== null, head, body: Buffer.concat(chunks) });
      if (broken !== null) controller?.abort(new Error('broken off'));
    };
    const cancel = (): void => end({ reason: 'cancelled', code: 'CANCELLED' });
    const giveUp = (): void => end({ reason: 'timeout', code: 'TIMEOUT' });
    const timer = setTimeout(giveUp, options.timeoutMs ?? REQUEST_TIMEOUT_MS);
    if (options.signal?.aborted === true) return cancel();
    options.signal?.addEventListener('abort', cancel);
    agent.dispatch(dispatchOptions(call), {
      onRequestStart(begun) {
        // Too late: what was given up as never sent must not be sent now.
        if (isOver) return begun.abort(new Error('broken off'));
        controller = begun;
      },
      onResponseStart(_controller, status, headers) {
        head = { status, headers };
      },
      onResponseData(_controller, chunk) {
        size += chunk.length;
        if (size > (options.maxBytes ?? MAX_BYTES)) end({ reason: 'too_large', code: 'BODY' });
        else chunks.push(chunk);
      },
      onResponseEnd: () => end(null),
      onResponseError: (_controller, error) => end(sortTransportError(error)),
    });
  });
}

function dispatchOptions(call: Call): Dispatcher.DispatchOptions {
  const { method, url, body, token } = call;
  const headers = {
    accept: 'application/json',
    'accept-encoding': 'identity',
    'user-agent': 'matrix-tokens',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
  };
  const text = body === undefined ? null : JSON.stringify(body);
  return { origin: url.origin, path: `${url.pathname}${url.search}`, method, headers, body: text };
}
