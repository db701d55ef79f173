// What can be told of secrets and certificates without reading, opening, running or asking anything:
// for runs that only look, and see what a real run would refuse at once.
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import type { SecretSource, ServiceDefinition } from '../definitions/types.ts';
import { ClosedVaultError, readValue } from '../definitions/values.ts';
import { InputError, settleAll } from '../errors.ts';
import type { HostView } from '../inventory.ts';
import { loadCertificates } from '../matrix/certificates.ts';
import { checkEnvelope } from '../vault/envelope.ts';
import { scalarText } from '../yaml/node.ts';
import { loginSecrets, registrationSecrets } from './needed.ts';
import { expandHome, fileFault, textOf, toSecret, type NeededSecret } from './secrets.ts';

/**
 * Checks what these services would log in with. Throws InputError with every fault. In a play nothing
 * is said: an earlier task may make what is missing, and in check mode it has not run.
 */
export async function checkOffline(definitions: readonly ServiceDefinition[]): Promise<void> {
  const meant = definitions.filter(({ host }) => host.play === undefined);
  const needed = meant.flatMap((one) => [...loginSecrets(one), ...registrationSecrets(one)]);
  const distinct = new Map(needed.map((one) => [one.source, one]));
  await settleAll([
    ...[...distinct.values()].map((one) => checkSecret(one)),
    ...authorities(meant).map((one) => checkAuthority(one)),
  ]);
}

/** Environment variables and programs are no fault: CI need not have them. */
async function checkSecret(needed: NeededSecret): Promise<void> {
  const { source } = needed;
  if (source.kind === 'value') await checkValue(source, needed);
  if (source.kind === 'file') await checkFile(source, needed);
}

async function checkValue(
  { node }: Extract<SecretSource, { kind: 'value' }>,
  needed: NeededSecret,
): Promise<void> {
  const { host, noun, owner } = needed;
  const resolved = host.resolve(node);
  // What only Jinja could tell stays untold.
  if (resolved.kind === 'template') return;
  const parts = resolved.kind === 'found' ? [resolved.node] : [];
  for (const part of resolved.kind === 'text' ? resolved.parts : parts) {
    if (typeof part === 'string' || part.kind !== 'scalar' || part.tag !== 'vault') continue;
    checkEnvelope(scalarText(part.value), part.at);
  }
  try {
    const value = await readValue(node, { host, decrypt: null });
    toSecret(textOf(value, `the ${noun} of ${owner}`), value.at, needed);
  } catch (error) {
    if (!(error instanceof ClosedVaultError)) throw error;
  }
}

/** A file that does not belong to the inventory or the playbook need not be on this machine. */
async function checkFile(
  source: Extract<SecretSource, { kind: 'file' }>,
  needed: NeededSecret,
): Promise<void> {
  const { host, noun } = needed;
  const place = { at: source.at, noun };
  const path = expandHome(source, needed, {});
  if (!belongs(path, host)) return;
  try {
    const stats = await stat(path);
    if (!stats.isFile()) throw new InputError(fileFault(path, place, 'is no regular file'));
    await access(path, constants.R_OK);
    if (stats.size === 0) toSecret('', source.at, needed);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new InputError(fileFault(path, place, `cannot be read (${code})`));
  }
}

function belongs(path: string, { inventoryFolder, playbookFolder }: HostView): boolean {
  return [inventoryFolder, playbookFolder].some((folder) => {
    const inside = relative(folder, path);
    return inside !== '' && !inside.startsWith('..') && !isAbsolute(inside);
  });
}

/** The certificate files, each with a service that trusts it. */
function authorities(definitions: readonly ServiceDefinition[]): readonly ServiceDefinition[] {
  const files = new Map<string, ServiceDefinition>();
  for (const one of definitions) {
    const { caFile } = one.homeserver;
    if (caFile !== null && !files.has(caFile)) files.set(caFile, one);
  }
  return [...files.values()];
}

async function checkAuthority({ host, homeserver }: ServiceDefinition): Promise<void> {
  const { caFile, caFileAt } = homeserver;
  if (caFile === null) return;
  const isElsewhere = !belongs(caFile, host);
  if (isElsewhere && !(await isThere(caFile))) return;
  await loadCertificates(caFile, caFileAt);
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
