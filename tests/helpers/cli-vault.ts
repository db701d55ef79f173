// Vault values in the files of a case. `!seal TEXT` in a file becomes an inline vault value made with
// the password in the file `vault-pass`; `!seal@LABEL TEXT` with that in `LABEL-pass`.
import { Secret } from '../../src/secret.ts';
import { isEnvelope } from '../../src/vault/envelope.ts';
import { decryptText, encryptText, keyringOf } from '../../src/vault/keyring.ts';
import type { VaultSecret } from '../../src/vault/keyring.ts';
import { formatInline } from '../../src/store/text.ts';
import { scalarText } from '../../src/yaml/node.ts';
import type { YamlNode } from '../../src/yaml/node.ts';
import { parseYaml } from '../../src/yaml/parse.ts';

/** Gives the name of the file that holds the password of a vault ID. */
export function passwordFile(label: string): string {
  return label === 'default' ? 'vault-pass' : `${label}-pass`;
}

/** Gives the secret of a vault ID from the text of its file. */
export function vaultSecret(label: string, text: string): VaultSecret {
  return { label, password: new Secret(text.trim()) };
}

/** Encrypts every `!seal` value of a file's text. `passwordOf` gives the secret of a label. */
export async function sealValues(
  text: string,
  passwordOf: (label: string) => VaultSecret,
): Promise<string> {
  const parts: string[] = [];
  for (const line of text.split(/(?<=\n)/)) {
    const [, head, label = 'default', value] = /^(.*)!seal(?:@(\S+))? (.*)\n?$/.exec(line) ?? [];
    if (head === undefined || value === undefined) {
      parts.push(line);
      continue;
    }
    const envelope = await encryptText(value, passwordOf(label));
    const indent = /^ */.exec(head)?.[0].length ?? 0;
    parts.push(`${head}${formatInline(envelope, indent)}\n`);
  }
  return parts.join('');
}

/** Gives every string of a vars file in clear, by its path: `name: value`, one a line. */
export async function revealText(text: string, secrets: readonly VaultSecret[]): Promise<string> {
  const at = { file: 'revealed', line: 1, column: 1 };
  const plain = isEnvelope(text) ? await decryptText(text, keyringOf(secrets), at) : text;
  const root = parseYaml(plain, 'revealed');
  const lines = root === null ? [] : await linesOf(root, [], secrets);
  return `${lines.join('\n')}\n`;
}

async function linesOf(
  node: YamlNode,
  path: readonly string[],
  secrets: readonly VaultSecret[],
): Promise<string[]> {
  if (node.kind === 'map') {
    const parts = node.entries.map(({ key, value }) =>
      linesOf(value, [...path, scalarText(key)], secrets),
    );
    return (await Promise.all(parts)).flat();
  }
  if (node.kind === 'seq') return [`${path.join('.')}: a list`];
  const value = scalarText(node.value);
  const shown =
    node.tag === 'vault' ? await decryptText(value, keyringOf(secrets), node.at) : value;
  return [`${path.join('.')}: ${shown}`];
}
