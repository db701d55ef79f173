// What is wrong with a command line that Node cannot take apart.
import { didYouMean } from '../src/definitions/suggest.ts';
import type { Fault } from '../src/errors.ts';
import { FLAGS } from './flags.ts';

/** Node's own sentences repeat the argument, which may hold a secret. */
export function describeParseError(error: NodeJS.ErrnoException, argv: readonly string[]): Fault {
  const known = Object.keys(FLAGS).map((flag) => `--${flag}`);
  if (error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
    const names = argv.flatMap((word) => unknownIn(word, known));
    const unknown = names.find((name) => name.startsWith('--')) ?? names[0] ?? 'an option';
    return {
      code: 'E_OPTION',
      found: `${unknown}, which is no option`,
      wanted: `one of ${known.join(' ')}`,
      fix: didYouMean(unknown, known) ?? 'see `matrix-tokens --help`',
    };
  }
  return {
    code: 'E_OPTION',
    found: 'an option without its value, or with a value that it does not take',
    wanted:
      'values after -i, -l, -e, --playbook-dir, --max-wait, --lock-timeout, --format and those that name a vault ID or a password file, and after no other',
    fix: 'see `matrix-tokens --help`',
  };
}

/** Gives the name of an option that there is not, without what may stand behind it. */
function unknownIn(word: string, known: readonly string[]): string[] {
  if (word.startsWith('--')) {
    const name = word.replace(/=.*$/s, '');
    return name === '--' || known.includes(name) ? [] : [name];
  }
  if (!/^-./.test(word)) return [];
  for (const letter of word.slice(1)) {
    const flag = Object.values(FLAGS).find((one) => 'short' in one && one.short === letter);
    if (flag === undefined) return [`-${letter}`];
    if (flag.type === 'string') break;
  }
  return [];
}
