// Variables that Ansible itself defines for a host. Their place is where the inventory names it.
import { dirname } from 'node:path';
import type { Position } from '../errors.ts';
import type { MapEntry, YamlNode } from '../yaml/node.ts';
import { compareNames } from './group-graph.ts';
import type { GraphHost } from './group-graph.ts';
import type { Layer } from './layer.ts';

/** Gives what is set when the inventory names the host: its own variables win over it. */
export function originLayer(host: GraphHost): Layer {
  const { file, path } = host.definitions[0].source;
  // For a list of hosts Ansible really has the text "None".
  const folder = path === null ? 'None' : dirname(path);
  return magicLayer(host, { inventory_file: path ?? file, inventory_dir: folder });
}

/** Gives what wins over the inventory, but not over host_vars and extra vars. */
export function identityLayer(host: GraphHost): Layer {
  return magicLayer(host, {
    inventory_hostname: host.name,
    inventory_hostname_short: shortName(host.name),
    group_names: host.groups.map((group) => group.name).sort(compareNames),
  });
}

/** Gives what wins over everything. */
export function playbookLayer(host: GraphHost, playbookDir: string): Layer {
  return magicLayer(host, { playbook_dir: playbookDir });
}

function magicLayer(host: GraphHost, values: Readonly<Record<string, string | string[]>>): Layer {
  const { at } = host.definitions[0].value;
  const vars = new Map<string, MapEntry>();
  for (const [key, value] of Object.entries(values))
    vars.set(key, { at, key, value: magicNode(value, at) });
  return { kind: 'magic', file: at.file, path: null, of: host.name, vars, encrypted: false };
}

/** Never templated, like everything that comes from a name. */
function magicNode(value: string | readonly string[], at: Position): YamlNode {
  return typeof value === 'string'
    ? { kind: 'scalar', at, value, tag: 'unsafe' }
    : { kind: 'seq', at, items: value.map((item) => magicNode(item, at)) };
}

/** The part before the first dot, but IP addresses stay whole. */
function shortName(name: string): string {
  const isAddress = /^\d{1,3}(?:\.\d{1,3}){3}$/.test(name) || name.includes(':');
  return isAddress ? name : name.replace(/\..*$/s, '');
}
