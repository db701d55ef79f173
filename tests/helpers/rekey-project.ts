// An operator's folder with tokens in every form that a rekey knows, and what is to be true of it.
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { formatInline } from '../../src/store/text.ts';
import { Secret } from '../../src/secret.ts';
import { isEnvelope } from '../../src/vault/envelope.ts';
import { decryptText, encryptText, keyringOf, type VaultSecret } from '../../src/vault/keyring.ts';
import { parseYaml } from '../../src/yaml/parse.ts';
import { scalarText } from '../../src/yaml/node.ts';
import type { YamlNode } from '../../src/yaml/node.ts';
import { makeProject } from './provision-project.ts';
import type { Cleanup, Project } from './provision-project.ts';

export const OLD: VaultSecret = secretOf('default', 'canary of the old vault password');
export const NEW: VaultSecret = secretOf('prod', 'canary of the new vault password');

/** Every secret, by name. */
export const SECRETS: Readonly<Record<string, string>> = {
  'the old password': OLD.password.reveal(),
  'the new password': NEW.password.reveal(),
  'the token of rss': 'syt_canary_of_rss',
  'the token of news': 'syt_canary_of_news',
  'the token of whole': 'syt_canary_of_whole',
  'the token of bot': 'syt_canary_of_bot',
  'a secret of somebody else': 'canary of somebody else',
};

const OWN = 'host_vars/alpha/vault_matrix_tokens';
export const BY_HAND = 'group_vars/web/by hand.yml';

/** The files that a rekey changes. */
export const FILES = [
  `${OWN}/rss.yml`,
  `${OWN}/whole.yml`,
  'host_vars/beta/vault_matrix_tokens/bot.yml',
  BY_HAND,
] as const;

/** The file in which the token of a service stands. */
export const FILE_OF: Readonly<Record<string, string>> = {
  rss: FILES[0],
  whole: FILES[1],
  bot: FILES[2],
  news: FILES[3],
};

/**
 * Which password a file has: of all its values, or else it is as it was, byte for byte. `closed`: it
 * opens with neither, or holds something else; `gone`: it is not there.
 */
export type FileState = 'old' | 'new' | 'closed' | 'gone';

export interface RekeyProject {
  readonly project: Project;
  /** The text of each file at the beginning. */
  readonly before: ReadonlyMap<string, string>;
}

/** Makes the folder. Nothing is to be logged in: every token is there. */
export async function makeRekeyProject(t: Cleanup): Promise<RekeyProject> {
  const project = await makeProject(t, OLD.password.reveal());
  await project.write('new_pass', `${NEW.password.reveal()}\n`);
  await project.write('inventory.yml', INVENTORY);
  const token = (name: string): string => SECRETS[`the token of ${name}`] ?? '';
  await project.write(
    `${OWN}/rss.yml`,
    `${session('rss')}\nvault_rss_access_token: ${await inline(token('rss'))}\nvault_rss_device_id: ${await inline('MTRSS')}\n`,
  );
  const whole = `${session('whole')}\nvault_whole_access_token: !unsafe "${token('whole')}"\n`;
  await project.write(`${OWN}/whole.yml`, await encryptText(whole, OLD));
  await project.write(
    'host_vars/beta/vault_matrix_tokens/bot.yml',
    `${session('bot')}\nvault_bot_access_token: ${await inline(token('bot'))}\n`,
  );
  const other = await inline(SECRETS['a secret of somebody else'] ?? '');
  const byHand = `---\n# mine\nmode: 0644  # octal\nother: ${other}\nbots:\n  news: ${await inline(token('news'), 4)}\n\nlast:   [1,  2]\n`;
  await project.write(BY_HAND, byHand.replaceAll('\n', '\r\n'));
  const before = new Map<string, string>();
  for (const file of FILES) before.set(file, await project.read(file));
  return { project, before };
}

const INVENTORY = `all:
  vars: {matrix_domain: example.com, matrix_tokens_homeserver_url: 'http://127.0.0.1:9'}
  children:
    web:
      hosts:
        alpha:
          matrix_tokens_services:
            rss: {user: rss, password: x, variables: {access_token: vault_rss_access_token, device_id: vault_rss_device_id}}
            whole: {user: whole, password: x, vault_format: file}
            news: {user: news, password: x, variables: {access_token: [bots, news]}}
        beta:
          matrix_tokens_services:
            bot: {user: bot, password: x}
`;

/** Gives which password each file has. Fails where one opens with neither. */
export async function passwordsOf(rekey: RekeyProject): Promise<FileState[]> {
  const states = await Promise.all(FILES.map((file) => stateOf(rekey, file)));
  for (const [index, state] of states.entries()) assert.match(state, /^(?:old|new)$/, FILES[index]);
  return states;
}

/** Gives the state of one of the files. */
export async function stateOf({ project, before }: RekeyProject, file: string): Promise<FileState> {
  const text = await project.read(file).catch(() => null);
  const old = before.get(file) ?? '';
  if (text === null) return 'gone';
  if (text === old) return 'old';
  const [now, wanted] = [await open(text, NEW, file).catch(() => null), await open(old, OLD, file)];
  return isDeepStrictEqual(now, wanted) ? 'new' : 'closed';
}

/** Gives every value in clear, and the text around the envelopes that are to be changed. */
async function open(text: string, secret: VaultSecret, file: string): Promise<unknown> {
  const at = { file, line: 1, column: 1 };
  if (isEnvelope(text)) return decryptText(text, keyringOf([secret]), at);
  const values = leavesOf(parseYaml(text, file)).map(async ({ path, node }) => {
    if (node.tag !== 'vault') return [path, node.value];
    const own = path === 'other' ? OLD : secret;
    return [path, await decryptText(scalarText(node.value), keyringOf([own]), node.at)];
  });
  const around = text.replaceAll(/\$ANSIBLE_VAULT.*\r?\n(?:[ \t]+[0-9a-f]+\r?\n)+/g, '@');
  return [await Promise.all(values), around];
}

function leavesOf(
  node: YamlNode | null,
  path = '',
): { path: string; node: Extract<YamlNode, { kind: 'scalar' }> }[] {
  if (node === null) return [];
  if (node.kind === 'scalar') return [{ path, node }];
  const inner: (readonly [string, YamlNode])[] =
    node.kind === 'seq'
      ? node.items.map((item, index) => [`${index}`, item])
      : node.entries.map(({ key, value }) => [scalarText(key), value]);
  return inner.flatMap(([name, one]) => leavesOf(one, path === '' ? name : `${path}.${name}`));
}

function secretOf(label: string, password: string): VaultSecret {
  return { label, password: new Secret(password) };
}

function session(name: string): string {
  return `# matrix-tokens: service=${name} user_id=@${name}:example.com device_id=MT${name.toUpperCase()}`;
}

async function inline(text: string, indent = 0): Promise<string> {
  return formatInline(await encryptText(text, OLD), indent);
}
