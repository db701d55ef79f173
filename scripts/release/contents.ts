// What may be inside of a release, and what must not: looked at in the unpacked files.
import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export interface Contents {
  /** Every file must match one of them. */
  readonly files: readonly RegExp[];
  /** The file that is run: mode 0755, all others 0644. */
  readonly program: string;
  /** Texts that stand in no file: paths of this machine. */
  readonly forbidden: readonly string[];
}

/** What nobody wants to publish, by what it is. */
const UNWANTED: Readonly<Record<string, RegExp>> = {
  'a source map': /^\/\/[#@] ?sourceMappingURL=/m,
  'a private key': /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/]{16}/,
  'a vault envelope': /\$ANSIBLE_VAULT;1\.[12];AES256[^\n]*\n\s*[0-9a-f]{64}/,
  'an access token': /\b(?:syt_[A-Za-z0-9]{4,}_[A-Za-z]{20}_|mct_[A-Za-z0-9]{20,})/,
  // As the bundler notes where code comes from.
  'code of the tests': /^\s*\/\/ (?:tests|bench)\//m,
};

/** Gives a sentence for each thing that is wrong with unpacked files. */
export function findFaults(folder: string, contents: Contents): string[] {
  const paths = filesBelow(folder);
  const missing = contents.files
    .filter((pattern) => !paths.some((path) => pattern.test(path)))
    .map((pattern) => `no file is like ${pattern.source}`);
  return [
    ...missing,
    ...paths.flatMap((path) => [
      ...faultsOfFile(folder, path, contents),
      ...brokenLinks(folder, path),
    ]),
  ];
}

function faultsOfFile(folder: string, path: string, contents: Contents): string[] {
  const stats = lstatSync(join(folder, path));
  if (!stats.isFile()) return [`${path} is no file`];
  const faults: string[] = [];
  if (!contents.files.some((pattern) => pattern.test(path))) faults.push(`${path} is not expected`);
  const mode = path === contents.program ? 0o755 : 0o644;
  if ((stats.mode & 0o7777) !== mode) {
    faults.push(`${path} has mode ${(stats.mode & 0o7777).toString(8)}, not ${mode.toString(8)}`);
  }
  const text = readFileSync(join(folder, path), 'utf8');
  const found = [
    ...contents.forbidden.filter((one) => text.includes(one)),
    ...Object.entries(UNWANTED).flatMap(([name, pattern]) => (pattern.test(text) ? [name] : [])),
  ];
  return [...faults, ...found.map((what) => `${path} holds ${what}`)];
}

/** Links of pages must lead to what is inside, too. */
function brokenLinks(folder: string, path: string): string[] {
  if (!path.endsWith('.md')) return [];
  const text = readFileSync(join(folder, path), 'utf8');
  const targets = [...text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const inside = normalize(join(dirname(path), target));
      return inside.startsWith('..') || !isThere(join(folder, inside));
    })
    .map((target) => `${path} links to ${target}, which is not inside`);
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Gives the paths of all that is no folder, relative to the folder. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}
