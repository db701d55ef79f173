// Which hosts a limit leaves: names and patterns, joined, then `&` narrows and `!` takes away.
import { InputError } from '../errors.ts';
import type { Fault } from '../errors.ts';
import type { GraphHost, InventoryGraph } from './group-graph.ts';
import { hostsBelow } from './host-order.ts';
import { splitLimit } from './limit-text.ts';
import type { LimitPattern } from './limit-text.ts';
import { compileGlob, compileRegex } from './name-pattern.ts';
import type { NameTest } from './name-pattern.ts';

export interface LimitOptions {
  /** Undefined: all hosts. */
  readonly limit: string | undefined;
  /** What `@file` is relative to. */
  readonly cwd: string;
  /** Gives a question such as "did you mean 'web'?" for a name that is not known. */
  readonly didYouMean: (name: string, known: Iterable<string>) => string | undefined;
}

/** A place in a list: one index, or from `start` to `end`, both included. */
interface Slice {
  readonly start: number;
  /** Null: only `start`. */
  readonly end: number | null;
}

type Complaint = Pick<Fault, 'code' | 'found' | 'fix'>;

const WITH_SLICE = /^(.+)\[(?:(-?[0-9]+)|([0-9]+)[:-]([0-9]*))\]$/;

/**
 * Gives the hosts within the limit, in the order in which Ansible lists all hosts. Throws
 * InputError for every pattern that matches neither a host nor a group, for a limit that leaves no
 * host, and for patterns of which Python and JavaScript may think differently.
 * @see https://docs.ansible.com/ansible/latest/inventory_guide/intro_patterns.html
 */
export function selectHosts(graph: InventoryGraph, options: LimitOptions): GraphHost[] {
  const all = hostsBelow(graph.groups, 'all').names.flatMap((name) => graph.hosts.get(name) ?? []);
  if (options.limit === undefined) return all;
  const patterns = splitLimit(options.limit, options.cwd);
  if (patterns.length === 0) throw new InputError(emptyLimit('the limit is empty'));
  const faults: Fault[] = [];
  const match = (pattern: LimitPattern): ReadonlySet<string> =>
    matchOrFault(graph, pattern, options.didYouMean, faults);
  const first = patterns.filter(({ text }) => !/^[&!]/.test(text));
  const narrowed = patterns.filter(({ text }) => text.startsWith('&')).map(match);
  const removed = patterns.filter(({ text }) => text.startsWith('!')).map(match);
  const joined = (first.length === 0 ? [{ text: 'all' }] : first).map(match);
  if (faults.length > 0) throw new InputError(faults);
  const selected = all.filter(
    ({ name }) =>
      joined.some((names) => names.has(name)) &&
      narrowed.every((names) => names.has(name)) &&
      !removed.some((names) => names.has(name)),
  );
  if (selected.length === 0) throw new InputError(emptyLimit('the limit leaves no host'));
  return selected;
}

function emptyLimit(found: string): Fault {
  const wanted = 'at least one host of the inventory';
  return { code: 'E_LIMIT', found, wanted, fix: 'leave the option out for all hosts' };
}

function matchOrFault(
  graph: InventoryGraph,
  pattern: LimitPattern,
  didYouMean: LimitOptions['didYouMean'],
  faults: Fault[],
): ReadonlySet<string> {
  const text = pattern.text.replace(/^[&!]/, '');
  if (graph.hosts.has(text)) return new Set([text]);
  const names = matchPattern(graph, text);
  if (Array.isArray(names)) return new Set(names);
  const { at } = pattern;
  const fix =
    didYouMean(text, [...graph.groups.keys(), ...graph.hosts.keys()]) ??
    'ansible-inventory --graph shows all names';
  faults.push({ at, fix, ...names });
  return new Set();
}

/** Gives what matches, or what is wrong with the pattern. */
function matchPattern(graph: InventoryGraph, text: string): string[] | Complaint {
  const [expression, slice] = splitSlice(text);
  const test = compile(graph, expression);
  if (test === null) {
    const found = `the limit holds the pattern "${text}", which cannot be read as Ansible reads it`;
    return { code: 'E_UNSUPPORTED', found, fix: 'write simpler patterns, or names' };
  }
  const groups = [...graph.groups.keys()].filter(test);
  const withHosts = groups.length === 0 || /^~|[.?*[]/.test(expression);
  const hosts = withHosts ? [...graph.hosts.keys()].filter(test) : [];
  const found = `the limit names "${text}", which matches neither a host nor a group of the inventory`;
  if (groups.length === 0 && hosts.length === 0) return { code: 'E_LIMIT', found };
  const below = groups.map((name) => hostsBelow(graph.groups, name));
  const names = [...below.flatMap((group) => group.names), ...hosts];
  if (slice === null || names.length === 0) return names;
  if (below.every(({ isSettled }) => isSettled)) return take(names, slice, text);
  return {
    code: 'E_UNSUPPORTED',
    found: `the limit takes a slice in "${text}", and Ansible orders these hosts anew at every run`,
    fix: 'name the hosts, or take the slice of a group without groups in groups',
  };
}

function splitSlice(text: string): [expression: string, slice: Slice | null] {
  const match = text.startsWith('~') ? null : WITH_SLICE.exec(text);
  if (match === null) return [text, null];
  const [, expression = '', index, start, end] = match;
  if (index !== undefined) return [expression, { start: Number(index), end: null }];
  const last = end === '' ? Number.POSITIVE_INFINITY : Number(end);
  // To Ansible an end of 0 is no end.
  return [expression, { start: Number(start), end: last === 0 ? null : last }];
}

function take(names: readonly string[], { start, end }: Slice, text: string): string[] | Complaint {
  if (end !== null) return names.slice(start, end + 1);
  const name = names.at(start);
  if (name !== undefined) return [name];
  return { code: 'E_LIMIT', found: `the limit "${text}" counts ${names.length} hosts, too few` };
}

/** A regular expression is only read where all names are ASCII: there `\w` means the same to all. */
function compile(graph: InventoryGraph, expression: string): NameTest | null {
  if (expression === '') return null;
  if (!expression.startsWith('~')) return compileGlob(expression);
  const names = [...graph.groups.keys(), ...graph.hosts.keys()];
  const isPlain = names.every((name) => /^[\x20-\x7e]*$/.test(name));
  return isPlain ? compileRegex(expression.slice(1)) : null;
}
