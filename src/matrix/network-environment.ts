// What of the environment bears on connections: proxies, and a switch of Node that must be off.
import { BlockList, isIP } from 'node:net';
import { InputError, type Fault } from '../errors.ts';
import { Secret } from '../secret.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** URLs of proxies; an empty text means none. */
export interface Proxies {
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
}

/** Gives the proxies of the environment, or null if it names none. Their passwords become known. */
export function readProxies(environment: Environment): Proxies | null {
  const httpProxy = withScheme(readVariable(environment, 'http_proxy'));
  const httpsProxy = withScheme(readVariable(environment, 'https_proxy'));
  if (httpProxy === '' && httpsProxy === '') return null;
  for (const proxy of [httpProxy, httpsProxy]) rememberPassword(proxy);
  return { httpProxy, httpsProxy, noProxy: readVariable(environment, 'no_proxy') };
}

/**
 * True if NO_PROXY names the host of a URL: itself (with its port or any), a name above it, a network
 * such as `10.0.0.0/8`, or `*`. A host as `URL` gives it, in small letters.
 */
export function bypassesProxy(noProxy: string, url: URL): boolean {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  const entries = noProxy.toLowerCase().split(/[\s,]+/);
  return entries.some((entry) => {
    if (entry === '*') return true;
    if (entry.includes('/')) return isInNetwork(host, entry);
    const [, ipv6, name = '', wanted] = ENTRY.exec(entry) ?? [];
    if (wanted !== undefined && wanted !== port) return false;
    if (ipv6 !== undefined || isIP(entry) === 6) return sameIpv6(host, ipv6 ?? entry);
    return name !== '' && (host === name || (isIP(host) === 0 && host.endsWith(`.${name}`)));
  });
}

/** `[address]:port` or `name:port`; a name may begin with a dot or `*.`. */
const ENTRY = /^(?:\[([\da-f:.]+)\]|\*?\.?([^:[\]]*))(?::(\d+))?$/;

function isInNetwork(host: string, entry: string): boolean {
  const [address = '', bits = ''] = entry.split('/');
  const version = isIP(address);
  const isNetwork =
    version !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
  if (!isNetwork || isIP(host) !== version) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family);
  return list.check(host, family);
}

function sameIpv6(host: string, address: string): boolean {
  return isIP(host) === 6 && isIP(address) === 6 && isInNetwork(host, `${address}/128`);
}

/**
 * Throws an InputError (E_ENVIRONMENT, all faults at once) if certificates would not be checked or
 * a proxy is named in a way that cannot be used. To be called before any request.
 */
export function checkNetworkEnvironment(environment: Environment): void {
  const faults = [certificateFault(environment), ...proxyFaults(environment)];
  const found = faults.filter((fault) => fault !== null);
  if (found.length > 0) throw new InputError(found);
}

function certificateFault(environment: Environment): Fault | null {
  if (environment['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0') return null;
  return {
    code: 'E_ENVIRONMENT',
    found: 'NODE_TLS_REJECT_UNAUTHORIZED=0 is set, so that passwords would go to anybody',
    wanted: 'certificates are checked',
    fix: 'unset NODE_TLS_REJECT_UNAUTHORIZED; name a private CA with matrix_tokens_ca_file',
  };
}

function proxyFaults(environment: Environment): (Fault | null)[] {
  return ['http_proxy', 'https_proxy'].map((name) => {
    const proxy = withScheme(readVariable(environment, name));
    if (proxy === '' || isProxyUrl(proxy)) return null;
    return {
      code: 'E_ENVIRONMENT',
      found: `${name.toUpperCase()} is set to something that is not the URL of an HTTP proxy`,
      wanted: 'http://host:port or https://host:port, with user:password@ if need be',
      fix: `mend or unset ${name} and ${name.toUpperCase()}`,
    };
  });
}

function isProxyUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  return isPercentEncoded(username) && isPercentEncoded(password);
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** Small letters win, as in curl. */
function readVariable(environment: Environment, name: string): string {
  return environment[name] ?? environment[name.toUpperCase()] ?? '';
}

function withScheme(proxy: string): string {
  return proxy === '' || proxy.includes('://') ? proxy : `http://${proxy}`;
}

/** Making a Secret of a text is what lets redact() hide it. */
function rememberPassword(proxy: string): Secret[] {
  if (!isProxyUrl(proxy)) return [];
  const { username, password } = new URL(proxy);
  if (password === '') return [];
  const plain = decodeURIComponent(password);
  const forms = [password, plain, `${decodeURIComponent(username)}:${plain}`];
  return forms.map((form) => new Secret(form));
}
