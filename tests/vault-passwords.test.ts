import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { FaultCode } from '../src/errors.ts';
import { InputError } from '../src/errors.ts';
import { Secret } from '../src/secret.ts';
import { encryptText, STANDARD_RULES } from '../src/vault/keyring.ts';
import { passwordToBytes } from '../src/vault/password-bytes.ts';
import type { PasswordSources } from '../src/vault/password-sources.ts';
import type { PasswordIo } from '../src/vault/passwords.ts';
import { confirmPrompted, loadVaultSecrets } from '../src/vault/passwords.ts';

const NONE: PasswordSources = {
  identityList: [],
  vaultIds: [],
  vaultPasswordFiles: [],
  settingsFile: null,
  askVaultPass: false,
};

const folder = await mkdtemp(join(tmpdir(), 'matrix-tokens-passwords-'));
after(() => rm(folder, { recursive: true }));

test('no source gives no password', async () => {
  assert.deepEqual(await load({}), []);
});

test('a password file is taken without the white space around it, with that inside', async () => {
  const file = await write('spaces', ' \t\n pass  word \r\n\n');
  assert.deepEqual(await load({ vaultPasswordFiles: [file] }), [['default', 'pass  word']]);
});

test('a password file of any bytes keeps them', async () => {
  const bytes = Buffer.from([0x80, 0xff, 0x00, 0x41, 0xc3]);
  const file = await write('binary', bytes);
  const [secret] = await loadVaultSecrets(
    { ...NONE, vaultPasswordFiles: [file] },
    STANDARD_RULES,
    makeIo(),
  );
  assert.deepEqual(secret && passwordToBytes(secret.password), bytes);
});

test('the order is: listed IDs, IDs, password files, the file of the settings, the prompt', async () => {
  const files = await Promise.all(
    ['zero', 'one', 'two', 'three', 'four'].map((name) => write(name, name)),
  );
  const [zero = '', one = '', two = '', three = '', four = ''] = files;
  const sources = {
    identityList: [{ value: `listed@${zero}`, origin: 'a setting' }],
    vaultIds: [`dev@${one}`, two],
    vaultPasswordFiles: [three],
    settingsFile: { value: four, origin: 'another setting' },
    askVaultPass: true,
  };
  assert.deepEqual(await load(sources, { prompt: answer('five') }), [
    ['listed', 'zero'],
    ['dev', 'one'],
    ['default', 'two'],
    ['default', 'three'],
    ['default', 'four'],
    ['default', 'five'],
  ]);
});

test('only the first @ of a vault ID parts label and file', async () => {
  await write('user@host', 'x');
  assert.deepEqual(await load({ vaultIds: ['dev@user@host'] }), [['dev', 'x']]);
  assert.deepEqual(await load({ vaultIds: ['@user@host'] }), [['default', 'x']]);
});

test('names of files start from the current folder, and know ~ and $NAME', async () => {
  await write('plain', 'x');
  const io = { env: { HOME: folder, WHERE: folder, FILE: 'plain' } };
  for (const name of ['plain', './plain', '~/plain', '$WHERE/plain', '${WHERE}/$FILE']) {
    assert.deepEqual(await load({ vaultIds: [`dev@${name}`] }, io), [['dev', 'x']], name);
  }
});

test('an executable file is run without arguments, and loses only its line ends', async () => {
  const file = await script('script', 'printf "%s" "  $# args  "; echo; echo');
  assert.deepEqual(await load({ vaultIds: [`dev@${file}`] }), [['dev', '  0 args  ']]);
});

test('a client script is told the vault ID, also with an extension', async () => {
  const body = 'echo "$1 $2"';
  const [bare, extended] = [await script('x-client', body), await script('y-client.sh', body)];
  assert.deepEqual(await load({ vaultIds: [`dev@${bare}`] }), [['dev', '--vault-id dev']]);
  assert.deepEqual(await load({ vaultIds: [`dev@${extended}`] }), [['dev', '--vault-id dev']]);
  assert.deepEqual(await load({ vaultPasswordFiles: [bare] }), [['default', '--vault-id default']]);
  assert.deepEqual(
    await load({ vaultIds: [bare] }),
    [['default', '']].map(([a]) => [a, ' ']),
  );
});

test('a prompt names its vault ID, and is not shown the white space around the answer', async () => {
  const asked: string[] = [];
  const prompt = async (text: string) => {
    asked.push(text);
    return ' typed \n';
  };
  const secrets = await load(
    { vaultIds: ['dev@prompt', 'prompt'], askVaultPass: true },
    { prompt },
  );
  assert.deepEqual(asked, [
    'Vault password (dev): ',
    'Vault password (default): ',
    'Vault password: ',
  ]);
  assert.deepEqual(secrets[0], ['dev', 'typed']);
});

test('a vaulted password file is opened with a password that an earlier source gave', async () => {
  const first = await write('first', 'the first');
  const secret = { label: 'default', password: new Secret('the first') };
  const vaulted = await write('vaulted', await encryptText('the second\n', secret));
  assert.deepEqual(await load({ vaultIds: [`a@${first}`, `b@${vaulted}`] }), [
    ['a', 'the first'],
    ['b', 'the second'],
  ]);
  await refused({ vaultIds: [`b@${vaulted}`] }, 'E_VAULT_PASSWORD', /no vault password was given/);
});

test('a source that fails is a warning where another gives a password', async () => {
  const warnings: string[] = [];
  const good = await write('good', 'x');
  const secrets = await load(
    { vaultIds: ['dev@missing', `prod@${good}`] },
    { warn: (text) => warnings.push(text) },
  );
  assert.deepEqual(secrets, [['prod', 'x']]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /of dev .*missing \(--vault-id\) was not found/);
});

test('where every source fails all of them are named', async () => {
  const [code2, code1] = [await script('q-client', 'exit 2'), await script('failing', 'exit 1')];
  const noScript = await write('no-script', 'password', 0o755);
  await mkdir(join(folder, 'a-folder'));
  const empty = await write('empty', ' \n');
  await assert.rejects(
    load({ vaultPasswordFiles: ['missing', 'a-folder', empty, code1, code2, noScript] }),
    (error) => {
      assert.ok(error instanceof InputError);
      const found = error.faults.map((fault) => fault.found).join('\n');
      const wanted = [
        /missing .* was not found/,
        /a-folder .* is a folder/,
        /empty .* gives an empty password/,
        /failing .* ended with code 1/,
        /q-client .* knows no vault ID default/,
        /no-script .* cannot be run \(ENOEXEC\)|no-script .* ended with code 127/,
      ];
      for (const pattern of wanted) assert.match(found, pattern);
      return error.faults.length === wanted.length;
    },
  );
});

test('a prompt without a terminal, or an empty answer, ends the run even beside a good file', async () => {
  const file = await write('beside', 'x');
  const sources = { vaultIds: [file], askVaultPass: true };
  await refused(sources, 'E_VAULT_PASSWORD', /no terminal/);
  await refused(sources, 'E_VAULT_PASSWORD', /empty/, { prompt: answer('  ') });
});

test('a vault ID that no header can carry is refused before anything is read', async () => {
  const readFileNever = () => Promise.reject(new Error('was read'));
  for (const label of ['a;b', 'dév', ' a']) {
    const sources = { vaultIds: [`${label}@file`] };
    await refused(sources, 'E_OPTION', /is not a vault ID/, { readFile: readFileNever });
  }
});

test('a typed password is confirmed, one from a file is not asked for again', async () => {
  const file = await write('of-a-file', 'x');
  const sources = { ...NONE, vaultIds: [file, 'dev@prompt'] };
  const secrets = await loadVaultSecrets(
    sources,
    STANDARD_RULES,
    makeIo({ prompt: answer('typed') }),
  );
  const asked: string[] = [];
  const prompt = async (text: string) => {
    asked.push(text);
    return 'typed';
  };
  await confirmPrompted(secrets, prompt);
  assert.deepEqual(asked, ['Confirm vault password (dev): ']);
  await assert.rejects(confirmPrompted(secrets, answer('mistyped')), (error) => {
    assert.ok(error instanceof InputError);
    assert.equal(error.faults[0]?.code, 'E_VAULT_PASSWORD');
    return !error.message.includes('typed ') || !error.message.includes('mistyped');
  });
});

async function load(sources: Partial<PasswordSources>, io: Partial<PasswordIo> = {}) {
  const secrets = await loadVaultSecrets({ ...NONE, ...sources }, STANDARD_RULES, makeIo(io));
  return secrets.map(({ label, password }) => [label, password.reveal()]);
}

async function refused(
  sources: Partial<PasswordSources>,
  code: FaultCode,
  found: RegExp,
  io: Partial<PasswordIo> = {},
): Promise<void> {
  await assert.rejects(load(sources, io), (error) => {
    assert.ok(error instanceof InputError);
    assert.equal(error.faults[0]?.code, code);
    assert.match(error.faults[0].found, found);
    return true;
  });
}

function makeIo(changes: Partial<PasswordIo> = {}): PasswordIo {
  return {
    cwd: folder,
    env: {},
    readFile: (file) => readFile(file),
    isExecutable: async (file) => {
      const stats = await stat(file).catch(() => null);
      return stats !== null && stats.isFile() && (stats.mode & 0o111) !== 0;
    },
    run: runProgram,
    prompt: null,
    warn: (text) => assert.fail(text),
    ...changes,
  };
}

function runProgram(file: string, args: readonly string[]) {
  return new Promise<{ exitCode: number; stdout: Buffer }>((done, fail) => {
    execFile(file, args, { encoding: 'buffer' }, (error, stdout) => {
      if (error !== null && typeof error.code !== 'number') fail(error);
      else done({ exitCode: Number(error?.code ?? 0), stdout });
    });
  });
}

function answer(text: string): (question: string) => Promise<string> {
  return () => Promise.resolve(text);
}

async function write(name: string, content: string | Buffer, mode = 0o600): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content);
  await chmod(file, mode);
  return file;
}

function script(name: string, body: string): Promise<string> {
  return write(name, `#!/bin/sh\n${body}\n`, 0o755);
}
