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
  return describeValueError(error.message);
}

/** Of Node's sentence, only the name of the option is taken, which is one of ours. */
function describeValueError(message: string): Fault {
  const name = Object.keys(FLAGS).find((flag) => isNamed(flag, message));
  if (name === undefined) {
    const found = 'an option without its value, or with a value that it does not take';
    return { code: 'E_OPTION', found, fix: 'see `matrix-tokens --help`' };
  }
  if (FLAGS[name as keyof typeof FLAGS].type === 'boolean') {
    return { code: 'E_OPTION', found: `--${name} with a value`, wanted: `--${name} alone` };
  }
  const isDash = message.includes('ambiguous');
  return {
    code: 'E_OPTION',
    found: `--${name} ${isDash ? 'before something that begins with a dash' : 'without its value'}`,
    wanted: `--${name} VALUE${isDash ? `, or --${name}=VALUE if the value begins with a dash` : ''}`,
    fix: 'see `matrix-tokens --help`',
  };
}

/** True if an option is named whole: one is the beginning of another. */
function isNamed(flag: string, message: string): boolean {
  return new RegExp(String.raw`--${flag}(?![\w-])`).test(message);
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
