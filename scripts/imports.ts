// Which modules a source file names. Enough for this repository's own style: every import and
// export stands at the beginning of a line, and no string or comment looks like one.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface ImportedModule {
  /** As it is written: `./x.ts`, `node:fs`, `yaml`. */
  readonly specifier: string;
  /** `type`: gone after compilation; `lazy`: `await import(…)`; `value`: everything else. */
  readonly kind: 'type' | 'lazy' | 'value';
  readonly line: number;
  /** The names between the braces, as they are in the other module. */
  readonly names: readonly string[];
}

const STATIC = /^(?:import|export)\s+(type\s)?([^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
const LAZY = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** Finds the imports and re-exports of a source text. */
export function importsOf(text: string): ImportedModule[] {
  const lineAt = (index: number): number => text.slice(0, index).split('\n').length;
  const found = [...text.matchAll(STATIC)].map((match): ImportedModule => {
    const [, type, clause = '', specifier = ''] = match;
    const names = namesOf(clause);
    const kind = type !== undefined || isTypesOnly(clause) ? 'type' : 'value';
    return { specifier, kind, line: lineAt(match.index), names };
  });
  const lazy = [...text.matchAll(LAZY)].map((match): ImportedModule => ({
    specifier: match[1] ?? '',
    kind: 'lazy',
    line: lineAt(match.index),
    names: [],
  }));
  return [...found, ...lazy].toSorted((a, b) => a.line - b.line);
}

/** Gives every file below `root` that `file` imports, directly or not, and itself. */
export function importClosure(
  root: string,
  file: string,
  options: { readonly types: boolean },
): Set<string> {
  const seen = new Set<string>();
  const visit = (path: string): void => {
    // A text in a test may look like an import of something that is not there.
    if (seen.has(path) || !existsSync(join(root, path))) return;
    seen.add(path);
    for (const imported of importsOf(readFileSync(join(root, path), 'utf8'))) {
      const isFollowed = options.types || imported.kind !== 'type';
      if (isFollowed && imported.specifier.startsWith('.')) visit(resolveImport(path, imported));
    }
  };
  visit(file);
  return seen;
}

/** Gives the path that a relative import of `file` names, from the same root. */
export function resolveImport(file: string, imported: ImportedModule): string {
  return join(dirname(file), imported.specifier);
}

function namesOf(clause: string): string[] {
  const inBraces = /\{([^}]*)\}/.exec(clause)?.[1] ?? '';
  return inBraces
    .split(',')
    .map((name) => name.trim().split(/\s+as\s+/)[0] ?? '')
    .filter((name) => name !== '');
}

/** `import { type A, type B }` has nothing left after compilation but the side effects. */
function isTypesOnly(clause: string): boolean {
  const names = namesOf(clause);
  return names.length > 0 && names.every((name) => name.startsWith('type '));
}
