// A program that gives the vault password, and notes down what a child of ours can see.
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Project } from './provision-project.ts';

/** Puts it in the place of the password file; `outside` gets the file `seen`. */
export async function useVaultScript(
  project: Project,
  outside: string,
  vaultPassword: string,
): Promise<void> {
  await writeFile(join(outside, 'password'), vaultPassword);
  const script = join(project.folder, 'vault_pass');
  await writeFile(script, scriptFor(outside));
  await chmod(script, 0o755);
}

function scriptFor(outside: string): string {
  return `#!/bin/sh
cat /proc/$$/cmdline /proc/$$/environ /proc/$PPID/cmdline > '${join(outside, 'seen')}'
cat '${join(outside, 'password')}'
`;
}
