// Errors of connections, sorted by their code. The error itself goes no further: some hold bytes of
// the answer, and with them a token.
import type { TransportReason } from './http-result.ts';

const REASONS: Readonly<Record<string, TransportReason>> = {
  ENOTFOUND: 'dns',
  ECONNREFUSED: 'refused',
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

const NOT_TRUSTED = 'its certificate is signed by nobody who is trusted here';
const NO_ISSUER = 'the issuer of its certificate is not known, or the chain is not complete';
/** What the detail of a failure says where something answers, but not in TLS. */
export const NO_TLS = 'no TLS is spoken there';

/** What the codes say of a certificate, in words. */
const WORDS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet, if the clock of this machine is right',
  DEPTH_ZERO_SELF_SIGNED_CERT: NOT_TRUSTED,
  EPROTO: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  SELF_SIGNED_CERT_IN_CHAIN: NOT_TRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: NO_ISSUER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NO_ISSUER,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NO_ISSUER,
};

/** Of several addresses, the one that says most: where there is no IPv6, that is said of every name. */
const TELLING: readonly TransportReason[] = ['refused', 'timeout', 'reset', 'tls', 'network'];

/** Gives the reason that an error stands for, and its codes for the message. */
export function sortTransportError(error: unknown): { reason: TransportReason; code: string } {
  const codes = [...new Set(codesOf(error))];
  const reasons = codes.map(reasonOf);
  const reason = TELLING.find((one) => reasons.includes(one)) ?? reasons[0] ?? 'protocol';
  const words = WORDS[codes.join()];
  const status = refusalOf(error);
  const shown = [...codes, ...(status === null ? [] : [status])].join(', ');
  return { reason, code: words === undefined ? shown || 'UNKNOWN' : `${shown}: ${words}` };
}

function reasonOf(code: string): TransportReason {
  const known = REASONS[code];
  if (known !== undefined) return known;
  if (code.startsWith('EAI_')) return 'dns_for_now';
  if (/CERT|SSL|TLS/.test(code)) return 'tls';
  // What is left of the codes of the operating system has to do with this machine or its network.
  return /^E[A-Z]+$/.test(code) ? 'network' : 'protocol';
}

function codesOf(error: unknown): string[] {
  if (typeof error !== 'object' || error === null) return [];
  const { code, errors } = error as { code?: unknown; errors?: unknown };
  const several = Array.isArray(errors) ? errors.flatMap(codesOf) : [];
  if (several.length > 0) return several;
  if (typeof code === 'string') return /^[A-Z0-9_]{1,60}$/.test(code) ? [code] : [];
  return error instanceof Error && error.name === 'HTTPParserError' ? [parserCode(error)] : [];
}

/** Errors of undici's parser have no code; their text is one of a few of its own. */
function parserCode({ message }: Error): string {
  return message.endsWith('(Invalid EOF state)') ? 'HPE_INVALID_EOF_STATE' : 'HPE_INVALID';
}

/** The status with which a proxy refused stands in undici's text only. */
function refusalOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  return /^Proxy [\w ]*\((\d{3})\)/.exec(error.message)?.[1] ?? null;
}
