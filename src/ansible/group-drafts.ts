// The groups of all inventory sources joined by name, before anything is computed from them.
import type { InventoryGroup, InventoryHost, ReadSource } from './inventory.ts';

/** Something that stands in one inventory source. */
export interface SourceOf<T> {
  readonly source: ReadSource;
  readonly value: T;
}

/** Of a host: at least one source names it. */
export type HostDefinitions = readonly [SourceOf<InventoryHost>, ...SourceOf<InventoryHost>[]];

export interface GroupDraft {
  readonly name: string;
  /** The group as each source that names it has it, in the order of the sources. */
  readonly definitions: SourceOf<InventoryGroup>[];
  readonly children: Set<string>;
  readonly parents: Set<string>;
  /** Hosts that stand in the group itself. */
  readonly hosts: Set<string>;
}

export type GroupDrafts = ReadonlyMap<string, GroupDraft>;

/**
 * Joins the groups of the sources, in the order in which they are named; every group without a
 * parent becomes a child of `all`.
 */
export function draftGroups(sources: readonly ReadSource[]): GroupDrafts {
  const drafts = new Map<string, GroupDraft>();
  for (const name of ['all', 'ungrouped']) draftOf(drafts, name);
  for (const source of sources) for (const name of source.groups.keys()) draftOf(drafts, name);
  draftOf(drafts, 'all').children.add('ungrouped');
  draftOf(drafts, 'ungrouped').parents.add('all');
  for (const source of sources) {
    for (const group of source.groups.values()) {
      const draft = draftOf(drafts, group.name);
      draft.definitions.push({ source, value: group });
      for (const host of group.hosts) draft.hosts.add(host);
      for (const child of group.children) {
        draft.children.add(child);
        draftOf(drafts, child).parents.add(group.name);
      }
    }
  }
  for (const draft of drafts.values()) adoptOrphan(drafts, draft);
  return drafts;
}

/** Gives each group after all its parents; groups in or below a loop are left out. */
export function orderByParents(drafts: GroupDrafts): string[] {
  const waiting = new Map<string, number>();
  for (const draft of drafts.values()) waiting.set(draft.name, draft.parents.size);
  const ordered = [...waiting].filter(([, parents]) => parents === 0).map(([name]) => name);
  for (const name of ordered) {
    for (const child of drafts.get(name)?.children ?? []) {
      const left = (waiting.get(child) ?? 0) - 1;
      waiting.set(child, left);
      if (left === 0) ordered.push(child);
    }
  }
  return ordered;
}

function draftOf(drafts: Map<string, GroupDraft>, name: string): GroupDraft {
  const known = drafts.get(name);
  if (known !== undefined) return known;
  const draft: GroupDraft = {
    name,
    definitions: [],
    children: new Set(),
    parents: new Set(),
    hosts: new Set(),
  };
  drafts.set(name, draft);
  return draft;
}

function adoptOrphan(drafts: Map<string, GroupDraft>, draft: GroupDraft): void {
  if (draft.name === 'all' || draft.parents.size > 0) return;
  draft.parents.add('all');
  draftOf(drafts, 'all').children.add(draft.name);
}
