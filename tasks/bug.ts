import { redact } from '../src/secret.ts';
import { VERSION } from './version.ts';

/** The message of an unforeseen error may hold anything, so only its kind and place are told. */
export function describeBug(error: unknown): string {
  const isError = error instanceof Error;
  const frames = isError
    ? (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
    : [];
  const code = isError && 'code' in error ? ` ${String(error.code)}` : '';
  const lines = [
    `matrix-tokens: a bug: ${isError ? error.name : typeof error}${code}`,
    ...frames.slice(0, 10),
    `matrix-tokens ${VERSION}, node ${process.version}`,
    'Please report these lines in the issue tracker of matrix-tokens.',
    'Nothing obtained is lost: run the same command again.',
  ];
  return redact(lines.join('\n'));
}
