import { readFileSync } from 'node:fs';
import type { Layer } from '../ansible/layer.ts';
import { entriesByName } from '../ansible/vars-files.ts';
import type { Decrypt, ServiceDefinition } from '../definitions/types.ts';
import { InputError } from '../errors.ts';
import type { Target } from '../plan/types.ts';
import { isEnvelope } from '../vault/envelope.ts';
import { parseYaml } from '../yaml/parse.ts';

/**
 * Gives what stands in the file of a service, for a file that Ansible does not load, or loaded too
 * early; null where there is none. Throws InputError (E_TARGET).
 */
export async function readTarget(
  { file, shown }: Pick<Target, 'file' | 'shown'>,
  { host }: Pick<ServiceDefinition, 'host'>,
  { decrypt }: { readonly decrypt: Decrypt | null },
): Promise<Layer | null> {
  const text = readIfThere(file, shown);
  if (text === null) return null;
  const encrypted = isEnvelope(text);
  const of = host.name;
  const base = { kind: 'host_vars', file: shown, path: file, of, unseen: true } as const;
  if (encrypted && decrypt === null) return { ...base, encrypted, vars: null };
  const plain =
    encrypted && decrypt !== null ? await decrypt(text, { file: shown, line: 1, column: 1 }) : text;
  const node = parseYaml(plain, shown);
  if (node !== null && node.kind !== 'map') {
    throw new InputError({
      code: 'E_TARGET',
      at: node.at,
      found: 'a vault_file whose top level is no map',
      wanted: 'a map of variables, or another file',
    });
  }
  return { ...base, encrypted, text: plain, vars: entriesByName(node?.entries ?? []) };
}

function readIfThere(file: string, shown: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new InputError({
      code: 'E_TARGET',
      at: { file: shown, line: 1, column: 1 },
      found: `a vault_file that cannot be read (${code})`,
      wanted: 'a file that can be read and written, or none yet',
    });
  }
}
