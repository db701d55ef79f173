// What is taken of a vault password from its source, beside the real ansible-vault, both ways. Which
// sources count stands in vault-rules-ansible.test.ts.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  decryptText,
  encryptionSecret,
  encryptText,
  keyringOf,
  STANDARD_RULES,
} from '../src/vault/keyring.ts';
import type { PasswordSources } from '../src/vault/password-sources.ts';
import type { PasswordIo } from '../src/vault/passwords.ts';
import { loadVaultSecrets } from '../src/vault/passwords.ts';
import { startAnsibleCommands } from './helpers/ansible-commands.ts';
import { ansibleSkip } from './helpers/python.ts';

const AT = { file: 'vault.yml', line: 1, column: 1 };
const skip = await ansibleSkip();
const ansible = skip === false ? await startAnsibleCommands() : null;

const folder = await mkdtemp(join(tmpdir(), 'matrix-tokens-ansible-'));
after(async () => {
  ansible?.close();
  await rm(folder, { recursive: true });
});

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
      const keyring = keyringOf(await loadVaultSecrets(readSources(args), STANDARD_RULES, io));
      const ours = await encryptText('our text', encryptionSecret(keyring, null));
      const [theirs = '', ofOurs] = await ansibleVault(args, {
        encrypt: 'their text',
        decrypt: ours,
      });
      assert.equal(ofOurs, 'our text');
      assert.equal(await decryptText(theirs, keyring, AT), 'their text');
      assert.equal(ours.split('\n')[0], theirs.split('\n')[0]);
    },
  );
}

async function writePasswords(): Promise<void> {
  const scripts: Record<string, string> = {
    script: 'printf "%s" "  of a script $#  "; echo; echo',
    'x-client': 'echo "client $# $1 $2"',
    'y-client.sh': 'echo "client $# $1 $2"',
  };
  await writeFile(join(folder, 'spaces'), ' \t a  password \n\n');
  await writeFile(join(folder, 'binary'), Buffer.from([0x41, 0x80, 0xff, 0x00, 0xc3]));
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
    identityList: [],
    vaultIds: valuesOf('--vault-id'),
    vaultPasswordFiles: valuesOf('--vault-password-file'),
    settingsFile: null,
    askVaultPass: false,
  };
}

async function ansibleVault(
  args: readonly string[],
  texts: { readonly encrypt: string; readonly decrypt: string },
): Promise<string[]> {
  assert(ansible !== null);
  const commands = Object.entries(texts).map(([command, input]) => ({
    argv: ['ansible-vault', command, ...args, '--output', '-'],
    input,
  }));
  const answers = await ansible.run({ cwd: folder, env: { HOME: folder }, commands });
  for (const { exitCode, stderr } of answers) assert.equal(exitCode, 0, stderr);
  return answers.map(({ stdout }) => stdout);
}

function runProgram(file: string, args: readonly string[]) {
  return new Promise<{ exitCode: number; stdout: Buffer }>((done, fail) => {
    const options = { cwd: folder, encoding: 'buffer' as const };
    execFile(file, args, options, (error, stdout) => {
      if (error !== null && typeof error.code !== 'number') fail(error);
      else done({ exitCode: Number(error?.code ?? 0), stdout });
    });
  });
}
