// Hosts as inventories name them: a name, a range of names, with a port or without one.
import { InputError } from '../errors.ts';
import type { Fault, Position } from '../errors.ts';
import { parseAddress } from './address.ts';

export interface HostNames {
  /** At least one. */
  readonly names: readonly string[];
  readonly port: number | null;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const RANGE = /\[(?:([0-9]*):([0-9]+)|([A-Za-z]):([A-Za-z]))(?::([0-9]+))?\]/;

/** More hosts than anybody means, and fewer than fill the memory. */
const MOST = 65_536;

/**
 * Gives the hosts that an inventory names with one text: `name`, `name[01:20]`, `name:port`,
 * `[address]:port`.
 * @throws InputError E_INVENTORY for what is no name and for ranges that Ansible refuses or that
 * hold nothing, E_UNSUPPORTED for patterns and for ranges of more than 65,536 hosts.
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html#adding-ranges-of-hosts
 */
export function parseHostNames(text: string, at: Position): HostNames {
  if (/[*?!&,~|]/.test(text)) {
    const fix = 'write each host on its own, or a range such as web[01:20]';
    throw hostFault('E_UNSUPPORTED', at, 'a pattern instead of a host', fix);
  }
  const address = text.endsWith(':') ? null : parseAddress(text);
  if (address !== null && (address.port ?? 0) < 100_000)
    return { names: expand(address.host, at), port: address.port };
  const outside = withoutBrackets(text);
  const isName = text.trim() !== '' && text.trim() !== '---' && !/[\n\r]|:$/.test(text);
  const hasPort = /^[^:]*:[0-9]+$/.test(outside) || text.startsWith('[');
  if (isName && !hasPort) return { names: expand(text, at), port: null };
  const fix = 'write name, name:port or [address]:port';
  throw hostFault('E_INVENTORY', at, 'something that is no name of a host', fix);
}

/** Without what stands between brackets; a pattern would look for their ends again and again. */
function withoutBrackets(text: string): string {
  let outside = '';
  let done = 0;
  for (let open = text.indexOf('['); open !== -1; open = text.indexOf('[', done)) {
    const close = text.indexOf(']', open);
    if (close === -1) break;
    outside += text.slice(done, open);
    done = close + 1;
  }
  return outside + text.slice(done);
}

function expand(text: string, at: Position): readonly string[] {
  let names = [''];
  let rest = text;
  for (let range = RANGE.exec(rest); range !== null; range = RANGE.exec(rest)) {
    const before = checkBrackets(rest.slice(0, range.index), at);
    const members = membersOf(range, at);
    if (names.length * members.length > MOST) {
      const fix = `write at most ${MOST} hosts as one range`;
      throw hostFault('E_UNSUPPORTED', at, 'a range of very many hosts', fix);
    }
    names = names.flatMap((name) => members.map((member) => name + before + member));
    rest = rest.slice(range.index + range[0].length);
  }
  const end = checkBrackets(rest, at);
  return names.map((name) => name + end);
}

function checkBrackets(text: string, at: Position): string {
  if (!/[[\]]/.test(text)) return text;
  const fix = 'write a range as [01:20], [a:f] or [0:9:3], and a port as [address]:port';
  throw hostFault('E_INVENTORY', at, 'brackets that are no range', fix);
}

function membersOf(range: RegExpExecArray, at: Position): string[] {
  const [, first, last, firstLetter, lastLetter, step = '1'] = range;
  if (Number(step) === 0) throw rangeFault(at, 'a step of 0');
  const letters = firstLetter !== undefined && lastLetter !== undefined;
  const begin = letters ? LETTERS.indexOf(firstLetter) : Number(first);
  const end = letters ? LETTERS.indexOf(lastLetter) : Number(last);
  if (begin > end) throw rangeFault(at, 'an end before its begin');
  const width = /^0./.test(first ?? '') ? (first ?? '').length : 0;
  if (width > 0 && width !== last?.length) throw rangeFault(at, 'ends of different lengths');
  const count = Math.floor((end - begin) / Number(step)) + 1;
  const isCountable = Number.isSafeInteger(end) && Number.isSafeInteger(Number(step));
  if (count > MOST || !isCountable) throw rangeFault(at, 'very many members');
  const numbers = Array.from({ length: count }, (_, index) => begin + index * Number(step));
  return numbers.map((n) => (letters ? LETTERS.charAt(n) : String(n).padStart(width, '0')));
}

function rangeFault(at: Position, what: string): InputError {
  const fix = 'write a range as [01:20], [a:f] or [0:9:3]';
  return hostFault('E_INVENTORY', at, `a range of hosts with ${what}`, fix);
}

function hostFault(code: Fault['code'], at: Position, found: string, fix: string): InputError {
  return new InputError({ code, at, found, wanted: 'the name of a host', fix });
}
