// What goes to stderr while a run goes on: without secrets, as wide as the report, and without what a
// CI runner would take for a command.
import { withoutCommands } from '../src/report/commands.ts';
import { wrap } from '../src/report/wrap.ts';
import { redact } from '../src/secret.ts';
import type { Options } from './options.ts';

/** Gives a sentence as lines for people, with a final newline. Secrets are hidden before it is broken. */
export function toLines(text: string): string {
  const [first = '', ...further] = redact(text).split('\n');
  return `${[...wrap(first, '', '  '), ...further.map((line) => `  ${line}`)].join('\n')}\n`;
}

/** Gives a text as it may be printed: where a runner reads it, it holds nothing like a command. */
export function fitFor(
  { format }: Pick<Options, 'format'>,
  text: string,
  env: NodeJS.ProcessEnv = process.env,
): string {
  const isRead = format === 'github' || env['GITHUB_ACTIONS'] === 'true';
  return isRead ? withoutCommands(text) : text;
}
