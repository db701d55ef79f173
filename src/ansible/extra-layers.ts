import type { MapEntry } from '../yaml/node.ts';
import { parseExtraVars } from './extra-vars.ts';
import type { Layer } from './layer.ts';
import { isVaultText, readText, resolveOption, showPath } from './text-file.ts';
import type { Decrypt } from './text-file.ts';

export interface ExtraOptions {
  /** What `@file` is relative to. */
  readonly cwd: string;
  /** Null: an encrypted `@file` stays closed. */
  readonly decrypt: Decrypt | null;
}

/** Gives the layer of one `-e`. Throws InputError. */
export async function loadExtraLayer(text: string, options: ExtraOptions): Promise<Layer> {
  if (!text.startsWith('@')) {
    const vars = toEntries(text, '');
    return { kind: 'extra', file: '-e', path: null, of: 'all', vars, encrypted: false };
  }
  const path = resolveOption(text.slice(1), options.cwd);
  const file = showPath(path, options.cwd);
  const content = readText(path, file);
  const encrypted = isVaultText(content);
  const layer = { kind: 'extra', file, path, of: 'all', encrypted } as const;
  if (!encrypted) return { ...layer, vars: toEntries(`@${file}`, content) };
  if (options.decrypt === null) return { ...layer, vars: null };
  return { ...layer, vars: toEntries(`@${file}`, await options.decrypt(content, file)) };
}

function toEntries(text: string, fileContent: string): Map<string, MapEntry> {
  const vars = new Map<string, MapEntry>();
  for (const [key, value] of parseExtraVars(text, () => fileContent))
    vars.set(key, { at: value.at, key, value });
  return vars;
}
