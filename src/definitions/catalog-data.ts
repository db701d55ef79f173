// The catalog as plain data, read from vars/services/. In the bundle this module is replaced by
// the same data, embedded at build time.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseYaml } from '../yaml/parse.ts';
import { toPlain } from './values.ts';

/** Every entry of the catalog by the name of its service, unchecked. */
export const catalogData: Readonly<Record<string, unknown>> = readCatalog(findFolder());

/** The sources stand at another depth than what the compiler makes of them. */
function findFolder(): string {
  for (const up of ['../../', '../../../']) {
    const folder = fileURLToPath(new URL(`${up}vars/services/`, import.meta.url));
    if (existsSync(folder)) return folder;
  }
  throw new Error('the catalog vars/services is missing');
}

function readCatalog(folder: string): Record<string, unknown> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.yml'));
  return Object.fromEntries(
    files.map((name) => [name.slice(0, -4), readEntry(join(folder, name))]),
  );
}

function readEntry(file: string): unknown {
  const node = parseYaml(readFileSync(file, 'utf8'), file);
  return node === null ? null : toPlain(node);
}
