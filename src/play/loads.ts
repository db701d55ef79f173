// What a running play does not know yet: Ansible reads host_vars once, at its start. The role loads
// what is named here; values stand in none of it.
import type { Action } from '../plan/types.ts';
import type { Outcome } from '../report/types.ts';
import type { YamlNode } from '../yaml/node.ts';

/** A file with variables that the play is to get. */
export interface Load {
  /** Absolute. */
  readonly file: string;
  /** Our own file, which holds nothing else; of any other only `names` are wanted. */
  readonly own: boolean;
  readonly names: readonly string[];
}

/** Gives the files to load after a run. */
export function findLoads(actions: readonly Action[], outcomes: readonly Outcome[]): Load[] {
  const changed = new Set(outcomes.filter(({ outcome }) => outcome === 'changed').map(nameOf));
  const loads = new Map<string, Load>();
  for (const action of actions) {
    const names = namesToLoad(action, changed.has(action.definition.name));
    if (names.length === 0) continue;
    const { file, isDefault: own } = action.target;
    const known = loads.get(file)?.names ?? [];
    loads.set(file, { file, own, names: [...new Set([...known, ...names])] });
  }
  return [...loads.values()];
}

function namesToLoad(action: Action, isStored: boolean): readonly string[] {
  if (action.kind === 'present') return action.unseen;
  if (action.kind !== 'login' || !isStored) return [];
  const { accessToken, deviceId } = action.write;
  return deviceId === null ? [accessToken[0]] : [accessToken[0], deviceId[0]];
}

function nameOf({ service }: Outcome): string {
  return service;
}

/** Stands in check mode for what a real run would write; another check takes it for nothing. */
export const STAND_IN = 'MATRIX_TOKENS_WRITES_IT_HERE';

export type StandIn = string | { readonly [key: string]: StandIn };

/** Gives values for the variables that a real run would write, so that later tasks can be checked. */
export function findStandIns(actions: readonly Action[]): { name: string; value: StandIn }[] {
  const tree: Record<string, StandIn> = {};
  for (const action of actions) {
    if (action.kind !== 'login') continue;
    const { accessToken, deviceId } = action.write;
    for (const path of deviceId === null ? [accessToken] : [accessToken, deviceId]) {
      insert(tree, path);
    }
  }
  return Object.entries(tree).map(([name, value]) => ({ name, value }));
}

/** Tells whether a look in the same play has set this value: it is as good as none. */
export function isStandIn(node: YamlNode): boolean {
  if (node.kind === 'scalar') return node.value === STAND_IN;
  return node.kind === 'map' && node.entries.some(({ value }) => isStandIn(value));
}

function insert(tree: Record<string, StandIn>, [key = '', ...rest]: readonly string[]): void {
  if (rest.length === 0) {
    tree[key] = STAND_IN;
    return;
  }
  const inner = tree[key];
  const map: Record<string, StandIn> = typeof inner === 'object' ? { ...inner } : {};
  insert(map, rest);
  tree[key] = map;
}
