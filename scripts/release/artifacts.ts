// Makes what is released: the npm package and the collection, each one file, with the same bytes
// whenever they are made from the same sources.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { COLLECTION, NAMESPACE, versionOf, writeCollectionSource } from './collection-source.ts';
import { runCommand } from './command.ts';
import type { Surroundings } from './command.ts';

const [, NAME = ''] = COLLECTION.split('.');

/** Packs the npm package into a folder and gives the path of the file. */
export async function packPackage(
  root: string,
  folder: string,
  surroundings: Surroundings,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const argv = ['npm', 'pack', '--json', '--offline', '--pack-destination', folder];
  const stdout = await runCommand(argv, { cwd: root }, surroundings);
  // npm 11 gives a map by name, older ones a list.
  const packed = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>);
  const [{ filename } = { filename: '' }] = packed;
  return join(folder, filename);
}

export interface CollectionPlace {
  readonly root: string;
  /** Receives the sources, below `ansible_collections`; made anew. */
  readonly source: string;
  /** Receives the file. */
  readonly output: string;
  /** Folder with the programs of ansible-core. */
  readonly ansible: string;
}

/** Gives where the sources of the collection stand below a folder. */
export function sourceFolder(source: string): string {
  return join(source, 'ansible_collections', NAMESPACE, NAME);
}

/** Builds the collection and gives the path of the file. */
export async function buildCollection(
  { root, source, output, ansible }: CollectionPlace,
  surroundings: Surroundings,
): Promise<string> {
  const cwd = sourceFolder(source);
  await rm(source, { recursive: true, force: true });
  await mkdir(cwd, { recursive: true });
  await mkdir(output, { recursive: true });
  writeCollectionSource(root, cwd);
  const build = ['ansible-galaxy', 'collection', 'build', '--force', '--output-path', output];
  await runCommand(build, { cwd, bin: [ansible] }, surroundings);
  const file = join(output, `${NAMESPACE}-${NAME}-${versionOf(root)}.tar.gz`);
  const script = join(root, 'scripts/normalize_collection.py');
  await runCommand([join(ansible, 'python'), '-I', script, file], { cwd: root }, surroundings);
  return file;
}
