// Inventories made up by fast-check: groups in groups, several sources in YAML and INI, vars files
// and folders in every place and with every odd name.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type Vars = Record<string, Json>;

interface GeneratedGroup {
  readonly vars: Vars;
  /** Indexes of groups; only later ones become children, so that there is no loop. */
  readonly children: readonly number[];
  readonly hosts: readonly number[];
  readonly priority: number | null;
}

interface GeneratedHost {
  readonly vars: Vars;
  /** Some hosts are named by a range. */
  readonly range: boolean;
  readonly port: number | null;
}

interface GeneratedSource {
  readonly format: 'yaml' | 'ini' | 'json';
  readonly folder: string;
  readonly file: string;
  /** YAML only: all groups stand below `all`. */
  readonly nested: boolean;
  readonly vars: { readonly all: Vars; readonly ungrouped: Vars };
  readonly groups: readonly (GeneratedGroup | null)[];
  /** By index of the host; null: named nowhere but in groups. */
  readonly hosts: readonly (GeneratedHost | null)[];
}

interface GeneratedFile {
  readonly base: string;
  readonly of: string;
  readonly path: string;
  readonly text: string;
}

export interface GeneratedInventory {
  readonly sources: readonly GeneratedSource[];
  readonly files: readonly GeneratedFile[];
  readonly extra: readonly Vars[];
  readonly hostList: string | null;
  /** Give the folders of the sources instead of their files. */
  readonly asFolders: boolean;
}

const GROUPS = ['web', 'B', 'a_b', 'zz', 'k8s-node', 'Web2'];
const HOSTS = ['h0', 'h1.example.com', '10.0.0.1', 'H2', 'localhost', 'h-5'];
const NAMES = ['v0', 'v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7'];
const FOLDERS = ['inv', 'inv2', 'play', 'play', 'inv/sub'];
const PLAIN_ENDINGS = ['', '.yml', '.yaml', '.json', '.txt', '~'];
const PATHS_INSIDE = (
  'main main.yml a.yaml z.json B.yml 10.yml 9.yml é.yml ~x.yml ' +
  '.hidden.yml b.yml~ c.bak d.yml.bak vault.vault e.YML f. g.cfg ' +
  'sub/x.yml sub/y sub/deep/x.yml sub.d/x.yml .git/x.yml old~/x.yml'
)
  .split(' ')
  .map((path) => `/${path}`);

const value: fc.Arbitrary<Json> = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[a-z]{1,3}$/) },
  fc.integer({ min: -9, max: 9 }),
  fc.constantFrom<Json>(null, true, false, '', '{{ v0 }}', 'yes', '0644', '1.0', 'é', 1.5, 'a: b'),
  fc.constantFrom<Json>([], {}, ['x', 1], { k: 'x' }, { k: { l: null } }),
  fc.constantFrom<Json>({ k: { l: 1, m: [] } }, { k: { m: 'y' }, n: 0 }, { n: { o: 'z' } }),
);

const vars: fc.Arbitrary<Vars> = fc.dictionary(
  fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom(...NAMES) },
    fc.constantFrom('ansible_group_priority', 'ansible_host', 'inventory_dir'),
  ),
  value,
  { maxKeys: 5 },
);

/** Variables of a group or host in an inventory, where a priority must be a number. */
const plainVars = vars.map((all) =>
  Object.fromEntries(Object.entries(all).filter(([name]) => name !== 'ansible_group_priority')),
);

const group: fc.Arbitrary<GeneratedGroup> = fc.record({
  vars: plainVars,
  children: fc.uniqueArray(fc.nat(GROUPS.length - 1), { maxLength: 3 }),
  hosts: fc.uniqueArray(fc.nat(HOSTS.length - 1), { maxLength: 4 }),
  priority: fc.option(fc.integer({ min: -3, max: 12 }), { freq: 3 }),
});

const host: fc.Arbitrary<GeneratedHost> = fc.record({
  vars: plainVars,
  range: fc.boolean(),
  port: fc.option(fc.integer({ min: 1, max: 9999 }), { freq: 2 }),
});

const source: fc.Arbitrary<GeneratedSource> = fc
  .record({
    format: fc.constantFrom('yaml', 'ini', 'json'),
    folder: fc.constantFrom(...FOLDERS),
    name: fc.constantFrom('hosts', 'second', 'a.hosts'),
    ending: fc.boolean(),
    nested: fc.boolean(),
    vars: fc.record({ all: plainVars, ungrouped: plainVars }),
    groups: fc.tuple(...GROUPS.map(() => fc.option(group, { freq: 3 }))),
    hosts: fc.tuple(...HOSTS.map(() => fc.option(host, { freq: 2 }))),
  })
  .map(({ name, ending, ...source }) =>
    Object.assign(source, { file: fileName(source.format, name, ending) }),
  );

/** Without an extension Ansible finds the format out by itself; others are INI. */
function fileName(format: GeneratedSource['format'], name: string, ending: boolean): string {
  const plain = name.replace('.', '_');
  if (format === 'ini') return ending ? `${plain}.inv` : name;
  if (format === 'json') return ending ? `${plain}.json` : plain;
  return ending ? `${plain}.yml` : plain;
}

const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(vars, fc.boolean()).map((parts) => varsText(...parts)) },
  fc.constantFrom('', '{}', '---\n', '# only a comment\n', '[]', 'false', '0', '~'),
);

/** Several files of one group or host in one place, so that they meet. */
const files: fc.Arbitrary<readonly GeneratedFile[]> = fc
  .record({
    base: fc.constantFrom(...FOLDERS),
    of: fc.constantFrom(
      'group_vars/all',
      ...['all', 'ungrouped', ...GROUPS].map((name) => `group_vars/${name}`),
      ...HOSTS.map((name) => `host_vars/${name}`),
    ),
    written: fc.oneof(
      fc.array(fc.tuple(fc.constantFrom(...PLAIN_ENDINGS), text), { maxLength: 2 }),
      fc.array(fc.tuple(fc.constantFrom(...PATHS_INSIDE), text), { maxLength: 8 }),
    ),
  })
  .map(({ base, of, written }) => written.map(([path, text]) => ({ base, of, path, text })));

/** An inventory with its files and extra vars; `writeInventory` puts it on disk. */
export const generatedInventory: fc.Arbitrary<GeneratedInventory> = fc.record({
  sources: fc.array(source, { minLength: 1, maxLength: 3 }),
  files: fc.array(files, { maxLength: 16, size: 'max' }).map((clusters) => clusters.flat()),
  extra: fc.array(vars, { maxLength: 2 }),
  hostList: fc.option(
    fc.constantFrom('h0,', 'new, H2', 'new1,new2,', 'h0:22,[::1]:23,new', '10.0.0.1:2222,::1'),
    { freq: 6 },
  ),
  asFolders: fc.boolean(),
});

const limitPattern: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('', '', '', '&', '!'),
    fc.oneof(
      fc.constantFrom(...GROUPS, ...HOSTS, 'all', 'ungrouped', 'gone'),
      fc.constantFrom('*', 'h*', '*e*', '[Hh]?', '[!h]*', '?eb', 'w*', 'h[0-9]*', '10.*', 'z[z]'),
      fc.constantFrom('~h', '~.*b$', '~[a-hB]', '~(we|zz)', String.raw`~h\d\.`, '~.*-', '~H?2$'),
    ),
    fc.constantFrom('', '', '', '[0]', '[-1]', '[1]', '[0:1]', '[1:]', '[2:1]', '[0:0]', '[-7]'),
  )
  .map((parts) => parts.join(''));

/** Limits for such an inventory, some of which match nothing. */
export const generatedLimits: fc.Arbitrary<string[]> = fc.array(
  fc
    .tuple(fc.array(limitPattern, { minLength: 1, maxLength: 4 }), fc.constantFrom(':', ',', ', '))
    .map(([patterns, separator]) => patterns.join(separator)),
  { minLength: 1, maxLength: 8 },
);

/** Writes an inventory below `folder`. Gives its `-i` and `-e` values; the playbook is in `play`. */
export function writeInventory(
  folder: string,
  inventory: GeneratedInventory,
): { inventory: string[]; extraVars: string[]; playbookDir: string } {
  mkdirSync(join(folder, 'play'), { recursive: true });
  for (const { base, of, path, text } of inventory.files)
    writeUnlessTaken(join(folder, base, of) + path, text);
  const sources = inventory.sources.map((source, index) => {
    const path = join(source.folder, `${index}-${source.file}`);
    writeUnlessTaken(join(folder, path), sourceText(source));
    return path;
  });
  const extraVars = inventory.extra.map((vars, index) => {
    if (index === 0) return JSON.stringify(vars);
    writeFileSync(join(folder, 'extra.yml'), varsText(vars, true));
    return `@${join(folder, 'extra.yml')}`;
  });
  const hostList = inventory.hostList === null ? [] : [inventory.hostList];
  const folders = [...new Set(inventory.sources.map((source) => source.folder))];
  const given = inventory.asFolders ? folders : sources;
  return { inventory: [...given, ...hostList], extraVars, playbookDir: join(folder, 'play') };
}

/** Some paths are a file of one generated entry and a folder of another: the first stays. */
function writeUnlessTaken(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { flag: 'wx' });
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EEXIST', 'ENOTDIR', 'EISDIR'].includes(code)) throw error;
  }
}

function varsText(vars: Vars, block: boolean): string {
  if (!block) return JSON.stringify(vars);
  const lines = Object.entries(vars).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
  return lines.length === 0 ? '{}\n' : `${lines.join('\n')}\n`;
}

function sourceText(source: GeneratedSource): string {
  if (source.format === 'ini') return iniText(source);
  const data = groupTree(source);
  return source.format === 'json' ? JSON.stringify(data, null, 1) : yamlText(data);
}

function groupTree(source: GeneratedSource): Record<string, Json> {
  const groups = Object.fromEntries(groupsOf(source));
  const all = { hosts: Object.fromEntries(hostsOf(source)), vars: source.vars.all };
  const ungrouped = { vars: source.vars.ungrouped };
  return source.nested
    ? { all: { ...all, children: { ungrouped, ...groups } } }
    : { all, ungrouped, ...groups };
}

function hostsOf(source: GeneratedSource): [string, Vars][] {
  return source.hosts.flatMap((host, index): [string, Vars][] => {
    if (host === null) return [];
    const port = host.port === null ? '' : `:${host.port}`;
    const ranges = ['h[0:1]', 'h-[3:7:2]'];
    return [[`${(host.range ? ranges[index] : null) ?? HOSTS[index] ?? ''}${port}`, host.vars]];
  });
}

function groupsOf(source: GeneratedSource): [string, Json][] {
  return source.groups.flatMap((group, index): [string, Json][] => {
    if (group === null) return [];
    const name = GROUPS[index] ?? '';
    const children = childrenOf(group, index).map((child) => [child, null]);
    const hosts = group.hosts.map((host) => [HOSTS[host] ?? '', null]);
    const vars = { ...group.vars, ...priorityOf(group) };
    return [
      [name, { vars, children: Object.fromEntries(children), hosts: Object.fromEntries(hosts) }],
    ];
  });
}

function childrenOf(group: GeneratedGroup, index: number): string[] {
  return group.children.filter((child) => child > index).map((child) => GROUPS[child] ?? '');
}

function priorityOf(group: GeneratedGroup): Vars {
  return group.priority === null ? {} : { ansible_group_priority: group.priority };
}

/** Block style for groups and their sections, below them JSON. */
function yamlText(data: Readonly<Record<string, Json>>): string {
  const groups = Object.entries(data).map(([name, sections]) => {
    const lines = Object.entries(sections ?? {}).map(
      ([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`,
    );
    return `${name}:\n${lines.join('')}`;
  });
  return groups.join('');
}

function iniText(source: GeneratedSource): string {
  const lines = hostsOf(source).map(([host, vars]) => `${host} ${iniPairs(vars)}`.trim());
  lines.push('[all:vars]', ...iniVars(source.vars.all));
  lines.push('[ungrouped:vars]', ...iniVars(source.vars.ungrouped));
  for (const [index, group] of source.groups.entries()) {
    if (group === null) continue;
    const name = GROUPS[index] ?? '';
    lines.push(`[${name}]`, ...group.hosts.map((host) => HOSTS[host] ?? ''));
    const children = childrenOf(group, index);
    if (children.length > 0) lines.push(`[${name}:children]`, ...children);
    lines.push(`[${name}:vars]`, ...iniVars({ ...group.vars, ...priorityOf(group) }));
    for (const child of children) lines.push(`[${child}]`);
  }
  return `${lines.join('\n')}\n`;
}

function iniVars(vars: Vars): string[] {
  return Object.entries(vars).map(([key, value]) => `${key} = ${python(value)}`);
}

function iniPairs(vars: Vars): string {
  return Object.entries(vars)
    .map(([key, value]) => `${key}='${python(value).replaceAll("'", '"')}'`)
    .join(' ');
}

/** A Python literal, or the bare text of a string. */
function python(value: Json): string {
  if (typeof value === 'string') return value;
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return JSON.stringify(value).replaceAll('null', 'None').replaceAll('true', 'True');
}
