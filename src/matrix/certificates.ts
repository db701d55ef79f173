// Certificates that are trusted beside the usual ones. Node takes a list of its own *instead* of
// the usual ones, so that these have to be put together here.
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as tls from 'node:tls';
import { InputError, type Position } from '../errors.ts';
import type { Environment } from './network-environment.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads a file of PEM certificates and gives its text. Throws an InputError (E_FILE) if the file
 * cannot be read or holds no certificate. `at`: where the file is named.
 */
export async function loadCertificates(file: string, at?: Position): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const found = `the CA file ${file} cannot be read (${error.code ?? 'unknown reason'})`;
    throw new InputError({ code: 'E_FILE', at, found, fix: 'mend matrix_tokens_ca_file' });
  });
  const certificates = text.match(CERTIFICATE) ?? [];
  if (certificates.length > 0 && certificates.every(isCertificate)) return certificates.join('\n');
  throw new InputError({
    code: 'E_FILE',
    at,
    found: `the CA file ${file} does not hold certificates only`,
    wanted: 'one or more blocks of -----BEGIN CERTIFICATE-----',
  });
}

/** Gives what is trusted if `ca` is added: Node's own list and NODE_EXTRA_CA_CERTS come with it. */
export async function trustedCertificates(ca: string, environment: Environment): Promise<string[]> {
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default') => string[] };
  if (getCACertificates !== undefined) return [...getCACertificates('default'), ca];
  const extraFile = environment['NODE_EXTRA_CA_CERTS'];
  // Node itself only warns of an extra file that it cannot read.
  const extra = extraFile ? await readFile(extraFile, 'utf8').catch(() => '') : '';
  return [...tls.rootCertificates, ...(extra.match(CERTIFICATE) ?? []), ca];
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
