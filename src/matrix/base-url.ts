// Base URLs of homeservers. A password goes wherever a base_url points, hence the rules: https, but
// on loopback or where the operator allows http; no credentials, query or fragment in it, and no path
// of an API.
export type BaseUrlProblem =
  'not_a_url' | 'scheme' | 'credentials' | 'query' | 'api_path' | 'insecure';

export type BaseUrl =
  | { readonly kind: 'base_url'; readonly baseUrl: string; readonly host: string }
  | { readonly kind: 'problem'; readonly problem: BaseUrlProblem };

/** What is wrong with a base URL, each in a few words that follow its name. */
export const BASE_URL_PROBLEMS: Readonly<Record<BaseUrlProblem, string>> = {
  not_a_url: 'is not a URL',
  scheme: 'is neither an https:// nor an http:// URL',
  credentials: 'holds a user or a password',
  query: 'holds a query or a fragment',
  api_path: 'holds the path of an API (/_matrix or /_synapse), which is put behind it',
  insecure: 'would send passwords unencrypted',
};

/**
 * Checks a base URL and gives it without slashes at its end, so that paths can be put behind it. A
 * path prefix stays.
 */
export function parseBaseUrl(text: string, options: { readonly allowHttp: boolean }): BaseUrl {
  if (!URL.canParse(text)) return { kind: 'problem', problem: 'not_a_url' };
  const url = new URL(text);
  const problem = findProblem(url, text, options.allowHttp);
  if (problem !== null) return { kind: 'problem', problem };
  const baseUrl = `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  return { kind: 'base_url', baseUrl, host: url.hostname };
}

/** True if a host as `URL` gives it is this machine itself: localhost, 127.0.0.0/8 or [::1]. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost') || host === '[::1]') return true;
  // `URL` writes every IPv4 address with four numbers.
  return /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** True if `host` is the host of the server name or a name below it. */
export function isAtOrBelow(host: string, serverNameHost: string): boolean {
  // As `URL` writes it: an IPv6 address can be written in many ways.
  const origin = `https://${serverNameHost}`;
  const parent = URL.canParse(origin) ? new URL(origin).hostname : serverNameHost.toLowerCase();
  return host === parent || (!parent.startsWith('[') && host.endsWith(`.${parent}`));
}

function findProblem(url: URL, text: string, allowHttp: boolean): BaseUrlProblem | null {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'scheme';
  if (url.username !== '' || url.password !== '') return 'credentials';
  if (text.includes('?') || text.includes('#')) return 'query';
  if (/\/_(?:matrix|synapse)(?:\/|$)/.test(url.pathname)) return 'api_path';
  if (url.protocol === 'http:' && !allowHttp && !isLoopback(url.hostname)) return 'insecure';
  return null;
}
