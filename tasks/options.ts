// The command line, taken apart; refused where it is mistyped.
import { parseArgs } from 'node:util';
import { didYouMean } from '../src/definitions/suggest.ts';
import { InputError, type Fault } from '../src/errors.ts';
import { FLAGS, FORMATS, RUNS, TAKEN_BY, TASKS, type RunName, type TaskName } from './flags.ts';
import { describeParseError } from './parse-error.ts';

type Format = (typeof FORMATS)[number];

export interface Options {
  readonly task: RunName;
  readonly services: readonly string[];
  readonly inventory: readonly string[];
  readonly limit: string | undefined;
  readonly extraVars: readonly string[];
  readonly playbookDir: string | undefined;
  readonly check: boolean;
  readonly diff: boolean;
  readonly detailedExitcode: boolean;
  /** Seconds; undefined: what vars say. */
  readonly maxWait: number | undefined;
  /** Seconds; undefined: the default. */
  readonly lockTimeout: number | undefined;
  readonly format: Format;
  readonly vaultPasswordFiles: readonly string[];
  readonly vaultIds: readonly string[];
  readonly askVaultPass: boolean;
  readonly encryptVaultId: string | undefined;
  readonly newVaultId: string | undefined;
  readonly newVaultPasswordFile: string | undefined;
  readonly oldVaultIds: readonly string[];
  readonly verbosity: number;
}

/** What the command line asks for. */
export type Request =
  | { readonly kind: 'run'; readonly options: Options }
  | { readonly kind: 'unlock'; readonly files: readonly string[] }
  /** For the role's action plugin only: it speaks by stdin and stdout. */
  | { readonly kind: 'play' }
  | { readonly kind: 'help'; readonly task: TaskName | null }
  | { readonly kind: 'version' };

/** Reads the arguments after the program's name. Throws InputError (E_OPTION). */
export function parseOptions(argv: readonly string[]): Request {
  if (argv.length === 1 && argv[0] === 'play') return { kind: 'play' };
  const { values, positionals, tokens } = parse(argv);
  const [name, ...names] = positionals;
  const task = findTask(name);
  if (values.help === true) return { kind: 'help', task: name === undefined ? null : task };
  if (values.version === true) return { kind: 'version' };
  if (task === 'unlock') return parseUnlock(names, values);
  const faults = checkTogether(values, task);
  const maxWait = parseSeconds('max-wait', values, faults);
  const lockTimeout = parseSeconds('lock-timeout', values, faults);
  const format = parseFormat(values, faults);
  if (faults.length > 0) throw new InputError(faults);
  return {
    kind: 'run',
    options: {
      task,
      services: names,
      inventory: values.inventory ?? [],
      limit: values.limit,
      extraVars: values['extra-vars'] ?? [],
      playbookDir: values['playbook-dir'],
      check: values.check === true || task === 'validate',
      diff: values.diff === true,
      detailedExitcode: values['detailed-exitcode'] === true,
      maxWait,
      lockTimeout,
      format,
      vaultPasswordFiles: tokens.flatMap((token) =>
        token.kind === 'option' && PASSWORD_FILE.test(token.name) ? [token.value ?? ''] : [],
      ),
      vaultIds: values['vault-id'] ?? [],
      askVaultPass: asksVaultPass(values),
      encryptVaultId: values['encrypt-vault-id'],
      newVaultId: values['new-vault-id'],
      newVaultPasswordFile: values['new-vault-password-file'],
      oldVaultIds: values['old-vault-id'] ?? [],
      verbosity: values.verbose?.length ?? 0,
    },
  };
}

/** Its files are named as they are; nothing else bears on it. */
function parseUnlock(files: readonly string[], values: Values): Request {
  const options = Object.keys(values);
  if (files.length > 0 && options.length === 0) return { kind: 'unlock', files };
  throw new InputError({
    code: 'E_OPTION',
    found: files.length === 0 ? 'unlock without a file' : `--${options[0]} with the task unlock`,
    wanted: 'matrix-tokens unlock FILE ...',
    fix: 'name the file as the message about its lock does',
  });
}

/** Gives what arguments that cannot be read ask for, as far as it shows. */
export function guessOptions(argv: readonly string[]): Pick<Options, 'task' | 'check' | 'format'> {
  const task = RUNS.find((one) => argv.includes(one)) ?? 'provision';
  const isAskedFor = (format: Format): boolean =>
    argv.some(
      (word, index) =>
        word === `--format=${format}` || (word === format && argv[index - 1] === '--format'),
    );
  return {
    task,
    check: task === 'validate' || argv.includes('--check') || argv.includes('-C'),
    format: argv.includes('--json') ? 'json' : (FORMATS.find(isAskedFor) ?? 'text'),
  };
}

type Values = ReturnType<typeof parse>['values'];

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: FLAGS,
      allowPositionals: true,
      strict: true,
      tokens: true,
    });
  } catch (error) {
    throw new InputError(describeParseError(error as NodeJS.ErrnoException, argv));
  }
}

function findTask(name: string | undefined): TaskName {
  if (name === undefined) return 'provision';
  const task = TASKS.find((one) => one === name);
  if (task !== undefined) return task;
  throw new InputError({
    code: 'E_OPTION',
    found: `'${name}', which is no task`,
    wanted: `one of ${TASKS.join(', ')}`,
    fix:
      didYouMean(name, TASKS) ?? 'services are named after the task: matrix-tokens provision NAME',
  });
}

function checkTogether(values: Values, task: RunName): Fault[] {
  const faults: Fault[] = [];
  const isChecking = values.check === true || task === 'validate';
  if (values['detailed-exitcode'] === true && !isChecking) {
    faults.push({
      code: 'E_OPTION',
      found: '--detailed-exitcode without --check',
      wanted: 'both: exit code 2 says that changes are pending',
    });
  }
  for (const flag of Object.keys(TAKEN_BY) as (keyof typeof TAKEN_BY)[]) {
    const tasks: readonly RunName[] = TAKEN_BY[flag];
    if (values[flag] !== undefined && !tasks.includes(task)) faults.push(notTaken(flag, task));
  }
  return [...faults, ...checkVaultOptions(values)];
}

function notTaken(flag: keyof typeof TAKEN_BY, task: RunName): Fault {
  const why = task === 'validate' ? ': validate is always offline' : '';
  return {
    code: 'E_OPTION',
    found: `--${flag} with the task ${task}`,
    wanted: `the task ${TAKEN_BY[flag].join(' or ')}, or no such option${why}`,
  };
}

const PASSWORD_FILE = /^vault-pass(?:word)?-file$/;

function asksVaultPass(values: Values): boolean {
  return values['ask-vault-pass'] === true || values['ask-vault-password'] === true;
}

/** What Ansible's commands do not take together. */
function checkVaultOptions(values: Values): Fault[] {
  const given = (...flags: readonly (keyof typeof FLAGS)[]): string[] =>
    flags.filter((flag) => values[flag] !== undefined).map((flag) => `--${flag}`);
  const [file] = given('vault-password-file', 'vault-pass-file');
  const news = given('new-vault-id', 'new-vault-password-file', 'encrypt-vault-id');
  return [
    ...(asksVaultPass(values) && file !== undefined ? [tooMany(['--ask-vault-pass', file])] : []),
    ...(news.length > 1 ? [tooMany(news)] : []),
  ];
}

function tooMany(names: readonly string[]): Fault {
  const wanted = 'one of them, as for Ansible';
  return { code: 'E_OPTION', found: names.join(' together with '), wanted };
}

function parseSeconds(
  name: 'max-wait' | 'lock-timeout',
  values: Values,
  faults: Fault[],
): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const seconds = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= 86_400) return seconds;
  faults.push({
    code: 'E_OPTION',
    found: `--${name} with something else than seconds`,
    wanted: 'a whole number from 0 to 86400',
  });
  return undefined;
}

function parseFormat(values: Values, faults: Fault[]): Format {
  const name = values.format ?? (values.json === true ? 'json' : 'text');
  const format = FORMATS.find((one) => one === name);
  if (format !== undefined && (values.json !== true || format === 'json')) return format;
  faults.push({
    code: 'E_OPTION',
    found:
      values.json === true
        ? '--json together with another --format'
        : `--format ${name.slice(0, 40)}`,
    wanted: `one of ${FORMATS.join(', ')}`,
    fix: format === undefined ? didYouMean(name, FORMATS) : 'leave one of the two out',
  });
  return 'text';
}
