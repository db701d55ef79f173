import { redact } from '../secret.ts';

/** Gives plain data with every secret in its texts hidden. */
export function withoutSecrets<T>(value: T): T {
  // Text by text: a password like `true` must not take the word out of the JSON itself.
  const hide = (_key: string, inner: unknown): unknown =>
    typeof inner === 'string' ? redact(inner) : inner;
  return JSON.parse(JSON.stringify(value, hide)) as T;
}

/**
 * Gives JSON in ASCII with a final newline: Ansible splits what a module prints at characters like
 * U+2028, so nothing above ASCII goes out.
 */
export function asciiJson(value: object, indent = 0): string {
  const ascii = JSON.stringify(value, null, indent).replaceAll(
    /[\u007f-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${ascii}\n`;
}
