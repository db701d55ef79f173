// What Ansible takes for the address of a host: a name or an IP address, in which ranges such as
// [1:9] may stand, with a port behind it.

export interface Address {
  /** Ranges are still in it. */
  readonly host: string;
  readonly port: number | null;
}

const RANGE = String.raw`\[(?:[A-Za-z]:[A-Za-z]|[0-9]+:[0-9]+)(?::[0-9]+)?\]`;
const CHARACTER = String.raw`[\p{L}\p{N}]|${RANGE}`;
const LABEL = `(?!-)(?:[_-]|${CHARACTER})*(?:${CHARACTER})`;
const HEX_RANGE = /\[[0-9a-f]+:[0-9a-f]+(?::[0-9]+)?\]/gi;
const HEX = '[0-9a-f]{1,4}';
const WITH_IPV4 = new RegExp(
  String.raw`^(?:(?:0:){6}|::(?:ffff:)?|(?:0:){5}ffff:)(?:${HEX}\.){3}${HEX}$`,
  'i',
);

/** Made when it is needed: classes of Unicode are slow to compile, and most names are plain. */
let hostname: RegExp | null = null;

/** Gives null for what is no address, such as a pattern. */
export function parseAddress(text: string): Address | null {
  const bracketed = /^\[(.+)\]:([0-9]+)$/.exec(text);
  const plain = bracketed ?? /^((?:[^:[\]]|\[[^\]]*\])*):([0-9]+)$/.exec(text);
  const host = plain?.[1] ?? text;
  if (!isHostname(host) && !isIpv6(host)) return null;
  return { host, port: plain === null ? null : Number(plain[2]) };
}

function isHostname(text: string): boolean {
  if (/^[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*$/.test(text)) return true;
  hostname ??= new RegExp(String.raw`^${LABEL}(?:\.${LABEL})*$`, 'u');
  return hostname.test(text);
}

/** Ansible's own idea of it: at most six groups on either side of `::`. */
function isIpv6(text: string): boolean {
  const plain = text.replaceAll(HEX_RANGE, '0');
  if (WITH_IPV4.test(plain)) return true;
  const sides = plain.split('::').map((side) => (side === '' ? [] : side.split(':')));
  const counts = sides.map((side) => side.length);
  const sum = counts.reduce((total, count) => total + count, 0);
  if (!sides.flat().every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
  if (sides.length === 1) return sum === 8;
  return sides.length === 2 && sum <= 7 && counts.every((count) => count <= 6);
}
