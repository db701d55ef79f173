import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Runs with a new folder that holds these files, by path; removes it afterwards. */
export async function withFolder(
  files: Readonly<Record<string, string | Buffer>>,
  run: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'matrix-tokens-'));
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Makes a folder that is removed when the test ends. */
export function folderFor(t: { readonly after: (clean: () => unknown) => void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'matrix-tokens-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
