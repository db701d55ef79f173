// Checks who imports whom (ARCHITECTURE.md, "Who may import whom"):
//   tasks → stages → ansible, matrix, vault → yaml → errors, secret, disguise
// A higher room may import any lower one. The three worlds know nothing of each other, plan and
// report do no I/O, and each package has one home.
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { importClosure, importsOf, resolveImport } from './imports.ts';
import type { ImportedModule } from './imports.ts';

type Room = 'base' | 'yaml' | 'world' | 'stage' | 'task' | 'script';

interface Imports {
  readonly file: string;
  readonly imported: ImportedModule;
}

const RANK: Readonly<Record<Room, number>> = {
  base: 0,
  yaml: 1,
  world: 2,
  stage: 3,
  task: 4,
  script: 5,
};

const BASE = ['src/disguise.ts', 'src/errors.ts', 'src/secret.ts'];
const WORLDS = ['src/ansible/', 'src/matrix/', 'src/vault/'];
const CHECKED = ['src', 'tasks', 'scripts'];

/** Where each package may be imported: folders end in a slash. */
const HOMES: Readonly<Record<string, readonly string[]>> = {
  ajv: ['src/definitions/validator.ts', 'scripts/'],
  esbuild: ['scripts/'],
  'fast-check': ['scripts/'],
  'fastest-levenshtein': ['src/definitions/suggest.ts'],
  'json-schema-to-ts': ['src/definitions/'],
  prettier: ['scripts/'],
  undici: ['src/matrix/http-agents.ts'],
  yaml: ['src/yaml/'],
  zx: ['tasks/', 'scripts/'],
};

/** Loaded only when they are needed: each costs more than the rest of a run with nothing to do. */
const LAZY_PACKAGES = ['undici', 'zx'];

const PURE_STAGES = /^src\/(?:plan|report)(?:\.ts$|\/)/;
const IO =
  /^(?:undici|node:(?:child_process|cluster|dgram|dns|fs|http|http2|https|inspector|net|readline|repl|sqlite|tls|worker_threads)(?:\/.*)?)$/;

/** Gives one line for each import that breaks a rule, with file and line; none: an empty list. */
export function checkDependencies(root: string): string[] {
  const files = CHECKED.flatMap((folder) => sourcesBelow(root, folder));
  const all = files.flatMap((file) =>
    importsOf(readFileSync(join(root, file), 'utf8')).map((imported) => ({ file, imported })),
  );
  const broken = all.flatMap((one) => {
    const reason = one.imported.specifier.startsWith('.') ? wrongWay(one) : wrongPackage(one);
    return reason === null ? [] : [`${one.file}:${one.imported.line}: ${reason}`];
  });
  return [...broken, ...files.filter((file) => PURE_STAGES.test(file)).flatMap(ioOf(root))];
}

function sourcesBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(?:ts|mjs)$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .toSorted((a, b) => (a < b ? -1 : 1));
}

function roomOf(file: string): Room {
  if (BASE.includes(file)) return 'base';
  if (file.startsWith('src/yaml/')) return 'yaml';
  if (worldOf(file) !== null) return 'world';
  if (file.startsWith('src/')) return 'stage';
  return file.startsWith('tasks/') ? 'task' : 'script';
}

function worldOf(file: string): string | null {
  return WORLDS.find((world) => file.startsWith(world)) ?? null;
}

function wrongWay({ file, imported }: Imports): string | null {
  const target = resolveImport(file, imported);
  const [from, to] = [roomOf(file), roomOf(target)];
  if (RANK[from] < RANK[to]) return `a ${from} imports a ${to}: ${target}`;
  if (from !== 'world' || to !== 'world' || worldOf(file) === worldOf(target)) return null;
  return `${worldOf(file)} imports ${worldOf(target)}: what it needs is handed in`;
}

function wrongPackage({ file, imported }: Imports): string | null {
  const { specifier, kind, names } = imported;
  if (specifier.startsWith('node:')) return null;
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
  const homes = HOMES[name];
  if (homes === undefined) return `${name} has no home here`;
  const isAtHome = homes.some((home) =>
    home.endsWith('/') ? file.startsWith(home) : file === home,
  );
  if (!isAtHome) return `${name} is imported outside of ${homes.join(', ')}`;
  if (kind === 'value' && LAZY_PACKAGES.includes(name)) return `${name} is not imported lazily`;
  return name === 'zx' && names.includes('fetch') ? 'the fetch of zx prints passwords' : null;
}

function ioOf(root: string): (file: string) => string[] {
  return (file) =>
    [...importClosure(root, file, { types: false })].flatMap((reached) =>
      importsOf(readFileSync(join(root, reached), 'utf8'))
        .filter(({ kind, specifier }) => kind !== 'type' && IO.test(specifier))
        .map(({ specifier }) => `${file}: does I/O through ${reached}, which imports ${specifier}`),
    );
}

function main(): void {
  const broken = checkDependencies(resolve(import.meta.dirname, '../..'));
  for (const line of broken) console.error(line);
  if (broken.length > 0) process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main();
