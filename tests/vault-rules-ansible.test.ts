// Ansible's rules for vault IDs and passwords, each beside the real ansible-vault: with the same
// options, environment and ansible.cfg both open the same vaults, and encrypt under the same header;
// what ours encrypts, theirs opens. What theirs refuses, ours refuses.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { InputError } from '../src/errors.ts';
import { openVaultAccess } from '../src/provision/vault-access.ts';
import type { World } from '../src/provision/world.ts';
import { Secret } from '../src/secret.ts';
import { encryptionSecret, encryptText } from '../src/vault/keyring.ts';
import { parseOptions } from '../tasks/options.ts';
import { run } from '../tasks/shell.ts';
import { startAnsibleCommands } from './helpers/ansible-commands.ts';
import type { AnsibleCommand } from './helpers/ansible-commands.ts';
import { ansibleSkip } from './helpers/python.ts';

const skip = await ansibleSkip();
const ansible = skip === false ? await startAnsibleCommands() : null;
const root = mkdtempSync(join(tmpdir(), 'matrix-tokens-rules-'));
after(() => {
  ansible?.close();
  rmSync(root, { recursive: true });
});

const PASSWORDS = { dev: 'password of dev', prod: 'password of prod', qa: 'password of qa' };

/** What is to be opened: who sealed it, and under which header. */
const VAULTS = {
  'dev under its ID': await sealed('dev', 'dev'),
  'prod under its ID': await sealed('prod', 'prod'),
  'dev without an ID': await sealed('dev', 'default'),
  'dev under the ID of prod': await sealed('dev', 'prod'),
  'dev under an ID that nobody has': await sealed('dev', 'other'),
  'a password that nobody has': await sealed('qa', 'dev'),
  'dev in 1.2 under the ID default': (await sealed('dev', 'dev')).replace(/;dev$/m, ';default'),
};

/** The password of dev, vaulted with that of prod. */
const VAULTED = await encryptText(PASSWORDS.dev, {
  label: 'prod',
  password: new Secret(PASSWORDS.prod),
});

interface Rule {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Lines of [defaults]. */
  readonly cfg?: readonly string[];
  /** The folder where both run, below the one with the files. */
  readonly cwd?: string;
  /** The header that a new envelope gets; null: none may be made. */
  readonly header: string | null;
  /** The vaults that are opened. */
  readonly opens: readonly (keyof typeof VAULTS)[];
}

const OF_DEV = [
  'dev under its ID',
  'dev without an ID',
  'dev under the ID of prod',
  'dev under an ID that nobody has',
  'dev in 1.2 under the ID default',
] as const;
const OF_BOTH = [...OF_DEV, 'prod under its ID'] as const;
const BOTH = ['--vault-id', 'dev@dev', '--vault-id', 'prod@prod'];
const MATCH = { ANSIBLE_VAULT_ID_MATCH: 'True' };

const RULES: Readonly<Record<string, Rule>> = {
  'an ID that fits': { args: ['--vault-id', 'dev@dev'], header: ';1.2;AES256;dev', opens: OF_DEV },
  'an ID that does not fit': {
    args: ['--vault-id', 'x@dev'],
    header: ';1.2;AES256;x',
    opens: OF_DEV,
  },
  'no ID': { args: ['--vault-id', 'dev'], header: ';1.1;AES256', opens: OF_DEV },
  'an empty ID': { args: ['--vault-id', '@dev'], header: ';1.1;AES256', opens: OF_DEV },
  'a password file': {
    args: ['--vault-password-file', 'dev'],
    header: ';1.1;AES256',
    opens: OF_DEV,
  },
  'two IDs, none named to encrypt': { args: BOTH, header: null, opens: OF_BOTH },
  'two IDs, one named to encrypt': {
    args: [...BOTH, '--encrypt-vault-id', 'prod'],
    header: ';1.2;AES256;prod',
    opens: OF_BOTH,
  },
  'an ID to encrypt that nobody has': {
    args: [...BOTH, '--encrypt-vault-id', 'qa'],
    header: null,
    opens: OF_BOTH,
  },
  'one ID twice': {
    args: ['--vault-id', 'dev@prod', '--vault-id', 'dev@dev'],
    header: null,
    opens: OF_BOTH,
  },
  'one ID twice, named to encrypt: its first password does': {
    args: ['--vault-id', 'dev@dev', '--vault-id', 'dev@prod', '--encrypt-vault-id', 'dev'],
    header: ';1.2;AES256;dev',
    opens: OF_BOTH,
  },
  'the same password file twice': {
    args: ['--vault-password-file', 'dev'],
    env: { ANSIBLE_VAULT_PASSWORD_FILE: 'dev' },
    header: null,
    opens: OF_DEV,
  },
  'match: only passwords of its own ID': {
    args: BOTH,
    env: MATCH,
    header: null,
    opens: ['dev under its ID', 'prod under its ID'],
  },
  'match, one ID twice: both of its passwords': {
    args: ['--vault-id', 'dev@prod', '--vault-id', 'dev@dev'],
    env: MATCH,
    header: null,
    opens: ['dev under its ID'],
  },
  'match, a password without an ID: vaults without one': {
    args: ['--vault-password-file', 'dev'],
    env: MATCH,
    header: ';1.1;AES256',
    opens: ['dev without an ID', 'dev in 1.2 under the ID default'],
  },
  'match by "no" in ansible.cfg: any text turns it on': {
    args: ['--vault-id', 'x@dev'],
    cfg: ['vault_id_match = no'],
    header: ';1.2;AES256;x',
    opens: [],
  },
  'match by "False" in the environment: any text turns it on': {
    args: ['--vault-id', 'x@dev'],
    env: { ANSIBLE_VAULT_ID_MATCH: 'False' },
    header: ';1.2;AES256;x',
    opens: [],
  },
  'match in ansible.cfg, and a variable that is empty: off': {
    args: ['--vault-id', 'x@dev'],
    cfg: ['vault_id_match = yes'],
    env: { ANSIBLE_VAULT_ID_MATCH: '' },
    header: ';1.2;AES256;x',
    opens: OF_DEV,
  },
  'another ID for what has none': {
    args: ['--vault-password-file', 'dev'],
    env: { ANSIBLE_VAULT_IDENTITY: 'dev', ...MATCH },
    header: ';1.2;AES256;dev',
    opens: ['dev under its ID', 'dev without an ID'],
  },
  'another ID for what has none, by ansible.cfg': {
    args: ['--vault-id', 'dev'],
    cfg: ['vault_identity = other', 'vault_id_match = 1'],
    header: ';1.2;AES256;other',
    opens: ['dev without an ID', 'dev under an ID that nobody has'],
  },
  'vault_password_file, from the folder of ansible.cfg': {
    cfg: ['vault_password_file = dev'],
    cwd: 'below',
    header: ';1.1;AES256',
    opens: OF_DEV,
  },
  'ANSIBLE_VAULT_PASSWORD_FILE, from the current folder': {
    env: { ANSIBLE_VAULT_PASSWORD_FILE: '../prod' },
    cfg: ['vault_password_file = dev'],
    cwd: 'below',
    header: ';1.1;AES256',
    opens: ['prod under its ID'],
  },
  'vault_identity_list, from the current folder': {
    cfg: ['vault_identity_list = dev@dev, prod@../prod'],
    cwd: 'below',
    header: ';1.2;AES256;prod',
    opens: ['prod under its ID'],
  },
  'ANSIBLE_VAULT_IDENTITY_LIST, with spaces and quotes': {
    env: { ANSIBLE_VAULT_IDENTITY_LIST: ` 'dev@dev' , "prod@prod"` },
    header: null,
    opens: OF_BOTH,
  },
  'vault_identity_list comes before --vault-id, that before a password file': {
    cfg: ['vault_identity_list = default@dev', 'vault_password_file = qa'],
    args: ['--vault-id', 'default@prod', '--encrypt-vault-id', 'default'],
    header: ';1.1;AES256',
    opens: [...OF_BOTH, 'a password that nobody has'],
  },
  'an ID that is listed, whose file is missing: the others count': {
    cfg: ['vault_identity_list = gone@gone, dev@dev'],
    header: ';1.2;AES256;dev',
    opens: OF_DEV,
  },
  'a list that is hidden by an empty variable': {
    cfg: ['vault_identity_list = dev@dev'],
    env: { ANSIBLE_VAULT_IDENTITY_LIST: '' },
    header: null,
    opens: [],
  },
  'a password file that is hidden by an empty variable': {
    cfg: ['vault_password_file = dev'],
    env: { ANSIBLE_VAULT_PASSWORD_FILE: '' },
    header: null,
    opens: [],
  },
  vault_encrypt_identity: {
    args: BOTH,
    cfg: ['vault_encrypt_identity = prod'],
    header: ';1.2;AES256;prod',
    opens: OF_BOTH,
  },
  'vault_encrypt_identity without its password': {
    args: ['--vault-id', 'dev@dev'],
    cfg: ['vault_encrypt_identity = prod'],
    header: null,
    opens: OF_DEV,
  },
  '--encrypt-vault-id wins over ANSIBLE_VAULT_ENCRYPT_IDENTITY': {
    args: [...BOTH, '--encrypt-vault-id', 'dev'],
    env: { ANSIBLE_VAULT_ENCRYPT_IDENTITY: 'prod' },
    header: ';1.2;AES256;dev',
    opens: OF_BOTH,
  },
  'ANSIBLE_VAULT_ENCRYPT_IDENTITY wins over ansible.cfg': {
    args: BOTH,
    cfg: ['vault_encrypt_identity = prod'],
    env: { ANSIBLE_VAULT_ENCRYPT_IDENTITY: 'dev' },
    header: ';1.2;AES256;dev',
    opens: OF_BOTH,
  },
  'an empty ANSIBLE_VAULT_ENCRYPT_IDENTITY names none': {
    args: ['--vault-id', 'dev@dev'],
    cfg: ['vault_encrypt_identity = prod'],
    env: { ANSIBLE_VAULT_ENCRYPT_IDENTITY: '' },
    header: ';1.2;AES256;dev',
    opens: OF_DEV,
  },
  'a client script is told the ID': {
    args: ['--vault-id', 'dev@by-id-client', '--vault-id', 'prod@by-id-client.sh'],
    header: null,
    opens: OF_BOTH,
  },
  'a client script that does not know the ID: the others count': {
    args: ['--vault-id', 'other@by-id-client', '--vault-id', 'dev@dev'],
    header: ';1.2;AES256;dev',
    opens: OF_DEV,
  },
  'a client script as the only source does not know the ID': {
    args: ['--vault-id', 'other@by-id-client'],
    header: null,
    opens: [],
  },
  'a client script in vault_identity_list': {
    cfg: ['vault_identity_list = prod@by-id-client'],
    header: ';1.2;AES256;prod',
    opens: ['prod under its ID'],
  },
  'a client script as vault_password_file gets the ID of what has none': {
    cfg: ['vault_password_file = by-id-client', 'vault_identity = dev'],
    header: ';1.2;AES256;dev',
    opens: OF_DEV,
  },
  'a script that is no client gets no ID': {
    args: ['--vault-id', 'prod@dev-or-prod'],
    header: ';1.2;AES256;prod',
    opens: OF_DEV,
  },
  'a script that reads from stdin': {
    args: ['--vault-id', 'dev@from-stdin'],
    header: null,
    opens: [],
  },
  'a script that fails': { args: ['--vault-id', 'dev@fails'], header: null, opens: [] },
  'an empty file': { args: ['--vault-id', 'dev@empty'], header: null, opens: [] },
  'a folder': { args: ['--vault-id', 'dev@below'], header: null, opens: [] },
  'a file that is vaulted with an earlier password': {
    args: ['--vault-id', 'prod@prod', '--vault-id', 'dev@dev.vaulted'],
    header: null,
    opens: OF_BOTH,
  },
  'a file that is vaulted with a later password': {
    args: ['--vault-id', 'dev@dev.vaulted', '--vault-id', 'prod@prod'],
    header: ';1.2;AES256;prod',
    opens: ['prod under its ID'],
  },
  'match, a file that is vaulted under another ID': {
    args: ['--vault-id', 'x@prod', '--vault-id', 'dev@dev.vaulted'],
    env: MATCH,
    header: ';1.2;AES256;x',
    opens: [],
  },
  'vault_password_file that is vaulted with a password of vault_identity_list': {
    cfg: ['vault_identity_list = prod@prod', 'vault_password_file = dev.vaulted'],
    header: null,
    opens: OF_BOTH,
  },
  'a name with ~ and one with a variable': {
    args: ['--vault-id', 'dev@~/dev', '--vault-id', 'prod@$WHERE/prod'],
    env: { WHERE: root },
    header: null,
    opens: OF_BOTH,
  },
  'a prompt without a terminal': { args: ['--vault-id', 'dev@prompt'], header: null, opens: [] },
  'a prompt of the old kind without a terminal': {
    args: ['--vault-id', 'dev@prompt_ask_vault_pass'],
    header: null,
    opens: [],
  },
  'ask_vault_pass without a terminal': {
    args: ['--vault-id', 'dev@dev'],
    cfg: ['ask_vault_pass = yes'],
    header: null,
    opens: [],
  },
  'ANSIBLE_ASK_VAULT_PASS that says no': {
    args: ['--vault-id', 'dev@dev'],
    env: { ANSIBLE_ASK_VAULT_PASS: 'no' },
    cfg: ['ask_vault_pass = yes'],
    header: ';1.2;AES256;dev',
    opens: OF_DEV,
  },
  '--ask-vault-pass together with a password file': {
    args: ['--ask-vault-pass', '--vault-password-file', 'dev'],
    header: null,
    opens: [],
  },
  'an ID with ; in it': { args: ['--vault-id', 'a;b@dev'], header: null, opens: [] },
};

writeFolder();
const theirs = skip === false ? askAllTheirs() : null;

for (const [name, rule] of Object.entries(RULES)) {
  test(`as ansible-vault: ${name}`, { skip }, async () => {
    const wanted = { opens: rule.opens.toSorted(), header: rule.header };
    const ours = await askOurs(rule);
    assert.deepEqual({ opens: ours.opens, header: headerOf(ours.envelope) }, wanted, 'ours');
    const answer = (await theirs?.get(settingsKey(rule)))?.get(rule);
    assert(answer !== undefined);
    assert.deepEqual({ opens: answer.opens, header: answer.header }, wanted, 'theirs');
    assert.equal(answer.ofOurs, ours.envelope === null ? null : 'a value', 'theirs opens ours');
  });
}

async function sealed(who: keyof typeof PASSWORDS, label: string): Promise<string> {
  return encryptText('a value', { label, password: new Secret(PASSWORDS[who]) });
}

function writeFolder(): void {
  mkdirSync(join(root, 'below'), { recursive: true });
  const write = (name: string, text: string, mode = 0o600): void => {
    writeFileSync(join(root, name), text);
    chmodSync(join(root, name), mode);
  };
  const byId = `case "$2" in dev) echo '${PASSWORDS.dev}';; prod) echo '${PASSWORDS.prod}';; *) exit 2;; esac`;
  for (const [name, password] of Object.entries(PASSWORDS)) write(name, `${password}\n`);
  write('dev.vaulted', VAULTED);
  write('empty', '\n');
  write('by-id-client', `#!/bin/sh\n${byId}\n`, 0o700);
  write('by-id-client.sh', `#!/bin/sh\n${byId}\n`, 0o700);
  write('dev-or-prod', `#!/bin/sh\ntest $# = 0 && echo '${PASSWORDS.dev}'\n`, 0o700);
  write('from-stdin', '#!/bin/sh\nread -r line && echo "$line"\n', 0o700);
  write('fails', '#!/bin/sh\necho x; exit 3\n', 0o700);
  for (const [name, text] of Object.entries(VAULTS)) write(name, text);
  for (const { cfg = [] } of Object.values(RULES)) {
    write(configName(cfg), ['[defaults]', ...cfg, ''].join('\n'));
  }
}

function configName(cfg: readonly string[]): string {
  return `${createHash('sha256').update(cfg.join('\n')).digest('hex').slice(0, 16)}.cfg`;
}

function settingsOf(rule: Rule): { cwd: string; env: Record<string, string> } {
  const { cwd = '.', env = {}, cfg = [] } = rule;
  const config = { ANSIBLE_CONFIG: join(root, configName(cfg)) };
  return { cwd: join(root, cwd), env: { HOME: root, ...config, ...env } };
}

function settingsKey(rule: Rule): string {
  return JSON.stringify(settingsOf(rule));
}

/** Without a terminal, and with nothing on stdin. */
function worldOf(rule: Rule): World {
  return {
    ...settingsOf(rule),
    now: Date.now,
    sleep: () => Promise.resolve(),
    random: () => 0,
    signal: new AbortController().signal,
    run: (file, args) => run(file, args),
    prompt: null,
    log: () => {},
    warn: () => {},
    progress: () => {},
  };
}

interface Ours {
  readonly opens: readonly string[];
  readonly envelope: string | null;
}

async function askOurs(rule: Rule): Promise<Ours> {
  const access = await unlessRefused(async () => {
    const request = parseOptions(rule.args ?? []);
    assert(request.kind === 'run');
    return openVaultAccess(request.options, worldOf(rule));
  });
  const opens: string[] = [];
  for (const [name, text] of Object.entries(VAULTS)) {
    const at = { file: name, line: 1, column: 1 };
    const value = await unlessRefused(async () => (await access?.decrypt?.(text, at)) ?? null);
    if (value !== null) opens.push(name);
  }
  const envelope = await unlessRefused(async () => {
    if (access === null) return null;
    return encryptText('a value', encryptionSecret(await access.keyring(), null));
  });
  return { opens: opens.toSorted(), envelope };
}

async function unlessRefused<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}

interface Theirs {
  readonly opens: readonly string[];
  readonly header: string | null;
  /** What it makes of an envelope of ours. */
  readonly ofOurs: string | null;
}

/** Rules with the same settings are asked about at once. */
function askAllTheirs(): ReadonlyMap<string, Promise<ReadonlyMap<Rule, Theirs>>> {
  const groups = new Map<string, Rule[]>();
  for (const rule of Object.values(RULES)) {
    const key = settingsKey(rule);
    groups.set(key, [...(groups.get(key) ?? []), rule]);
  }
  return new Map([...groups].map(([key, rules]) => [key, askTheirs(rules)]));
}

async function askTheirs(rules: readonly Rule[]): Promise<ReadonlyMap<Rule, Theirs>> {
  const [first] = rules;
  assert(ansible !== null && first !== undefined);
  const asked = await Promise.all(rules.map(commandsFor));
  const answers = await ansible.run({ ...settingsOf(first), commands: asked.flat() });
  const outputs = answers.map(({ exitCode, stdout }) => (exitCode === 0 ? stdout : null));
  return new Map(
    rules.map((rule, index) => {
      const [viewed, sealedByThem, ofOurs] = outputs.slice(3 * index);
      const texts = JSON.parse(viewed ?? '[]') as (string | null)[];
      const opens = Object.keys(VAULTS).filter((_, at) => texts[at] === 'a value');
      const header = headerOf(sealedByThem ?? null);
      return [rule, { opens: opens.toSorted(), header, ofOurs: ofOurs ?? null }];
    }),
  );
}

async function commandsFor(rule: Rule): Promise<AnsibleCommand[]> {
  const files = Object.keys(VAULTS).map((name) => join(root, name));
  const reading = readingArgs(rule);
  const encrypt = ['ansible-vault', 'encrypt', ...(rule.args ?? []), '--output', '-'];
  const { envelope } = await askOurs(rule);
  return [
    { argv: ['ansible-vault', 'view-each', ...reading, ...files] },
    { argv: encrypt, input: 'a value' },
    { argv: ['ansible-vault', 'decrypt', ...reading, '--output', '-'], input: envelope ?? '' },
  ];
}

/** `ansible-vault` takes the option only where it encrypts. */
function readingArgs({ args = [] }: Rule): string[] {
  const at = args.indexOf('--encrypt-vault-id');
  return args.filter((_, index) => at === -1 || (index !== at && index !== at + 1));
}

function headerOf(envelope: string | null): string | null {
  return /^\$ANSIBLE_VAULT(\S+)/.exec(envelope ?? '')?.[1] ?? null;
}
