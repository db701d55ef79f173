// What Ansible refuses in the groups and names of an inventory, and what it does with them in ways
// that nobody wants.
import type { Fault, Position } from '../errors.ts';
import { orderByParents } from './group-drafts.ts';
import type { GroupDraft, GroupDrafts, HostDefinitions } from './group-drafts.ts';

/** Gives a fault for every name that cannot be used and for every loop of groups. */
export function checkGroups(
  drafts: GroupDrafts,
  hosts: ReadonlyMap<string, HostDefinitions>,
): Fault[] {
  const faults = [...drafts.values()].flatMap((draft) =>
    checkName('group', draft.name, placeOf(draft)),
  );
  for (const [name, [first]] of hosts) {
    const { at } = first.value;
    faults.push(...checkName('host', name, at));
    if (drafts.has(name)) faults.push(nameClash(name, at));
  }
  return [...faults, ...checkUngrouped(drafts), ...checkLoops(drafts)];
}

/** Names become paths; `$` is expanded by Ansible when it looks for files. */
function checkName(what: string, name: string, at: Position | undefined): Fault[] {
  if (!/[/$\0]|\.\.|^\.$/.test(name)) return [];
  const found = `the name of the ${what} "${name}" cannot be the name of a file`;
  return [{ code: 'E_INVENTORY', at, found, wanted: 'a name without "/", ".." and "$"' }];
}

function nameClash(name: string, at: Position | undefined): Fault {
  return {
    code: 'E_UNSUPPORTED',
    at,
    found: `"${name}" is the name of a host and of a group`,
    wanted: 'different names, since Ansible mixes up the variables of the two',
  };
}

/** Ansible moves hosts out of `ungrouped` in ways that depend on its place in the graph. */
function checkUngrouped(drafts: GroupDrafts): Fault[] {
  const ungrouped = drafts.get('ungrouped');
  if (ungrouped === undefined) return [];
  if (ungrouped.children.size === 0 && [...ungrouped.parents].join('/') === 'all') return [];
  const found = 'the group "ungrouped" has children, or is a child of another group than "all"';
  return [{ code: 'E_UNSUPPORTED', at: placeOf(ungrouped), found, wanted: 'a group of your own' }];
}

function checkLoops(drafts: GroupDrafts): Fault[] {
  const looped = new Set(drafts.keys());
  for (const name of orderByParents(drafts)) looped.delete(name);
  const [first] = [...looped].flatMap((name) => drafts.get(name) ?? []);
  if (first === undefined) return [];
  const found = `groups are children of each other: ${[...looped].join(', ')}`;
  return [{ code: 'E_INVENTORY', at: placeOf(first), found, wanted: 'groups without a loop' }];
}

function placeOf(draft: GroupDraft): Position | undefined {
  return draft.definitions.find((definition) => definition.value.at !== undefined)?.value.at;
}
