// Looks at files that are about to be released: their size, what is inside, and whether they come out
// the same when they are made again.
import { mkdir, readFile, stat } from 'node:fs/promises';
import { homedir, hostname, tmpdir } from 'node:os';
import { basename } from 'node:path';
import { runCommand } from './command.ts';
import type { Surroundings } from './command.ts';
import { PROGRAM } from './collection-source.ts';
import { findFaults } from './contents.ts';
import type { Contents } from './contents.ts';

/** Galaxy takes 20 MiB at most. A release of ours is a fraction of one: more is an accident. */
const MOST_BYTES = 1_048_576;

const PAGES = [/^README\.md$/, /^CHANGELOG\.md$/, /^LICENSE$/, /^docs\/[a-z-]+\.md$/];

/** What an npm package holds, below the folder that it is packed in. */
export const PACKAGE_CONTENTS: Contents = {
  files: [
    ...PAGES,
    /^(?:ARCHITECTURE|CONTRIBUTING|SECURITY)\.md$/,
    /^package\.json$/,
    /^inventory\.example\.yml$/,
    /^vars\/example\.yml$/,
    /^vars\/[a-z_]+\.schema\.json$/,
    /^vars\/services\/[a-z_]+\.yml$/,
    /^dist\/matrix-tokens\.cjs$/,
  ],
  program: 'dist/matrix-tokens.cjs',
  forbidden: [],
};

/** What the archive of the collection holds. */
export const COLLECTION_CONTENTS: Contents = {
  files: [
    ...PAGES,
    /^(?:MANIFEST|FILES)\.json$/,
    /^meta\/runtime\.yml$/,
    /^plugins\/action\/matrix_tokens\.py$/,
    /^plugins\/modules\/matrix_tokens\.py$/,
    /^roles\/matrix_tokens\/README\.md$/,
    /^roles\/matrix_tokens\/(?:defaults|handlers|meta|tasks|vars)\/[a-z_]+\.yml$/,
    new RegExp(`^${PROGRAM.replaceAll('.', '\\.')}$`),
  ],
  program: PROGRAM,
  forbidden: [],
};

/** Throws where two files differ. */
export async function expectSameBytes(one: string, other: string): Promise<void> {
  const [a, b] = await Promise.all([readFile(one), readFile(other)]);
  if (!a.equals(b)) throw new Error(`made twice, ${basename(one)} is not the same`);
}

export interface Inspection {
  readonly file: string;
  /** Receives the unpacked files. */
  readonly folder: string;
  readonly contents: Contents;
  /** Of this repository. */
  readonly root: string;
}

/** Unpacks an archive and throws with all that is wrong with it. Gives its size for people. */
export async function inspect(
  { file, folder, contents, root }: Inspection,
  surroundings: Surroundings,
): Promise<string> {
  const { size } = await stat(file);
  if (size > MOST_BYTES) throw new Error(`${basename(file)} is too large: ${size} bytes`);
  await mkdir(folder, { recursive: true });
  const strip = contents.program === PROGRAM ? [] : ['--strip-components=1'];
  const unpack = ['tar', '--no-same-owner', '-xpzf', file, '-C', folder, ...strip];
  await runCommand(unpack, { cwd: folder }, surroundings);
  const forbidden = [root, homedir(), tmpdir(), hostname()].filter((one) => one.length > 4);
  const faults = findFaults(folder, { ...contents, forbidden });
  if (faults.length > 0) throw new Error(`${basename(file)}:\n${faults.join('\n')}`);
  return `${(size / 1024).toFixed(0)} KiB`;
}
