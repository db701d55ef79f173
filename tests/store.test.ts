import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { TargetVariables, VariablePath } from '../src/definitions/types.ts';
import { Secret } from '../src/secret.ts';
import { LONGEST_TOKEN, planStore, tryStore } from '../src/store.ts';
import type { StoreRequest } from '../src/store.ts';
import {
  formatInline,
  formatOwnFile,
  formatSession,
  isOurs,
  parseSessions,
} from '../src/store/text.ts';
import type { StoredValues } from '../src/store/text.ts';
import { seal } from '../src/vault/cipher.ts';
import { formatEnvelope, isEnvelope } from '../src/vault/envelope.ts';
import { decryptText, encryptText, keyringOf } from '../src/vault/keyring.ts';
import type { VaultSecret } from '../src/vault/keyring.ts';
import { buildMap } from '../src/yaml/new-data.ts';
import type { PathValue } from '../src/yaml/new-data.ts';
import { getEntry } from '../src/yaml/node.ts';
import type { YamlNode } from '../src/yaml/node.ts';
import { parseYaml } from '../src/yaml/parse.ts';
import { withFolder } from './helpers/folder.ts';
import { faultsFrom } from './helpers/inventory.ts';

const VALUES: StoredValues = {
  service: 'rss',
  userId: '@bot.rss:example.com',
  deviceId: 'MT0123',
  accessToken: 'syt_canary_token',
};
const BOTH: TargetVariables = { accessToken: ['vault_token'], deviceId: ['vault_device'] };
const SECRET: VaultSecret = { label: 'default', password: new Secret('canary-vault') };
const KEYRING = keyringOf([SECRET]);
const CLOSED = { service: 'rss', decrypt: null };
const AT = { file: 'x.yml', line: 1, column: 1 };

/** The text of a file of ours with readable values. */
function ownFile({ accessToken, deviceId }: TargetVariables): string {
  const token: PathValue = {
    path: accessToken,
    value: { kind: 'unsafe', text: VALUES.accessToken },
  };
  const device = deviceId === null ? [] : [{ path: deviceId, text: VALUES.deviceId }];
  const values = device.map(({ path, text }): PathValue => {
    return { path, value: { kind: 'unsafe', text } };
  });
  return formatOwnFile(VALUES, buildMap([token, ...values]));
}

function valueAt(root: YamlNode | null, path: VariablePath): YamlNode | undefined {
  let node: YamlNode | undefined = root ?? undefined;
  for (const key of path) node = node?.kind === 'map' ? getEntry(node, key)?.value : undefined;
  return node;
}

const textAt = (text: string, path: VariablePath): unknown => {
  const node = valueAt(parseYaml(text, 'x.yml'), path);
  return node?.kind === 'scalar' ? node.value : undefined;
};

const variable = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,10}$/);
const key = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12 }),
  fc.string({ minLength: 1, maxLength: 6, unit: 'binary' }),
  fc.constantFrom(
    'yes',
    'null',
    '~',
    '1',
    '0644',
    '1e3',
    '@bot:example.com',
    '- a',
    '#x',
    ': ',
    '{{ x }}',
    "'",
    '"',
    '\\',
    '!vault',
    '<<',
    '=',
  ),
);
const path = fc
  .tuple(variable, fc.array(key, { maxLength: 3 }))
  .map(([first, rest]): VariablePath => [first, ...rest]);

test('whatever the keys of a path are, the values are read back from where they belong', () => {
  fc.assert(
    fc.property(path, path, (accessToken, deviceId) => {
      const [a, b] = [accessToken.join('\0'), deviceId.join('\0')];
      fc.pre(!`${a}\0`.startsWith(`${b}\0`) && !`${b}\0`.startsWith(`${a}\0`));
      const text = ownFile({ accessToken, deviceId });
      assert.equal(textAt(text, accessToken), VALUES.accessToken);
      assert.equal(textAt(text, deviceId), VALUES.deviceId);
    }),
  );
});

test('both values under one map stand in one map', () => {
  const write: TargetVariables = {
    accessToken: ['bots', '@a:b', 'token'],
    deviceId: ['bots', '@a:b', 'device'],
  };
  assert.equal(
    ownFile(write),
    [
      '# matrix-tokens: service=rss user_id=@bot.rss:example.com device_id=MT0123',
      'bots:',
      '  "@a:b":',
      '    token: !unsafe "syt_canary_token"',
      '    device: !unsafe "MT0123"',
      '',
    ].join('\n'),
  );
});

test('an inline value stands as ansible-vault encrypt_string indents it, at any depth', async () => {
  const envelope = await encryptText('syt_x', SECRET);
  for (const depth of [0, 2, 8]) {
    const text = `${' '.repeat(depth)}a: ${formatInline(envelope, depth)}\n`;
    assert.equal(textAt(text, ['a']), envelope);
    assert(
      text
        .split('\n')
        .slice(1, -1)
        .every((line) => line.startsWith(' '.repeat(depth + 10))),
    );
  }
});

test('what a comment says of a session is read back, the last one of a service', () => {
  const word = fc.stringMatching(/^[!-~]{1,30}$/);
  fc.assert(
    fc.property(
      word,
      word,
      word,
      fc.constantFrom('\n', '\r\n'),
      (service, userId, deviceId, end) => {
        const line = formatSession({ service, userId, deviceId });
        const older = formatSession({ service, userId: '@old:x', deviceId: 'OLD' });
        const text = `a: 1${end}${older}${end}b: 2${end}${line}${end}`;
        assert.deepEqual(parseSessions(text).get(service), { userId, deviceId });
      },
    ),
  );
  const indented = `\ufeff  ${formatSession(VALUES)} \r\n`;
  assert.equal(parseSessions(indented).get('rss')?.deviceId, VALUES.deviceId);
  assert.equal(parseSessions('# matrix-tokens: service=a user_id=@a:b\n').size, 0);
  assert.equal(parseSessions('a: "# matrix-tokens: service=a user_id=@a:b device_id=C"\n').size, 0);
});

test('a file is ours by its first line', () => {
  assert(isOurs(`${formatSession(VALUES)}\na: 1\n`));
  assert(!isOurs(`---\n${formatSession(VALUES)}\n`));
  assert(!isOurs(''));
});

/** Plans the change of a file that holds this text (null: there is none), and makes it. */
async function change(
  text: string | null,
  more: Partial<Pick<StoreRequest, 'format' | 'write'>> & { readonly isDefault?: boolean } = {},
): Promise<{ next: string; reserve: number }> {
  const { format = 'inline', write = BOTH, isDefault = true } = more;
  const results: { next: string; reserve: number }[] = [];
  await withFolder(text === null ? {} : { 'x.yml': text }, async (folder) => {
    const target = { file: join(folder, 'x.yml'), shown: 'x.yml', isDefault, harm: null };
    const request: StoreRequest = { target, write, format, vaultId: null, keyring: KEYRING };
    const plan = await planStore(request, { ...VALUES, deviceId: 'x'.repeat(64) });
    results.push({ next: await plan.compose(VALUES), reserve: plan.reserve });
    const now = text === null ? null : readFileSync(target.file, 'utf8');
    assert.equal(now, text, 'a plan writes nothing');
    const decrypt = (envelope: string): Promise<string> => decryptText(envelope, KEYRING, AT);
    await tryStore({ target, write }, { service: 'rss', decrypt });
  });
  return results[0] ?? assert.fail();
}

async function assertStored(text: string): Promise<void> {
  const plain = isEnvelope(text) ? await decryptText(text, KEYRING, AT) : text;
  for (const [path, value] of [
    [BOTH.accessToken, VALUES.accessToken],
    [['vault_device'], VALUES.deviceId],
  ] as const) {
    const found = String(textAt(plain, path));
    assert.equal(isEnvelope(found) ? await decryptText(found, KEYRING, AT) : found, value);
  }
}

test('a new file holds the values in the format that is wanted', async () => {
  const inline = await change(null);
  assert.match(inline.next, /^# matrix-tokens: .*\nvault_token: !vault \|\n {10}\$ANSIBLE_VAULT/);
  await assertStored(inline.next);
  const whole = await change(null, { format: 'file' });
  assert(isEnvelope(whole.next));
  await assertStored(whole.next);
  assert.doesNotMatch(inline.next + whole.next, /canary/);
});

test('the longest token fits into what is reserved, whatever the file', async () => {
  for (const text of [null, 'a: 1\n', await encryptText('a: 1\n', SECRET)]) {
    await withFolder(text === null ? {} : { 'x.yml': text }, async (folder) => {
      const target = { file: join(folder, 'x.yml'), shown: 'x.yml', isDefault: false, harm: null };
      for (const format of ['inline', 'file'] as const) {
        const request: StoreRequest = {
          target,
          write: BOTH,
          format,
          vaultId: null,
          keyring: KEYRING,
        };
        const plan = await planStore(request, { ...VALUES, deviceId: 'x'.repeat(64) });
        const longest = {
          ...VALUES,
          accessToken: 't'.repeat(LONGEST_TOKEN),
          deviceId: 'x'.repeat(64),
        };
        const next = await plan.compose(longest);
        assert(Buffer.byteLength(next) <= plan.reserve);
      }
    });
  }
});

test('a file of ours is made anew, one that is kept by hand is extended', async () => {
  const old = `${formatSession({ ...VALUES, deviceId: 'OLD' })}\nvault_token: TODO\n`;
  const ours = await change(old);
  assert.doesNotMatch(ours.next, /OLD|TODO/);
  await assertStored(ours.next);
  const byHand = await change('# mine\na: 0644\n');
  assert(byHand.next.startsWith('# mine\na: 0644\n# matrix-tokens: '));
  await assertStored(byHand.next);
});

test('a whole encrypted file stays one, with what it held', async () => {
  const { next } = await change(await encryptText('# mine\na: 0644\n', SECRET), {
    isDefault: false,
  });
  assert(isEnvelope(next));
  const plain = await decryptText(next, KEYRING, AT);
  assert(plain.startsWith('# mine\na: 0644\n# matrix-tokens: '));
  await assertStored(next);
});

test('an encrypted file whose text is no UTF-8 is refused: its bytes would change', async () => {
  const sealed = await seal(Buffer.from([0x61, 0x3a, 0x20, 0xff, 0x0a]), SECRET.password, {
    label: null,
  });
  const faults = await faultsFrom(() => change(formatEnvelope(sealed), { isDefault: false }));
  assert.deepEqual(
    faults.map(({ code }) => code),
    ['E_VAULT_FORMAT'],
  );
});

test('an encrypted file keeps its line ends and its byte order mark', async () => {
  const { next } = await change(await encryptText('\ufeffa: 1\r\nvault_token: ~\r\n', SECRET), {
    isDefault: false,
  });
  const plain = await decryptText(next, KEYRING, AT);
  assert.match(
    plain,
    /^\ufeffa: 1\r\n# matrix-tokens: .*\r\nvault_token: !unsafe ".*"\r\nvault_device: .*\r\n$/,
  );
});

test('a file of ours that holds something else is not made anew', async () => {
  const [fault] = await faultsFrom(() => change(`${formatSession(VALUES)}\nold_name: x\n`));
  assert.equal(fault?.code, 'E_TARGET');
  assert.deepEqual(fault.at, { file: 'x.yml', line: 2, column: 1 });
});

test('what cannot be extended is refused before anything is sent, and a dry run says so, too', async () => {
  for (const text of [
    '- a\n',
    'a\n',
    'vault_token: [TODO]\n',
    'b: &b {}\nvault_token: &t TODO\nvault_device: *t\n',
    'a: "\n',
    'a: 1\n---\nb: 2\n',
  ]) {
    await withFolder({ 'x.yml': text }, async (folder) => {
      const target = { file: join(folder, 'x.yml'), shown: 'x.yml', isDefault: false, harm: null };
      const request: StoreRequest = {
        target,
        write: BOTH,
        format: 'inline',
        vaultId: null,
        keyring: KEYRING,
      };
      const faults = await faultsFrom(() => planStore(request, VALUES));
      assert(faults.length > 0, JSON.stringify(text));
      assert.deepEqual(await faultsFrom(() => tryStore({ target, write: BOTH }, CLOSED)), faults);
    });
  }
});

test('a file that is no text is refused', async () => {
  await withFolder({ 'x.yml': Buffer.from([0x61, 0xff, 0xfe]) }, async (folder) => {
    const target = { file: join(folder, 'x.yml'), shown: 'x.yml', isDefault: false, harm: null };
    const faults = await faultsFrom(() => tryStore({ target, write: BOTH }, CLOSED));
    assert.deepEqual(
      faults.map(({ code }) => code),
      ['E_TARGET'],
    );
  });
});

test('what stands in the file when it is composed is what the plan has read', async () => {
  await withFolder({ 'x.yml': 'a: 1\n' }, async (folder) => {
    const file = join(folder, 'x.yml');
    const target = { file, shown: 'x.yml', isDefault: false, harm: null };
    const request: StoreRequest = {
      target,
      write: BOTH,
      format: 'inline',
      vaultId: null,
      keyring: KEYRING,
    };
    const plan = await planStore(request, VALUES);
    writeFileSync(file, 'b: 2\n');
    assert.equal(plan.current, 'a: 1\n');
    assert((await plan.compose(VALUES)).startsWith('a: 1\n'));
  });
});
