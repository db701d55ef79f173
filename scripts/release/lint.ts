// ansible-lint, which Galaxy looks at collections with, too.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import type { Surroundings } from './command.ts';
import { filesBelow } from './contents.ts';

export interface LintPlace {
  /** The folder that holds `ansible_collections`. */
  readonly source: string;
  /** The sources of the collection. */
  readonly folder: string;
  /** Folder with the programs of ansible-lint. */
  readonly lint: string;
}

/** Whatever keeps a rule from being applied. */
const SKIP = /#\s*noqa|skip_ansible_lint|^\s*skip_list:|^\s*warn_list:/m;
const SETTINGS = /(?:^|\/)\.(?:ansible-lint|ansible-lint-ignore|yamllint|config)/;

/** Throws where the production profile is not met, or a rule is skipped. */
export async function lintCollection(
  { source, folder, lint }: LintPlace,
  surroundings: Surroundings,
): Promise<void> {
  const skipping = filesBelow(folder).filter((path) => SETTINGS.test(path) || skips(folder, path));
  if (skipping.length > 0) throw new Error(`a rule is skipped by ${skipping.join(', ')}`);
  const argv = ['ansible-lint', '--offline', '--strict', '--profile', 'production'];
  const env = { ANSIBLE_COLLECTIONS_PATH: source };
  await runCommand([...argv, '--nocolor'], { cwd: folder, bin: [lint], env }, surroundings);
}

function skips(folder: string, path: string): boolean {
  return /\.(?:ya?ml|py)$/.test(path) && SKIP.test(readFileSync(join(folder, path), 'utf8'));
}
