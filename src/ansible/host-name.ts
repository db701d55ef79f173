import { InputError } from '../errors.ts';
import type { Fault, Position } from '../errors.ts';

export interface HostName {
  readonly name: string;
  readonly port: number | null;
}

const LABEL = String.raw`[\p{L}\p{N}_](?:[\p{L}\p{N}_-]*[\p{L}\p{N}])?`;
/** Made when it is needed: classes of Unicode are slow to compile, and most names have no port. */
const nameAndPort = (): RegExp =>
  new RegExp(String.raw`^(${LABEL}(?:\.${LABEL})*):([0-9]{1,5})$`, 'u');
const NAME_AND_MAYBE_PORT = /:[0-9]+$/;
const IPV6 = /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/;

/**
 * Reads a host as inventory files name it: `name` or `name:port`.
 * @throws InputError E_UNSUPPORTED for ranges and patterns, E_INVENTORY for what is no name.
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html#adding-ranges-of-hosts
 */
export function parseHostName(text: string, at: Position): HostName {
  if (text.includes('[')) {
    const fix = 'write each host on its own';
    throw hostFault(at, 'E_UNSUPPORTED', 'a range of hosts, or a host in brackets', fix);
  }
  if (/[*?\]!&,~]/.test(text)) {
    throw hostFault(
      at,
      'E_UNSUPPORTED',
      'a pattern instead of a host',
      'write each host on its own',
    );
  }
  const match = text.includes(':') ? nameAndPort().exec(text) : null;
  if (match !== null) return { name: match[1] ?? '', port: Number(match[2]) };
  const isName = text.trim() !== '' && text.trim() !== '---' && !text.endsWith(':');
  if (!isName || (NAME_AND_MAYBE_PORT.test(text) && !IPV6.test(text))) {
    throw hostFault(
      at,
      'E_INVENTORY',
      'something that is no name of a host',
      'write name or name:port',
    );
  }
  return { name: text, port: null };
}

function hostFault(at: Position, code: Fault['code'], found: string, fix: string): InputError {
  return new InputError({ code, at, found, wanted: 'the name of one host', fix });
}
