// What new values of a file are encrypted with. What a file holds already keeps its vault ID, as with
// `ansible-vault edit`; `matrix-tokens rekey` changes it.
import type { TargetVariables, VariablePath } from '../definitions/types.ts';
import { InputError, type Position } from '../errors.ts';
import { isEnvelope, parseEnvelope } from '../vault/envelope.ts';
import {
  encryptionSecret,
  openEnvelope,
  type Keyring,
  type VaultSecret,
} from '../vault/keyring.ts';
import { getEntry, type YamlNode } from '../yaml/node.ts';

/** A password, and the vault ID that its envelopes carry. */
export interface Key {
  readonly secret: VaultSecret;
  /** The vault ID that stands in the header; null: format 1.1. */
  readonly label: string | null;
  /** It has opened something of the file. */
  readonly isProved: boolean;
}

/** What the choice depends on. */
export interface KeyChoice {
  readonly write: TargetVariables;
  /** The vault ID that the service asks for, or null. */
  readonly vaultId: string | null;
  readonly keyring: Keyring;
}

/**
 * Chooses the key for inline values of a file that holds `root`. Values that are replaced keep their
 * vault ID. New ones get that of the service; without one, that of all other values of the file if
 * they have the same; else the one that encrypts as a rule. Throws InputError (E_VAULT_PASSWORD).
 */
export async function chooseKey(root: YamlNode | null, choice: KeyChoice): Promise<Key> {
  const { write, vaultId, keyring } = choice;
  const replaced = onlyId(envelopesAt(root, write));
  if (replaced !== null) return openKey(replaced, keyring);
  const others = vaultId === null && root !== null ? onlyId([...envelopesIn(root)]) : null;
  return (
    (others && (await openKey(others, keyring).catch(unlessWrongPassword))) ?? standard(choice)
  );
}

function standard({ keyring, vaultId }: KeyChoice): Key {
  const secret = encryptionSecret(keyring, vaultId);
  return { secret, label: secret.label, isProved: false };
}

async function openKey({ text, at }: Found, keyring: Keyring): Promise<Key> {
  const { secret, label } = await openEnvelope(text, keyring, at);
  return { secret, label, isProved: true };
}

/** Those of somebody else may be under a password that this run does not have. */
function unlessWrongPassword(error: unknown): null {
  if (error instanceof InputError) return null;
  throw error;
}

interface Found {
  readonly text: string;
  readonly at: Position;
}

/** Gives one of the envelopes if all have the same vault ID. */
function onlyId(found: readonly Found[]): Found | null {
  const known = found.flatMap((one) => {
    const label = labelOf(one);
    return label === undefined ? [] : [{ one, label }];
  });
  const [first] = known;
  return first !== undefined && known.every(({ label }) => label === first.label)
    ? first.one
    : null;
}

/** A damaged envelope says nothing; whoever needs its value is told. */
function labelOf({ text, at }: Found): string | null | undefined {
  try {
    return parseEnvelope(text, at).label;
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

function envelopesAt(root: YamlNode | null, { accessToken, deviceId }: TargetVariables): Found[] {
  const paths = [accessToken, deviceId].filter((path): path is VariablePath => path !== null);
  return paths.flatMap((path) => {
    let node: YamlNode | undefined = root ?? undefined;
    for (const key of path) node = node?.kind === 'map' ? getEntry(node, key)?.value : undefined;
    return node?.kind === 'scalar' ? [...envelopesIn(node)] : [];
  });
}

function* envelopesIn(node: YamlNode): Generator<Found> {
  if (node.kind === 'map') for (const { value } of node.entries) yield* envelopesIn(value);
  else if (node.kind === 'seq') for (const item of node.items) yield* envelopesIn(item);
  else if (node.tag === 'vault' && typeof node.value === 'string' && isEnvelope(node.value)) {
    yield { text: node.value, at: node.at };
  }
}
