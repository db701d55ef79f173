import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Gives a comment with the licence of every package of which the bundle holds code.
 * @param inputs The paths of the bundled files, relative to the root.
 * @param legal What these packages say of what they took from others.
 */
export function licenceNotices(
  root: string,
  inputs: readonly string[],
  legal: readonly string[],
): string {
  const packages = new Set(inputs.map(packageOf).filter((name) => name !== null));
  const notices = [...packages]
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((name) => noticeOf(join(root, 'node_modules', name), name));
  const text = [...notices, ...legal].join('\n').replaceAll('*/', '* /');
  return `\n/*\nThis file holds code of the following packages.\n\n${toAscii(text)}*/\n`;
}

/** One character beyond ASCII would make Node keep the whole file at two bytes a character. */
function toAscii(text: string): string {
  return text.replaceAll(
    /[^\n\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function packageOf(path: string): string | null {
  return /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(path)?.[1] ?? null;
}

function noticeOf(folder: string, name: string): string {
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    version: string;
    license: string;
  };
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined || !existsSync(join(folder, file))) {
    throw new Error(`${name} has no licence file: its notice must be written by hand`);
  }
  const text = readFileSync(join(folder, file), 'utf8').trim();
  return `--- ${name} ${version} (${license})\n\n${text}\n`;
}
