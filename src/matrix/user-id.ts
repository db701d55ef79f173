// Server names and user IDs, by the grammar of the Matrix appendices. Server names are compared
// byte by byte and never pass through `URL`, which would put their host in lower case.

/** The longest user ID in bytes, with its `@`. */
const LONGEST_USER_ID = 255;
const SERVER_NAME = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9A-Za-z.-]{1,255}))(?::(\d{1,5}))?$/;
const IPV4_SHAPE = /^\d+\.\d+\.\d+\.\d+$/;
const LOCALPART = /^[a-z0-9._=/+-]+$/;
/** What old servers handed out and clients have to accept: anything visible in ASCII but `:`. */
const HISTORICAL_LOCALPART = /^[\x21-\x39\x3b-\x7e]+$/;

export interface ServerName {
  /** Without the port; an IPv6 address keeps its brackets. */
  readonly host: string;
  readonly port: number | null;
}

export interface UserId {
  readonly userId: string;
  readonly localpart: string;
  readonly serverName: string;
  /** True for a localpart that no server may hand out any more, as one with capital letters. */
  readonly historical: boolean;
}

/**
 * Takes a server name apart, or gives null if it is none.
 * @see https://spec.matrix.org/v1.19/appendices/#server-name
 */
export function parseServerName(text: string): ServerName | null {
  const match = SERVER_NAME.exec(text);
  if (match === null) return null;
  const [, ipv6, name, digits] = match;
  const port = digits === undefined ? null : Number(digits);
  if (port !== null && (port === 0 || port > 65_535)) return null;
  if (ipv6 !== undefined)
    return URL.canParse(`http://[${ipv6}]/`) ? { host: `[${ipv6}]`, port } : null;
  if (name === undefined || isBrokenIpv4(name)) return null;
  return { host: name, port };
}

/**
 * Takes a full user ID apart, or gives null if it is none or one that a server would not know:
 * empty localparts and those beyond visible ASCII are refused, too.
 * @see https://spec.matrix.org/v1.19/appendices/#user-identifiers
 */
export function parseUserId(text: string): UserId | null {
  const colon = text.indexOf(':');
  if (!text.startsWith('@') || colon < 0 || Buffer.byteLength(text) > LONGEST_USER_ID) return null;
  const localpart = text.slice(1, colon);
  const serverName = text.slice(colon + 1);
  if (!HISTORICAL_LOCALPART.test(localpart) || parseServerName(serverName) === null) return null;
  return { userId: text, localpart, serverName, historical: !LOCALPART.test(localpart) };
}

/** Gives the user ID of a localpart on a server, or null if the two do not make one. */
export function makeUserId(localpart: string, serverName: string): UserId | null {
  return localpart.includes(':') ? null : parseUserId(`@${localpart}:${serverName}`);
}

function isBrokenIpv4(name: string): boolean {
  return IPV4_SHAPE.test(name) && name.split('.').some((part) => Number(part) > 255);
}
