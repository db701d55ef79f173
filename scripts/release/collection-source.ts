// The source files of the collection: the role of this repository, with what the folder galaxy/ adds,
// put where Ansible wants them. What has another name or place in a collection is replaced here.
import { chmodSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Namespace and name, as galaxy/galaxy.yml has them. */
export const NAMESPACE = 'matrix_tokens';
export const COLLECTION = `${NAMESPACE}.matrix_tokens`;
/** The full name of the role, and of the action. */
export const FULL_NAME = `${COLLECTION}.matrix_tokens`;
/** Where the program is, in the collection. */
export const PROGRAM = 'roles/matrix_tokens/files/matrix-tokens.cjs';

const ROLE = 'roles/matrix_tokens';
const PLUGIN = 'action_plugins/matrix_tokens.py';

interface Change {
  /** Stands in the file once. */
  readonly from: string;
  readonly to: string;
}

const CHANGES: Readonly<Record<string, Change>> = {
  [`${ROLE}/tasks/main.yml`]: { from: '\n  matrix_tokens:\n', to: `\n  ${FULL_NAME}:\n` },
  [`${ROLE}/README.md`]: { from: '- role: matrix_tokens\n', to: `- role: ${FULL_NAME}\n` },
  'plugins/action/matrix_tokens.py': {
    from: "'../files/matrix-tokens.cjs'",
    to: `'../../${PROGRAM}'`,
  },
};

/**
 * Writes the source files of the collection into an empty folder. Throws where a file of the role is
 * not as it is known here.
 */
export function writeCollectionSource(root: string, folder: string): void {
  const files = sourceFiles(root);
  for (const [path, source] of [...files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, contentOf(root, path, source));
    chmodSync(target, path === PROGRAM ? 0o755 : 0o644);
  }
}

/** By path in the collection: the path of the source. */
function sourceFiles(root: string): Map<string, string> {
  const files = new Map([
    ['LICENSE', 'LICENSE'],
    ['CHANGELOG.md', 'CHANGELOG.md'],
  ]);
  for (const name of filesBelow(root, 'galaxy')) files.set(name.slice('galaxy/'.length), name);
  for (const name of filesBelow(root, 'docs')) files.set(name, name);
  for (const name of filesBelow(root, ROLE)) {
    // In a collection a role has no plugins of its own.
    files.set(name === `${ROLE}/${PLUGIN}` ? 'plugins/action/matrix_tokens.py' : name, name);
  }
  return files;
}

function contentOf(root: string, path: string, source: string): Buffer | string {
  const bytes = readFileSync(join(root, source));
  if (path === 'galaxy.yml') return `${bytes.toString('utf8')}version: ${versionOf(root)}\n`;
  const change = CHANGES[path];
  if (change === undefined) return bytes;
  const parts = bytes.toString('utf8').split(change.from);
  if (parts.length !== 2) throw new Error(`${source} does not hold this once: ${change.from}`);
  return parts.join(change.to);
}

/** Gives the version of the package. */
export function versionOf(root: string): string {
  const text = readFileSync(join(root, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Gives the paths of all files below a folder, relative to the root; links are followed. */
function filesBelow(root: string, folder: string): string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = `${folder}/${name}`;
    if (!statSync(join(root, path)).isDirectory()) return [path];
    return name === '__pycache__' ? [] : filesBelow(root, path);
  });
}
