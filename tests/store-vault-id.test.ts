// Which vault ID new values get, and what a file keeps.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Secret } from '../src/secret.ts';
import { findKey, planStore, type StoreRequest } from '../src/store.ts';
import { formatInline, formatSession, type StoredValues } from '../src/store/text.ts';
import { decryptText, encryptText, keyringOf, type VaultSecret } from '../src/vault/keyring.ts';
import { withFolder } from './helpers/folder.ts';
import { faultsFrom } from './helpers/inventory.ts';

const VALUES: StoredValues = {
  service: 'rss',
  userId: '@bot.rss:example.com',
  deviceId: 'MT0123',
  accessToken: 'syt_canary_token',
};
const SESSION = formatSession(VALUES);
const WRITE: StoreRequest['write'] = { accessToken: ['vault_token'], deviceId: ['vault_device'] };
const DEV = secretOf('dev', 'password of dev');
const PROD = secretOf('prod', 'password of prod');
const AT = { file: 'x.yml', line: 1, column: 1 };

interface Case {
  readonly text: string;
  /** Default: DEV and PROD. */
  readonly secrets?: readonly VaultSecret[];
  readonly vaultId?: string;
  /** Of `--encrypt-vault-id`. */
  readonly encryptId?: string;
  /** A file of ours. */
  readonly ours?: true;
  /** Headers of the values of the login. */
  readonly header: string;
  /** The password that seals. */
  readonly by: VaultSecret;
}

const CASES: Readonly<Record<string, Case>> = {
  'a file of ours keeps the ID of what it holds': {
    text: `${SESSION}\nvault_token: TODO\nvault_device: ${await inline('OLD', PROD)}\n`,
    ours: true,
    header: ';1.2;AES256;prod',
    by: PROD,
  },
  'a file of ours keeps it whatever the service asks for: rekey changes it': {
    text: `${SESSION}\nvault_token: TODO\nvault_device: ${await inline('OLD', PROD)}\n`,
    vaultId: 'dev',
    ours: true,
    header: ';1.2;AES256;prod',
    by: PROD,
  },
  'a file of ours without a vault ID stays without one': {
    text: `${SESSION}\nvault_device: ${await inline('OLD', secretOf('default', 'password of dev'))}\n`,
    secrets: [DEV],
    ours: true,
    header: ';1.1;AES256',
    by: DEV,
  },
  'the password that opens counts, under whatever ID it was given': {
    text: `${SESSION}\nvault_device: ${await inline('OLD', PROD)}\n`,
    secrets: [secretOf('default', 'password of prod')],
    ours: true,
    header: ';1.2;AES256;prod',
    by: PROD,
  },
  'a whole encrypted file keeps its ID': {
    text: await encryptText('other: x\n', PROD),
    vaultId: 'dev',
    header: ';1.2;AES256;prod',
    by: PROD,
  },
  'a new value in a file of a person follows the other ones': {
    text: `a: ${await inline('x', PROD)}\nb: [${await quoted('y', PROD)}]\n`,
    header: ';1.2;AES256;prod',
    by: PROD,
  },
  'a new value gets the ID that its service asks for': {
    text: `a: ${await inline('x', PROD)}\n`,
    vaultId: 'dev',
    header: ';1.2;AES256;dev',
    by: DEV,
  },
  'among values of several IDs the option decides': {
    text: `a: ${await inline('x', PROD)}\nb: ${await inline('x', DEV)}\n`,
    encryptId: 'dev',
    header: ';1.2;AES256;dev',
    by: DEV,
  },
  'the other values win over the option': {
    text: `a: ${await inline('x', PROD)}\n`,
    encryptId: 'dev',
    header: ';1.2;AES256;prod',
    by: PROD,
  },
  'values that this run cannot open do not count': {
    text: `a: ${await inline('x', PROD)}\n`,
    secrets: [DEV],
    header: ';1.2;AES256;dev',
    by: DEV,
  },
  'damaged values of others do not count': {
    text: `a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  00\nb: ${await inline('x', PROD)}\n`,
    header: ';1.2;AES256;prod',
    by: PROD,
  },
};

for (const [name, one] of Object.entries(CASES)) {
  test(name, async () => {
    await withFolder({ 'x.yml': one.text }, async (folder) => {
      const plan = await planStore(requestOf(one, folder), VALUES);
      const next = await plan.compose(VALUES);
      const headers = next.match(/(?<=\$ANSIBLE_VAULT);1\.\d;AES256.*$/gm) ?? [];
      const own = next.startsWith('$') ? headers : headers.slice(-2);
      assert.deepEqual([...new Set(own)], [one.header]);
      const text = next.startsWith('$') ? next : envelopesOf(next).at(-1);
      assert.match(await decryptText(text ?? '', keyringOf([one.by]), AT), /MT0123/);
    });
  });
}

test('among values of several IDs, and where none is named, it is asked for one', async () => {
  const text = `a: ${await inline('x', PROD)}\nb: ${await inline('x', DEV)}\n`;
  await withFolder({ 'x.yml': text }, async (folder) => {
    const request = requestOf({ text, header: '', by: DEV }, folder);
    const faults = await faultsFrom(() => findKey(request));
    assert.match(faults[0]?.found ?? '', /^several vault passwords were given \(dev, prod\)$/);
    assert.match(faults[0]?.fix ?? '', /--encrypt-vault-id/);
  });
});

test('values of ours that no password opens are not replaced under another one', async () => {
  const text = `${SESSION}\nvault_device: ${await inline('OLD', PROD)}\n`;
  await withFolder({ 'x.yml': text }, async (folder) => {
    const request = requestOf({ text, secrets: [DEV], ours: true, header: '', by: DEV }, folder);
    const faults = await faultsFrom(() => planStore(request, VALUES));
    assert.deepEqual(
      faults.map(({ code, at }) => [code, at?.line]),
      [['E_VAULT_PASSWORD', 2]],
    );
  });
});

function requestOf(one: Case, folder: string): StoreRequest {
  const { secrets = [DEV, PROD], vaultId = null, encryptId, ours = false } = one;
  const target = { file: join(folder, 'x.yml'), shown: 'x.yml', isDefault: ours };
  const named = encryptId === undefined ? null : { label: encryptId, origin: 'an option' };
  const keyring = keyringOf(secrets, { encryptId: named });
  return { target, write: WRITE, format: 'inline', vaultId, keyring };
}

function secretOf(label: string, password: string): VaultSecret {
  return { label, password: new Secret(password) };
}

async function inline(text: string, secret: VaultSecret): Promise<string> {
  return formatInline(await encryptText(text, secret), 0);
}

/** In a list in brackets. */
async function quoted(text: string, secret: VaultSecret): Promise<string> {
  return `!vault ${JSON.stringify(await encryptText(text, secret))}`;
}

function envelopesOf(text: string): string[] {
  return (text.match(/^ {10}\$ANSIBLE_VAULT.*\n(?: {10}[0-9a-f]+\n?)+/gm) ?? []).map((found) =>
    found.replaceAll(/^ +/gm, ''),
  );
}
