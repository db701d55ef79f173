// Errors of connections, sorted by their code. The error itself goes no further: some hold bytes of
// the answer, and with them a token.
import type { TransportReason } from './http-result.ts';

const REASONS: Readonly<Record<string, TransportReason>> = {
  ENOTFOUND: 'dns',
  EAI_AGAIN: 'dns_for_now',
  EAI_FAIL: 'dns_for_now',
  ECONNREFUSED: 'refused',
  EACCES: 'network',
  EADDRNOTAVAIL: 'network',
  EHOSTDOWN: 'network',
  EHOSTUNREACH: 'network',
  ENETDOWN: 'network',
  ENETUNREACH: 'network',
  EPERM: 'network',
  ECONNABORTED: 'reset',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  HPE_INVALID_EOF_STATE: 'reset',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'reset',
  UND_ERR_SOCKET: 'reset',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  EPROTO: 'tls',
  HOSTNAME_MISMATCH: 'tls',
  INVALID_CA: 'tls',
  INVALID_PURPOSE: 'tls',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls',
  HPE_HEADER_OVERFLOW: 'too_large',
  UND_ERR_HEADERS_OVERFLOW: 'too_large',
  // Ours are sorted before they get here: these come from a proxy that says no.
  UND_ERR_ABORTED: 'proxy',
  UND_ERR_INVALID_ARG: 'proxy',
  UND_ERR_PRX_TLS: 'proxy',
};

/** Gives the reason that an error stands for, and its code for the message. */
export function sortTransportError(error: unknown): { reason: TransportReason; code: string } {
  const code = codeOf(error) ?? 'UNKNOWN';
  return { reason: REASONS[code] ?? (/CERT|SSL|TLS/.test(code) ? 'tls' : 'protocol'), code };
}

function codeOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null) return null;
  const { code, errors } = error as { code?: unknown; errors?: unknown };
  if (typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code)) return code;
  return Array.isArray(errors) ? codeOf(errors[0]) : null;
}
