// An inventory made up by fast-check, with what stands around it: settings of Ansible, encrypted
// files, programs, and text that Ansible or we may refuse.
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { Secret } from '../../src/secret.ts';
import { encryptText } from '../../src/vault/keyring.ts';
import { generatedInventory, writeInventory } from './generated-inventory.ts';
import type { GeneratedInventory } from './generated-inventory.ts';

/** What a run would be given to open the encrypted files of a case. */
export const CASE_SECRET = { label: 'default', password: new Secret('correct horse') };

interface Settings {
  readonly mergeMaps: boolean;
  /** Where it is said: in a file of the current folder, of the home folder, named, or nowhere. */
  readonly place: 'ansible.cfg' | 'home/.ansible.cfg' | 'named.cfg' | 'environment';
  /** The inventories stand in the file, too, instead of on the command line. */
  readonly listsInventory: boolean;
  /** Everybody may write to the current folder, so that its ansible.cfg does not count. */
  readonly isOpen: boolean;
  /** A setting that changes what is read. */
  readonly odd: string | null;
}

interface Hazard {
  /** Which of the files gets the text; counted round. */
  readonly file: number;
  /** Where in the file, from 0 to 1. */
  readonly place: number;
  readonly text: string;
}

export interface GeneratedCase {
  readonly inventory: GeneratedInventory;
  readonly settings: Settings | null;
  readonly hazard: Hazard | null;
  /** Which of the files are encrypted, by index; counted round. */
  readonly encrypted: readonly number[];
  /** What a program among the inventories prints; null: there is none. */
  readonly program: string | null;
}

/** A case on disk, as both sides get it. */
export interface WrittenCase {
  readonly inventory: readonly string[];
  readonly extraVars: readonly string[];
  readonly playbookDir: string;
  /** What is set in the environment; an empty text stands for what is not. */
  readonly env: Readonly<Record<string, string>>;
  /** Null: nothing is encrypted. */
  readonly passwordFile: string | null;
}

const settings: fc.Arbitrary<Settings> = fc.record({
  mergeMaps: fc.boolean(),
  place: fc.constantFrom('ansible.cfg', 'home/.ansible.cfg', 'named.cfg', 'environment'),
  listsInventory: fc.boolean(),
  isOpen: fc.nat(4).map((n) => n === 0),
  odd: fc.option(
    fc.constantFrom(
      '[inventory]\nignore_extensions = .yml',
      '[inventory]\nenable_plugins = yaml, ini',
      '[defaults2]\nhash_behaviour = merge',
      '[defaults]\nforks = 3',
      'hash_behaviour merge',
      '[inventory]\nenable_plugins = host_list, script, auto, yaml, ini, toml',
    ),
    { freq: 6 },
  ),
});

/** Lines that mean something else than they seem to, or nothing, in YAML, INI or JSON. */
const HAZARDS = [
  ['v0: 1\n', 'v1: {{ v0 }}\n', '\tv2: x\n', 'v3: !what x\n', 'v4: =\n', '<<: *gone\n', '---\n'],
  ['...\n', '? v5\n', '- v6\n', 'v7: "open\n', "v0: 'open\n", 'v1: [1, 2\n', '}\n', '%TAG x\n'],
  ['v2: !vault x\n', 'v3: !unsafe "{{ v0 }}"\n', 'v4: 2024-13-01\n', 'v5: 08\n', 'v6: 0x_\n'],
  ['[web]\n', '[web:vars]\nv6=1\n', '[web:odd]\n', '[web\n', '[B:children]\ngone\n', 'h9\n'],
  ['h0 v7=1 junk\n', 'h0 v0="open\n', 'h[0:\n', 'h[3:1]\n', 'h[00:02] v1=x\n', 'a*\n', 'h0:22\n'],
  ['v0={1, 2}\n', 'v1=1j\n', "v2=b'x'\n", 'v3 = 0o17\n', '[all:vars]\nv4 = [1, {"a": (2,)}]\n'],
  ['plugin: constructed\n', 'all: {hosts: [h0]}\n', 'web: {odd: 1}\n', 'web: text\n', '\r\n', '\0'],
  ['\u2028', '\ufeff', '\u0085', '# é\n', 'é: é\n', '~: 1\n', '1: x\n', 'yes: x\n', '{}\n', '[]\n'],
  ['web: {children: {B: {children: {web: {}}}}}\n', 'v0: {k: {l: 1}}\nv0: {k: {m: 2}}\n'],
  ['web: {hosts: {h0: {v0: {k: {l: 1}}}, h0: {v0: {k: {m: 2}}}}}\n'],
  ['[web:vars]\nv0={"k": {"x": 1}}\nv0={"k": {"y": 2}, "z": 3}\n'],
].flat();

const hazard: fc.Arbitrary<Hazard> = fc.record({
  file: fc.nat(),
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  text: fc.constantFrom(...HAZARDS),
});

const program: fc.Arbitrary<string> = fc
  .record({
    web: fc.constantFrom<object>({ hosts: ['h0', 'new'] }, { children: ['zz'], vars: { v0: 'w' } }),
    zz: fc.constantFrom<object>({ hosts: ['h0'] }, { vars: { v1: { k: 'z' } } }, ['h0', 'new2']),
    _meta: fc.constantFrom<object>(
      { hostvars: {} },
      { hostvars: { h0: { v2: 'p', v3: { k: { p: 1 } } }, new: { v0: '{{ v2 }}' } } },
    ),
  })
  .map((listing) => JSON.stringify(listing));

/** A case; most of what may stand around an inventory is absent from most. */
export const generatedCase: fc.Arbitrary<GeneratedCase> = fc.record({
  inventory: generatedInventory,
  settings: fc.option(settings, { freq: 2 }),
  hazard: fc.option(hazard, { freq: 2 }),
  encrypted: fc.oneof(
    { weight: 5, arbitrary: fc.constant([]) },
    fc.array(fc.nat(), { minLength: 1, maxLength: 2 }),
  ),
  program: fc.oneof({ weight: 30, arbitrary: fc.constant(null) }, program),
});

/** Writes a case below `folder`, which is also where both sides stand. */
export async function writeCase(folder: string, one: GeneratedCase): Promise<WrittenCase> {
  const written = writeInventory(folder, one.inventory);
  const programs = one.program === null ? [] : [writeProgram(folder, one.program)];
  const files = writtenFiles(folder, one.inventory);
  if (one.hazard !== null) plant(files, one.hazard);
  const passwordFile = await encrypt(folder, files, one.encrypted);
  const inventory = [...written.inventory, ...programs];
  const given = { ...written, inventory, passwordFile };
  return one.settings === null
    ? { ...given, env: environment(folder) }
    : writeSettings(folder, one.settings, given);
}

/** Nothing of the machine's own settings counts. */
function environment(folder: string): Record<string, string> {
  return { HOME: join(folder, 'home') };
}

function writeProgram(folder: string, listing: string): string {
  const path = 'program';
  writeFileSync(join(folder, path), `#!/bin/sh\ncat <<'END'\n${listing}\nEND\n`, { mode: 0o755 });
  return path;
}

/** Inventories first, then vars files; some were not written, since their place was taken. */
function writtenFiles(folder: string, { sources, files }: GeneratedInventory): string[] {
  const paths = [
    ...sources.map(({ folder: base, file }, index) => join(folder, base, `${index}-${file}`)),
    ...files.map(({ base, of, path }) => join(folder, base, of) + path),
  ];
  return [...new Set(paths)].filter((path) => existsSync(path) && statSync(path).isFile());
}

function plant(files: readonly string[], { file, place, text }: Hazard): void {
  const path = files[file % files.length];
  if (path === undefined) return;
  const lines = readFileSync(path, 'utf8').split(/(?<=\n)/);
  lines.splice(Math.round(place * lines.length), 0, text);
  writeFileSync(path, lines.join(''));
}

async function encrypt(
  folder: string,
  files: readonly string[],
  chosen: readonly number[],
): Promise<string | null> {
  if (chosen.length === 0 || files.length === 0) return null;
  for (const path of new Set(chosen.map((index) => files[index % files.length] ?? ''))) {
    writeFileSync(path, await encryptText(readFileSync(path, 'utf8'), CASE_SECRET));
  }
  const passwordFile = join(folder, 'vault_pass');
  writeFileSync(passwordFile, `${CASE_SECRET.password.reveal()}\n`);
  return passwordFile;
}

function writeSettings(
  folder: string,
  { mergeMaps, place, listsInventory, isOpen, odd }: Settings,
  given: Omit<WrittenCase, 'env'>,
): WrittenCase {
  const behaviour = mergeMaps ? 'merge' : 'replace';
  const env = environment(folder);
  if (isOpen) chmodSync(folder, 0o777);
  if (place === 'environment') {
    return { ...given, env: { ...env, ANSIBLE_HASH_BEHAVIOUR: behaviour } };
  }
  const path = join(folder, place);
  const isListed = listsInventory && !given.inventory.some((one) => one.includes(','));
  const paths = given.inventory.map((one) => join(folder, one)).join(', ');
  const lines = [
    '[defaults]',
    `hash_behaviour = ${behaviour}`,
    ...(isListed ? [`inventory = ${paths}`] : []),
    ...(odd === null ? [] : [odd]),
  ];
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${lines.join('\n')}\n`);
  return {
    ...given,
    // A file that does not count lists no inventories.
    inventory: isListed && !(isOpen && place === 'ansible.cfg') ? [] : given.inventory,
    env: place === 'named.cfg' ? { ...env, ANSIBLE_CONFIG: path } : env,
  };
}
