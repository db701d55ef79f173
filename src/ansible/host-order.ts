// The order of the hosts of a group: its own, its children's, and so on downwards.
import type { GraphGroup } from './group-graph.ts';

export interface OrderedHosts {
  readonly names: readonly string[];
  /** False where Ansible orders the hosts in another way at every run. */
  readonly isSettled: boolean;
}

/** Gives the hosts in and below a group, each once, in the order in which Ansible lists them. */
export function hostsBelow(groups: ReadonlyMap<string, GraphGroup>, name: string): OrderedHosts {
  const { ordered, settled } = groupsBelow(groups, name);
  const names = new Set<string>();
  let isSettled = true;
  for (const [index, group] of ordered.entries()) {
    const before = names.size;
    for (const host of groups.get(group)?.hosts ?? []) names.add(host);
    if (index >= settled && names.size > before) isSettled = false;
  }
  return { names: [...names], isSettled };
}

/**
 * Level by level. Ansible goes through the groups of a level in the order of a Python set, which is
 * another one in every process, so that from the third level on the order is chance: `settled`
 * groups come before that.
 */
function groupsBelow(
  groups: ReadonlyMap<string, GraphGroup>,
  name: string,
): { ordered: readonly string[]; settled: number } {
  const childrenOf = (group: string): readonly string[] => groups.get(group)?.children ?? [];
  let level: readonly string[] = [name, ...childrenOf(name)];
  const ordered = new Set(level);
  let settled = Number.POSITIVE_INFINITY;
  while (level.length > 0) {
    const found = level
      .map((group) => childrenOf(group).filter((child) => !ordered.has(child)))
      .filter((children) => children.length > 0);
    const next = new Set(found.flat());
    if (found.length > 1 && next.size > 1) settled = Math.min(settled, ordered.size);
    for (const child of next) ordered.add(child);
    level = [...next];
  }
  return { ordered: [...ordered], settled };
}
