// A reverse proxy in front of a homeserver, and the pages that it answers itself. nginx 1.22.1 and
// Caddy 2.6.2 were seen; Traefik and Cloudflare are from what they document, not seen.
import { STATUS_CODES } from 'node:http';
import type { Answer } from './answer.ts';

export interface ReverseProxy {
  readonly kind: keyof typeof PAGES;
  /** The paths that it hands to the homeserver; the others it answers itself. */
  readonly routes: RegExp;
}

const PAGES = { nginx, caddy, traefik, cloudflare } as const;

/** Statuses that nginx names in words of its own. */
const NGINX_WORDS: Readonly<Record<number, string>> = {
  413: 'Request Entity Too Large',
  503: 'Service Temporarily Unavailable',
  504: 'Gateway Time-out',
};

/** Gives the page of a proxy that answers by itself. */
export function proxyPage(kind: ReverseProxy['kind'], status: number): Answer {
  return PAGES[kind](status);
}

/** Gives what a proxy says of a path that it does not route. */
export function unroutedAnswer({ kind }: ReverseProxy): Answer {
  // Caddy answers what nobody handles with 200 and nothing else.
  return proxyPage(kind, kind === 'caddy' ? 200 : 404);
}

/** Gives what comes through the proxy of an answer of the homeserver. */
export function throughProxy({ kind }: ReverseProxy, answer: Answer): Answer {
  // Cloudflare puts its own page in the place of what the server says of a bad gateway.
  const isReplaced = kind === 'cloudflare' && (answer.status === 502 || answer.status === 504);
  return isReplaced ? proxyPage(kind, answer.status) : answer;
}

function nginx(status: number): Answer {
  const title = `${status} ${NGINX_WORDS[status] ?? STATUS_CODES[status] ?? ''}`;
  const lines = [
    '<html>',
    `<head><title>${title}</title></head>`,
    '<body>',
    `<center><h1>${title}</h1></center>`,
    '<hr><center>nginx/1.22.1</center>',
    '</body>',
    '</html>',
    '',
  ];
  const headers = { Server: 'nginx/1.22.1', 'Content-Type': 'text/html' };
  return { status, headers, body: lines.join('\r\n') };
}

function caddy(status: number): Answer {
  return { status, headers: { Server: 'Caddy' }, body: '' };
}

function traefik(status: number): Answer {
  const headers = {
    'Content-Type': 'text/plain; charset=utf-8',
    'X-Content-Type-Options': 'nosniff',
  };
  const body = status === 404 ? '404 page not found\n' : (STATUS_CODES[status] ?? '');
  return { status, headers, body };
}

function cloudflare(status: number): Answer {
  const headers = {
    Server: 'cloudflare',
    'Content-Type': 'text/html; charset=UTF-8',
    'CF-RAY': '0000000000000000-XXX',
    ...(status === 403 ? { 'cf-mitigated': 'challenge' } : {}),
  };
  const words =
    status === 403 ? 'Just a moment...' : `${status}: ${STATUS_CODES[status] ?? 'Error'}`;
  const body = `<!DOCTYPE html>\n<html lang="en-US">\n<head><title>${words}</title></head>\n<body></body>\n</html>\n`;
  return { status, headers, body };
}
