// Every source of a vault password beside the real ansible-vault, both ways.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { InputError } from '../src/errors.ts';
import { decryptText, encryptionSecret, encryptText, openEnvelope } from '../src/vault/keyring.ts';
import type { PasswordIo, PasswordSources } from '../src/vault/passwords.ts';
import { loadVaultSecrets } from '../src/vault/passwords.ts';
import { ansibleBin, ansibleSkip } from './helpers/python.ts';

const AT = { file: 'vault.yml', line: 1, column: 1 };
const skip = await ansibleSkip();

const folder = await mkdtemp(join(tmpdir(), 'matrix-tokens-ansible-'));
after(() => rm(folder, { recursive: true }));

const io: PasswordIo = {
  cwd: folder,
  env: { HOME: folder, WHERE: 'sub' },
  readFile: (file) => readFile(file),
  isExecutable: async (file) => {
    const stats = await stat(file).catch(() => null);
    return stats !== null && stats.isFile() && (stats.mode & 0o111) !== 0;
  },
  run: (file, args) => runProgram(file, args),
  prompt: null,
  warn: () => undefined,
};

await writePasswords();

const sources: Record<string, string[]> = {
  'a file with white space around it': ['--vault-password-file', 'spaces'],
  'a file of bytes that are no UTF-8': ['--vault-password-file', 'binary'],
  'an executable file': ['--vault-password-file', 'script'],
  'a client script as a password file': ['--vault-password-file', 'x-client'],
  'a client script with a vault ID': ['--vault-id', 'dev@x-client'],
  'a client script with an extension and no label': ['--vault-id', 'y-client.sh'],
  'a vault ID': ['--vault-id', 'dev@spaces'],
  'a vault ID with a space in it': ['--vault-id', 'my id@spaces'],
  'an empty label': ['--vault-id', '@spaces'],
  'a name with ~': ['--vault-id', 'dev@~/spaces'],
};

for (const [name, args] of Object.entries(sources)) {
  test(
    `the same password and the same header as with ansible-vault: ${name}`,
    { skip },
    async () => {
      const theirs = await encryptByAnsible('their text', args);
      const secrets = await loadVaultSecrets(readSources(args), io);
      assert.equal(await decryptText(theirs, secrets, AT), 'their text');
      const ours = await encryptText('our text', encryptionSecret(secrets, undefined));
      assert.equal(ours.split('\n')[0], theirs.split('\n')[0]);
      assert.equal(await decryptByAnsible(ours, args), 'our text');
    },
  );
}

test(
  'a password file that is vaulted itself is opened with an earlier password',
  { skip },
  async () => {
    const vaulted = await encryptByAnsible('inner password\n', ['--vault-id', 'a@spaces']);
    await writeFile(join(folder, 'vaulted'), vaulted);
    const args = ['--vault-id', 'a@spaces', '--vault-id', 'b@vaulted'];
    const theirs = await encryptByAnsible('x', [...args, '--encrypt-vault-id', 'b']);
    const secrets = await loadVaultSecrets(readSources(args), io);
    const opened = await openEnvelope(theirs, secrets, AT);
    assert.equal(opened.secret.password.reveal(), 'inner password');
  },
);

test(
  'of several passwords one must be named for encrypting, and a wrong label opens too',
  {
    skip,
  },
  async () => {
    const args = ['--vault-id', 'dev@spaces', '--vault-id', 'prod@script'];
    const secrets = await loadVaultSecrets(readSources(args), io);
    assert.throws(() => encryptionSecret(secrets, undefined), InputError);
    await assert.rejects(
      encryptByAnsible('x', args),
      /vault-ids dev,prod are available to encrypt/,
    );
    const theirs = await encryptByAnsible('x', [...args, '--encrypt-vault-id', 'prod']);
    assert.equal(encryptionSecret(secrets, 'prod').label, 'prod');
    const mislabelled = theirs.replace(';prod', ';other');
    assert.equal(await decryptText(mislabelled, secrets, AT), 'x');
    assert.equal(await decryptByAnsible(mislabelled, args), 'x');
  },
);

test(
  'where one source fails both go on with the others; where all fail both end',
  { skip },
  async () => {
    const args = ['--vault-id', 'dev@missing', '--vault-id', 'prod@spaces'];
    const secrets = await loadVaultSecrets(readSources(args), io);
    assert.equal(
      await decryptByAnsible(await encryptText('x', encryptionSecret(secrets, 'prod')), args),
      'x',
    );
    const wrong = ['empty', 'exit-2-client', 'missing', 'x-client-not'].map(
      (file) => `dev@${file}`,
    );
    for (const id of wrong) {
      await assert.rejects(loadVaultSecrets(readSources(['--vault-id', id]), io), InputError, id);
      await assert.rejects(encryptByAnsible('x', ['--vault-id', id]), /./, id);
    }
  },
);

async function writePasswords(): Promise<void> {
  const scripts: Record<string, string> = {
    script: 'printf "%s" "  of a script $#  "; echo; echo',
    'x-client': 'echo "client $# $1 $2"',
    'y-client.sh': 'echo "client $# $1 $2"',
    'exit-2-client': 'exit 2',
    'x-client-not': 'exit 1',
  };
  await writeFile(join(folder, 'spaces'), ' \t a  password \n\n');
  await writeFile(join(folder, 'binary'), Buffer.from([0x41, 0x80, 0xff, 0x00, 0xc3]));
  await writeFile(join(folder, 'empty'), '\n');
  for (const [name, body] of Object.entries(scripts)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${body}\n`);
    await chmod(join(folder, name), 0o755);
  }
}

function readSources(args: readonly string[]): PasswordSources {
  const valuesOf = (option: string): string[] => {
    return args.filter((_, index) => args[index - 1] === option);
  };
  return {
    vaultPasswordFiles: valuesOf('--vault-password-file'),
    vaultIds: valuesOf('--vault-id'),
    askVaultPass: false,
  };
}

async function encryptByAnsible(text: string, args: readonly string[]): Promise<string> {
  return ansibleVault(['encrypt', ...args, '--output', '-'], text);
}

async function decryptByAnsible(text: string, args: readonly string[]): Promise<string> {
  return ansibleVault(['decrypt', ...args, '--output', '-'], text);
}

async function ansibleVault(args: readonly string[], input: string): Promise<string> {
  const { exitCode, stdout, stderr } = await runProgram(
    await ansibleBin('ansible-vault'),
    args,
    input,
  );
  if (exitCode !== 0) throw new Error(stderr);
  return stdout.toString();
}

function runProgram(file: string, args: readonly string[], input = '') {
  return new Promise<{ exitCode: number; stdout: Buffer; stderr: string }>((done, fail) => {
    const env = { PATH: process.env['PATH'], HOME: folder, LC_ALL: 'C.UTF-8' };
    const options = { cwd: folder, env, encoding: 'buffer' as const };
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') fail(error);
      else done({ exitCode: Number(error?.code ?? 0), stdout, stderr: stderr.toString() });
    });
    // A program that reads nothing may have ended by now.
    child.stdin?.on('error', () => undefined).end(input);
  });
}
