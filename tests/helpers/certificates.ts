import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { ansiblePython } from './python.ts';

export interface Certificate {
  /** PEM; the certificate signs itself, so it serves as the CA file, too. */
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** Names and addresses that it is for; default: localhost and 127.0.0.1. */
  readonly names?: readonly string[];
  /** How long it is valid; below zero: it ended so long ago. Default: 1. */
  readonly days?: number;
}

const SCRIPT = resolve(import.meta.dirname, '../../../tests/helpers/make_certificate.py');

/** Makes a certificate with the cryptography package that ansible-core brings along. */
export async function makeCertificate(options: CertificateOptions = {}): Promise<Certificate> {
  const names = options.names ?? ['localhost', '127.0.0.1'];
  const args = ['-I', SCRIPT, String(options.days ?? 1), ...names];
  const { stdout } = await promisify(execFile)(await ansiblePython(), args);
  return JSON.parse(stdout) as Certificate;
}
