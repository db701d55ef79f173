// A vault password is proved before anything is encrypted with it: a mistyped one would make a file
// that the rest of the inventory's password does not open.
import { didYouMean } from '../definitions/suggest.ts';
import { InputError, settleAll, type Fault, type Position } from '../errors.ts';
import type { HostView } from '../inventory.ts';
import type { LoginAction } from '../plan/types.ts';
import { findKey } from '../store.ts';
import { isEnvelope, parseEnvelope } from '../vault/envelope.ts';
import { open } from '../vault/cipher.ts';
import type { Keyring, VaultSecret } from '../vault/keyring.ts';
import { confirmPrompted } from '../vault/passwords.ts';
import type { MapEntry, YamlNode } from '../yaml/node.ts';
import type { World } from './world.ts';

/** More than a few values that nobody can open say the same as one. */
const MOST_TRIED = 20;

interface Sample {
  readonly envelope: string;
  readonly at: Position;
}

interface ProveOptions {
  readonly keyring: Keyring;
  /** Passwords that have opened something already. */
  readonly proved: ReadonlySet<VaultSecret>;
  readonly hosts: readonly HostView[];
  /** Null: nobody is asked. */
  readonly prompt: World['prompt'];
}

/**
 * Checks the passwords that the values of these logins would be encrypted with. Throws InputError
 * (E_VAULT_PASSWORD), also where it cannot be said which one that is.
 */
export async function provePasswords(
  logins: readonly LoginAction[],
  options: ProveOptions,
): Promise<void> {
  const { keyring } = options;
  const keys = await settleAll(
    logins.map(({ definition, target, write }) =>
      findKey({ target, write, vaultId: definition.vaultId, keyring }).catch((error: unknown) => {
        throw placeVaultId(error, definition, keyring);
      }),
    ),
  );
  const unproved = new Set(keys.flatMap(({ isProved, secret }) => (isProved ? [] : [secret])));
  for (const secret of unproved) await provePassword(secret, options);
}

/**
 * Checks that a password opens a value of its vault ID that already exists; where there is none, a
 * typed password that opened nothing else either is asked for once more. Throws InputError
 * (E_VAULT_PASSWORD).
 */
async function provePassword(
  secret: VaultSecret,
  { keyring, proved, hosts, prompt }: ProveOptions,
): Promise<void> {
  const samples = findSamples(hosts, { label: secret.label, unnamedId: keyring.unnamedId });
  for (const { envelope, at } of samples) {
    if ((await open(parseEnvelope(envelope, at), secret.password)) !== null) return;
  }
  const [first] = samples;
  if (first !== undefined) throw new InputError(wrongPassword(secret, first.at));
  if (prompt !== null && !proved.has(secret)) await confirmPrompted([secret], prompt);
}

/** A vault ID that no password has is told where it stands, if it is the one of the service. */
function placeVaultId(
  error: unknown,
  { vaultId, vaultIdAt }: LoginAction['definition'],
  { secrets }: Keyring,
): unknown {
  if (!(error instanceof InputError) || vaultId === null || vaultIdAt === null) return error;
  const labels = secrets.map(({ label }) => label);
  if (labels.includes(vaultId)) return error;
  const fix = didYouMean(vaultId, labels);
  const place = (fault: Fault): Fault =>
    fault.at === undefined ? { ...fault, at: vaultIdAt, fix: fix ?? fault.fix } : fault;
  return new InputError(error.faults.map(place));
}

function wrongPassword(
  secret: VaultSecret,
  at: Position,
): ConstructorParameters<typeof InputError>[0] {
  return {
    code: 'E_VAULT_PASSWORD',
    at,
    found: `a vaulted value that the password of vault ID ${secret.label} does not open`,
    wanted: 'the password that the rest of the inventory is encrypted with',
    fix: 'give that one, or name another vault ID in `vault_id`',
  };
}

function findSamples(
  hosts: readonly HostView[],
  { label, unnamedId }: { readonly label: string; readonly unnamedId: string },
): Sample[] {
  const samples = new Map<string, Sample>();
  for (const entry of allEntries(hosts)) {
    for (const sample of envelopesIn(entry.value)) {
      if (samples.size >= MOST_TRIED) return [...samples.values()];
      if (labelOf(sample, unnamedId) === label) samples.set(sample.envelope, sample);
    }
  }
  return [...samples.values()];
}

function* allEntries(hosts: readonly HostView[]): Generator<MapEntry> {
  for (const host of hosts) yield* entriesOf(host);
}

/** In a play, layers are known only as far as something was looked up. */
function* entriesOf(host: HostView): Generator<MapEntry> {
  for (const layer of host.layers) yield* layer.vars?.values() ?? [];
  if (host.play === undefined) return;
  for (const name of host.names()) {
    const entry = host.lookup(name).found?.entry;
    if (entry !== undefined) yield entry;
  }
}

function* envelopesIn(node: YamlNode): Generator<Sample> {
  if (node.kind === 'map') for (const { value } of node.entries) yield* envelopesIn(value);
  else if (node.kind === 'seq') for (const item of node.items) yield* envelopesIn(item);
  else if (node.tag === 'vault' && typeof node.value === 'string' && isEnvelope(node.value)) {
    yield { envelope: node.value, at: node.at };
  }
}

/** A damaged envelope proves nothing; it is told of where its value is needed. */
function labelOf({ envelope, at }: Sample, unnamedId: string): string | null {
  try {
    return parseEnvelope(envelope, at).label ?? unnamedId;
  } catch {
    return null;
  }
}
