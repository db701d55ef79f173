// The next text of each file, tried before it counts: every new envelope opens with the new password
// to exactly what the old one held, and nothing else is different.
import { settleAll } from '../errors.ts';
import { hideSecret } from '../secret.ts';
import { open, seal } from '../vault/cipher.ts';
import { formatEnvelope, parseEnvelope } from '../vault/envelope.ts';
import { replaceVaults } from '../yaml/replace-vault.ts';
import type { Judged } from './choose.ts';
import type { RekeyKeys } from './keys.ts';
import type { HeldFile, Sealed } from './types.ts';

/** A file with its next text. */
export interface Rekeyed {
  readonly file: HeldFile;
  readonly after: string;
}

/**
 * Tries what `composeRekeyed` does, but for sealing. Throws InputError: E_VAULT_PASSWORD where no
 * password opens a value, E_NO_SAFE_SPLICE where a value cannot be replaced.
 */
export async function tryRekey(judged: readonly Judged[], keys: RekeyKeys): Promise<void> {
  await settleAll(
    [...oldOf(judged)].map(async ([file, sealed]) => {
      await settleAll(sealed.map(({ envelope, at }) => keys.open(envelope, at)));
      // Each in its own place.
      composeFile(
        file,
        sealed.map((one) => ({ sealed: one, envelope: one.envelope })),
      );
    }),
  );
}

/** Seals what is old anew. Throws what `tryRekey` throws. */
export async function composeRekeyed(
  judged: readonly Judged[],
  keys: RekeyKeys,
): Promise<readonly Rekeyed[]> {
  return settleAll(
    [...oldOf(judged)].map(async ([file, sealed]) => ({
      file,
      after: composeFile(file, await settleAll(sealed.map((one) => sealAnew(one, keys)))),
    })),
  );
}

function oldOf(judged: readonly Judged[]): ReadonlyMap<HeldFile, readonly Sealed[]> {
  const files = new Map<HeldFile, Sealed[]>();
  for (const { file, sealed, state } of judged) {
    if (state === 'old') files.set(file, [...(files.get(file) ?? []), sealed]);
  }
  return files;
}

interface Resealed {
  readonly sealed: Sealed;
  readonly envelope: string;
}

async function sealAnew(sealed: Sealed, keys: RekeyKeys): Promise<Resealed> {
  const { fresh } = keys;
  const plaintext = await keys.open(sealed.envelope, sealed.at);
  if (sealed.node !== null) hideSecret(plaintext.toString());
  const envelope = formatEnvelope(await seal(plaintext, fresh.password, { label: fresh.label }));
  const again = await open(parseEnvelope(envelope, sealed.at), fresh.password);
  if (again?.equals(plaintext) === true) return { sealed, envelope };
  throw new Error('an envelope does not open to its content');
}

function composeFile({ text, shown }: HeldFile, resealed: readonly Resealed[]): string {
  const [first] = resealed;
  // The envelope was opened again: there is nothing else in a file that is one.
  if (first !== undefined && first.sealed.node === null) return first.envelope;
  const replacements = resealed.flatMap(({ sealed: { node }, envelope }) =>
    node === null ? [] : [{ node, envelope }],
  );
  return replaceVaults(text, shown, replacements);
}
