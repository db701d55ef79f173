import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../src/errors.ts';
import { helpText } from '../tasks/help.ts';
import { FLAGS, RUNS, TAKEN_BY, TASKS } from '../tasks/flags.ts';
import { guessOptions, parseOptions } from '../tasks/options.ts';
import type { Options } from '../tasks/options.ts';
import { isTooOld } from '../tasks/version.ts';

function optionsOf(...argv: readonly string[]): Options {
  const request = parseOptions(argv);
  assert(request.kind === 'run');
  return request.options;
}

function faultOf(...argv: readonly string[]): string {
  try {
    parseOptions(argv);
  } catch (error) {
    assert(error instanceof InputError);
    return error.faults
      .map(({ found, wanted = '', fix = '' }) => `${found} ${wanted} ${fix}`)
      .join('\n');
  }
  return assert.fail('nothing was refused');
}

test('without a task, provision is meant, with nothing chosen', () => {
  assert.deepEqual(optionsOf(), {
    task: 'provision',
    services: [],
    inventory: [],
    limit: undefined,
    extraVars: [],
    playbookDir: undefined,
    check: false,
    diff: false,
    detailedExitcode: false,
    maxWait: undefined,
    lockTimeout: undefined,
    format: 'text',
    vaultPasswordFiles: [],
    vaultIds: [],
    askVaultPass: false,
    encryptVaultId: undefined,
    newVaultId: undefined,
    newVaultPasswordFile: undefined,
    oldVaultIds: [],
    verbosity: 0,
  });
});

test('options stand before and after the task, long and short, with = and without', () => {
  const options = optionsOf(
    '-i',
    'a',
    '-CD',
    'provision',
    'rss',
    '--inventory=b',
    'draupnir',
    '-lweb',
    '-vv',
    '--max-wait=0',
    '-e',
    'a=b',
    '--extra-vars',
    'c=d',
  );
  assert.deepEqual(options.inventory, ['a', 'b']);
  assert.deepEqual(options.services, ['rss', 'draupnir']);
  assert.deepEqual(options.extraVars, ['a=b', 'c=d']);
  assert.deepEqual(
    [options.check, options.diff, options.limit, options.verbosity, options.maxWait],
    [true, true, 'web', 2, 0],
  );
});

test("Ansible's other names of an option mean the same", () => {
  const files = optionsOf(
    '--vault-pass-file',
    'a',
    '--vault-password-file',
    'b',
  ).vaultPasswordFiles;
  assert.deepEqual(files, ['a', 'b'], 'in their order: the first one of a vault ID encrypts');
  for (const name of ['-J', '--ask-vault-pass', '--ask-vault-password']) {
    assert.equal(optionsOf(name).askVaultPass, true);
  }
});

test('validate only looks', () => {
  assert.equal(optionsOf('validate').check, true);
  assert.equal(optionsOf('validate', '--detailed-exitcode').detailedExitcode, true);
});

test('options that a task does not take are refused by it', () => {
  for (const task of RUNS) {
    for (const [name, tasks] of Object.entries(TAKEN_BY)) {
      if (tasks.some((one) => one === task)) continue;
      const { type } = FLAGS[name as keyof typeof FLAGS];
      const argv = type === 'string' ? [`--${name}`, '1'] : [`--${name}`];
      assert.match(faultOf(task, ...argv), new RegExp(`^--${name} with the task ${task}`));
    }
  }
});

test('a password is asked for, or a file is named: both are too many, as for Ansible', () => {
  for (const flag of ['--vault-password-file', '--vault-pass-file']) {
    assert.match(faultOf('-J', flag, 'a'), new RegExp(`^--ask-vault-pass together with ${flag}`));
  }
  assert.equal(optionsOf('-J', '--vault-id', 'a@b').askVaultPass, true);
  const news = ['--new-vault-id', 'a', '--new-vault-password-file', 'b', '--encrypt-vault-id', 'c'];
  assert.match(faultOf('rekey', ...news), /^--new-vault-id together with --new-vault-password-f/);
  assert.match(faultOf('rekey', ...news.slice(2)), /^--new-vault-password-file together with --en/);
});

test('every option stands in the help of its task, with its short form, in 80 columns', () => {
  for (const task of RUNS) {
    const help = helpText(task);
    for (const line of help.split('\n')) assert(line.length <= 80, line);
    for (const [name, flag] of Object.entries(FLAGS)) {
      const tasks: readonly string[] = TAKEN_BY[name as keyof typeof TAKEN_BY] ?? RUNS;
      const isMeant = tasks.includes(task);
      const written = new RegExp(`(?<![\\w-])--${name}(?![\\w-])`);
      assert.equal(written.test(help), isMeant, `--${name} of ${task}`);
      if ('short' in flag && isMeant) assert(help.includes(`-${flag.short}, --${name}`), name);
    }
    assert.match(help, /^Example:\n {2}matrix-tokens /m);
  }
  for (const task of TASKS) assert.match(helpText(null), new RegExp(`^ {2}${task} `, 'm'));
});

test('help and version are given whatever else is asked for', () => {
  assert.deepEqual(parseOptions(['validate', '-h', '--diff']), { kind: 'help', task: 'validate' });
  assert.deepEqual(parseOptions(['--help']), { kind: 'help', task: null });
  assert.deepEqual(parseOptions(['provision', '--version', '-i', 'x']), { kind: 'version' });
});

test('a value after a mistyped option is never repeated, since it may be a secret', () => {
  assert.doesNotMatch(faultOf('--vault-pasword=canary'), /canary/);
  assert.match(faultOf('--vault-pasword-file=canary'), /did you mean '--vault-password-file'/);
  assert.doesNotMatch(faultOf('--ask-vault-pass=canary'), /canary/);
  assert.match(faultOf('-xcanary'), /^-x, which is no option/);
  assert.match(faultOf('-CDz', '-ifile'), /^-z, which is no option/);
  assert.doesNotMatch(faultOf('-xcanary'), /canary/);
  assert.doesNotMatch(faultOf('--max-wait', 'canary'), /canary/);
});

test('seconds to wait are whole and at most a day', () => {
  for (const text of ['-1', '1.5', '86401', '1e3', '', ' 1', '0x10']) {
    assert.match(faultOf(`--max-wait=${text}`), /--max-wait/);
  }
  assert.equal(optionsOf('--max-wait=86400').maxWait, 86_400);
  assert.equal(optionsOf('--lock-timeout=0').lockTimeout, 0);
  assert.match(faultOf('--lock-timeout=soon'), /^--lock-timeout with something else than seconds/);
});

test('what arguments that cannot be read ask for is guessed for their error', () => {
  assert.deepEqual(guessOptions(['--wrong']), { task: 'provision', check: false, format: 'text' });
  assert.deepEqual(guessOptions(['validate', '--json']), {
    task: 'validate',
    check: true,
    format: 'json',
  });
  for (const argv of [['--format', 'json'], ['--format=json'], ['--json']]) {
    assert.equal(guessOptions(argv).format, 'json');
  }
  assert.equal(guessOptions(['--format', 'text']).format, 'text');
  assert.equal(guessOptions(['-C']).check, true);
});

test('a Node that lacks what is used is told apart', () => {
  const versions = ['12.22.12', '18.19.0', '20.18.3', '20.19.0', '20.20.2', '22.12.0', '24.0.0'];
  assert.deepEqual(versions.filter(isTooOld), versions.slice(0, 3));
});

test('the task of the role is for nobody else: it is not offered, and takes no options', () => {
  assert.deepEqual(parseOptions(['play']), { kind: 'play' });
  assert.ok(!(TASKS as readonly string[]).includes('play'));
  assert.throws(() => parseOptions(['play', '-v']), InputError);
});
