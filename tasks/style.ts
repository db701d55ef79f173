import { styleText } from 'node:util';
import { PLAIN, type TextStyle } from '../src/report.ts';

/** Colors only on a terminal, and never with NO_COLOR. */
export function styleFor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): TextStyle {
  const isPlain = !stream.isTTY || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  if (isPlain) return PLAIN;
  return { paint: (color, text) => styleText(color, text, { validateStream: false }) };
}
