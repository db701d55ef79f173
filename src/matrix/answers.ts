// What an answer means. The first row of the table that fits decides: the errcode is trusted, but
// for M_UNKNOWN, where the HTTP status decides, and for gateways, whose body says nothing.
import {
  FAILURE_CODES,
  type Failure,
  type FailureScope,
  type KnownCode,
  type RetryRule,
} from './failure.ts';
import type { HttpAnswer, HttpResult, HttpTransport, TransportReason } from './http-result.ts';
import { FAILURE_HINTS, NO_TLS_HINT } from './hints.ts';
import { askedWaitMs, freeIn } from './retry-timing.ts';
import { cleanErrcode, cleanServerText } from './server-text.ts';
import { NO_TLS } from './transport-error.ts';

interface Verdict {
  readonly scope: FailureScope;
  readonly outcome: Failure['outcome'];
  readonly retry?: RetryRule;
  readonly onRepeat?: 'homeserver';
  /** Default: the errcode. */
  readonly code?: KnownCode;
}

interface Row {
  /** Single statuses, or [first, last]. Absent: any. */
  readonly status?: readonly (number | readonly [number, number])[];
  /** Absent: any or none. Empty: none. */
  readonly errcodes?: readonly string[];
  readonly limitType?: string;
  readonly verdict: Verdict;
}

const USER: Verdict = { scope: 'user', outcome: 'failed' };
const HOMESERVER: Verdict = { scope: 'homeserver', outcome: 'failed' };
const OUR_REQUEST: Verdict = { ...USER, onRepeat: 'homeserver' };
const RATE_LIMIT: Verdict = {
  scope: 'retry',
  outcome: 'deferred',
  retry: { kind: 'rate_limit', otherwise: 'user' },
  code: 'M_LIMIT_EXCEEDED',
};
const AGAIN_THEN_USER: Verdict = {
  scope: 'retry',
  outcome: 'failed',
  retry: { kind: 'backoff', requests: 3, otherwise: 'user' },
};
const AGAIN_THEN_HOMESERVER: Verdict = {
  scope: 'retry',
  outcome: 'unreachable',
  retry: { kind: 'backoff', requests: 3, otherwise: 'homeserver' },
};
const NOT_MATRIX: Verdict = { scope: 'homeserver', outcome: 'unreachable', code: 'NOT_MATRIX' };

const ROWS: readonly Row[] = [
  { status: [[300, 399]], verdict: { ...NOT_MATRIX, code: 'REDIRECT' } },
  {
    status: [403],
    errcodes: ['M_LIMIT_EXCEEDED'],
    verdict: { ...AGAIN_THEN_USER, retry: { kind: 'backoff', requests: 2, otherwise: 'user' } },
  },
  { status: [429], verdict: RATE_LIMIT },
  { errcodes: ['M_LIMIT_EXCEEDED'], verdict: RATE_LIMIT },
  {
    status: [408, 425, 502, 503, 504, [520, 530]],
    verdict: { ...AGAIN_THEN_HOMESERVER, code: 'SERVER_ERROR' },
  },
  {
    status: [[500, 599]],
    errcodes: [],
    verdict: { ...AGAIN_THEN_HOMESERVER, code: 'SERVER_ERROR' },
  },
  { status: [413], verdict: { ...OUR_REQUEST, code: 'M_TOO_LARGE' } },
  { status: [[400, 499]], errcodes: [], verdict: NOT_MATRIX },
  { errcodes: ['M_RESOURCE_LIMIT_EXCEEDED'], limitType: 'hs_disabled', verdict: HOMESERVER },
  {
    errcodes: [
      'M_FORBIDDEN',
      'M_USER_DEACTIVATED',
      'M_USER_LOCKED',
      'M_USER_SUSPENDED',
      'M_USER_LIMIT_EXCEEDED',
      'M_RESOURCE_LIMIT_EXCEEDED',
      'M_INVALID_USERNAME',
      'M_EXCLUSIVE',
      'ORG_MATRIX_EXPIRED_ACCOUNT',
      'ORG.MATRIX.MSC3866_USER_AWAITING_APPROVAL',
    ],
    verdict: USER,
  },
  { errcodes: ['ORG_MATRIX_MSC3939_USER_LOCKED'], verdict: { ...USER, code: 'M_USER_LOCKED' } },
  {
    errcodes: ['ORG.MATRIX.MSC3823.USER_SUSPENDED'],
    verdict: { ...USER, code: 'M_USER_SUSPENDED' },
  },
  {
    status: [400],
    errcodes: [
      'M_UNKNOWN',
      'M_MISSING_PARAM',
      'M_INVALID_PARAM',
      'M_BAD_JSON',
      'M_NOT_JSON',
      'M_TOO_LARGE',
    ],
    verdict: OUR_REQUEST,
  },
  { status: [[400, 499]], errcodes: ['M_UNRECOGNIZED'], verdict: HOMESERVER },
  { status: [[400, 499]], verdict: USER },
  { status: [[500, 599]], verdict: AGAIN_THEN_USER },
];

const UNREACHABLE: Verdict = { scope: 'homeserver', outcome: 'unreachable' };

const TRANSPORT: Readonly<Record<TransportReason, Verdict & { readonly code: KnownCode }>> = {
  bad_token: { ...USER, code: 'TOKEN_UNUSABLE' },
  bad_url: { ...HOMESERVER, code: 'BAD_URL' },
  cancelled: { ...USER, code: 'INTERRUPTED' },
  dns: { ...UNREACHABLE, code: 'DNS' },
  dns_for_now: { ...AGAIN_THEN_HOMESERVER, code: 'DNS' },
  network: { ...AGAIN_THEN_HOMESERVER, code: 'NETWORK' },
  protocol: { ...UNREACHABLE, code: 'PROTOCOL' },
  proxy: { ...UNREACHABLE, code: 'PROXY' },
  refused: { ...AGAIN_THEN_HOMESERVER, code: 'REFUSED' },
  reset: { ...AGAIN_THEN_HOMESERVER, code: 'RESET' },
  timeout: { ...AGAIN_THEN_HOMESERVER, code: 'TIMEOUT' },
  tls: { ...UNREACHABLE, code: 'TLS' },
  too_large: { ...UNREACHABLE, code: 'TOO_LARGE' },
};

/**
 * Says what a result means that is not the success that was hoped for. A 2xx that gets here is
 * taken as the answer of something that is not a homeserver.
 * @see https://spec.matrix.org/v1.19/client-server-api/#standard-error-response
 */
export function classifyFailure(result: HttpResult): Failure {
  return result.kind === 'answer' ? classifyAnswer(result) : classifyTransport(result);
}

/** Gives the `errcode` of an answer, or null if it is not a standard error response. */
export function errcodeOf(answer: HttpAnswer): string | null {
  const errcode = answer.json?.['errcode'];
  return typeof errcode === 'string' ? errcode : null;
}

/** True for a 2xx answer. */
export function isSuccess(result: HttpResult): result is HttpAnswer {
  return result.kind === 'answer' && result.status >= 200 && result.status < 300;
}

function classifyAnswer(answer: HttpAnswer): Failure {
  const errcode = errcodeOf(answer);
  const verdict = ROWS.find((row) => fits(row, answer, errcode))?.verdict ?? NOT_MATRIX;
  const code = verdict.code ?? (errcode === null ? 'NOT_MATRIX' : showErrcode(errcode));
  return {
    kind: 'failure',
    ...verdict,
    code,
    message: `${meaningOf(code)}: ${describeAnswer(answer, errcode)}`,
    hint: hintFor(code),
    retryAfterMs: askedWaitMs(answer),
    freeIn: freeIn(answer),
    maybeExecuted: !provesRefusal(answer.status),
  };
}

function classifyTransport(result: HttpTransport): Failure {
  const verdict = TRANSPORT[result.reason];
  return {
    kind: 'failure',
    ...verdict,
    message: `${meaningOf(verdict.code)}: ${result.request} (${result.detail})`,
    hint: result.detail.includes(NO_TLS) ? NO_TLS_HINT : hintFor(verdict.code),
    retryAfterMs: null,
    maybeExecuted: result.maybeExecuted,
  };
}

function fits(row: Row, answer: HttpAnswer, errcode: string | null): boolean {
  if (row.status !== undefined && !row.status.some((wanted) => covers(wanted, answer.status))) {
    return false;
  }
  if (row.limitType !== undefined && answer.json?.['limit_type'] !== row.limitType) return false;
  if (row.errcodes === undefined) return true;
  return row.errcodes.length === 0 ? errcode === null : row.errcodes.includes(errcode ?? '');
}

function covers(wanted: number | readonly [number, number], status: number): boolean {
  if (typeof wanted === 'number') return wanted === status;
  return wanted[0] <= status && status <= wanted[1];
}

/** A 4xx says that nothing was done, but for those that a proxy gives when it stops waiting. */
function provesRefusal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 425;
}

function showErrcode(errcode: string): string {
  return cleanErrcode(errcode) ?? 'BAD_ERRCODE';
}

function meaningOf(code: string): string {
  const meanings: Readonly<Record<string, string>> = FAILURE_CODES;
  return meanings[code] ?? 'the homeserver refused with a code of its own';
}

function hintFor(code: string): string | undefined {
  const hints: Readonly<Record<string, string>> = FAILURE_HINTS;
  return hints[code];
}

function describeAnswer(answer: HttpAnswer, errcode: string | null): string {
  const words = [answer.request, 'answered', `${answer.status}`];
  const error = answer.json?.['error'];
  if (answer.location !== null) words.push(`to ${describePlace(answer.location)}`);
  if (errcode !== null) words.push(showErrcode(errcode));
  else if (answer.json === null && answer.contentType !== null) words.push(answer.contentType);
  const text = typeof error === 'string' ? cleanServerText(error) : '';
  return text === '' ? words.join(' ') : `${words.join(' ')} "${text}"`;
}

function describePlace(location: string): string {
  const { origin, pathname } = new URL(location);
  return cleanServerText(`${origin}${pathname}`);
}
