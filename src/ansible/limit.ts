import { InputError } from '../errors.ts';
import type { Fault } from '../errors.ts';
import type { GraphHost, InventoryGraph } from './group-graph.ts';

/**
 * Gives the hosts that a limit names, in the inventory's order: names of hosts and groups with
 * commas between them, or all hosts where there is no limit. Throws InputError for names that are
 * not in the inventory, for a limit that leaves no host, and for patterns.
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_patterns.html
 */
export function selectHosts(graph: InventoryGraph, limit: string | undefined): GraphHost[] {
  const hosts = [...graph.hosts.values()];
  if (limit === undefined) return hosts;
  const names = splitLimit(limit);
  const faults = [...names].flatMap((name) => checkName(graph, name));
  if (names.size === 0) faults.push(emptyLimit('the limit is empty'));
  if (faults.length > 0) throw new InputError(faults);
  const selected = hosts.filter((host) => isWithin(host, names));
  if (selected.length === 0) throw new InputError(emptyLimit('the limit names no host'));
  return selected;
}

function splitLimit(limit: string): ReadonlySet<string> {
  const names = new Set(limit.split(',').map((name) => name.trim()));
  names.delete('');
  return names;
}

function checkName(graph: InventoryGraph, name: string): Fault[] {
  if (graph.hosts.has(name)) return [];
  const plain = /^[^!&~@*?:[\]]+$/.test(name);
  if (plain && graph.groups.has(name)) return [];
  if (!plain) {
    const wanted = 'names of hosts and groups, with commas between them';
    return [{ code: 'E_UNSUPPORTED', found: `the limit holds the pattern "${name}"`, wanted }];
  }
  const found = `the limit names "${name}", which is neither a host nor a group of the inventory`;
  return [{ code: 'E_LIMIT', found, fix: 'ansible-inventory --graph shows all names' }];
}

function emptyLimit(found: string): Fault {
  const wanted = 'at least one host of the inventory';
  return { code: 'E_LIMIT', found, wanted, fix: 'leave the option out for all hosts' };
}

function isWithin(host: GraphHost, names: ReadonlySet<string>): boolean {
  if (names.has('all') || names.has(host.name)) return true;
  return host.groups.some((group) => names.has(group.name));
}
