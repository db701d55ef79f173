// The command of Ansible that does for a whole file what a rekey does for values of services.
import { readAnsibleConfig } from '../ansible/config.ts';
import type { VaultOptions } from '../provision/vault-access.ts';
import type { World } from '../provision/world.ts';
import type { NewPassword } from './keys.ts';

/** Gives the command for a file, with the options of this run; to be run in the same folder. */
export function rekeyCommand(
  file: string,
  options: VaultOptions & NewPassword,
  world: World,
): string {
  const old = [
    ...options.vaultIds.flatMap((id) => ['--vault-id', id]),
    ...options.vaultPasswordFiles.flatMap((one) => ['--vault-password-file', one]),
    ...(options.askVaultPass ? ['--ask-vault-pass'] : []),
  ];
  const { encryptIdentity } = readAnsibleConfig(world).vault;
  // With this setting ansible-vault does not look at the new vault ID.
  const unset = encryptIdentity === null ? [] : ['ANSIBLE_VAULT_ENCRYPT_IDENTITY='];
  const words = ['ansible-vault', 'rekey', ...old, ...newOptions(options, world), file];
  return [...unset, ...words.map(quote)].join(' ');
}

function newOptions(options: VaultOptions & NewPassword, world: World): string[] {
  const { newVaultId, newVaultPasswordFile, encryptVaultId } = options;
  if (newVaultId !== undefined) return ['--new-vault-id', newVaultId];
  if (newVaultPasswordFile !== undefined) {
    return ['--new-vault-password-file', newVaultPasswordFile];
  }
  if (encryptVaultId === undefined) return [];
  const listed = readAnsibleConfig(world).vault.identityList.map(({ value }) => value);
  const id = [...listed, ...options.vaultIds].find((one) => one.startsWith(`${encryptVaultId}@`));
  return ['--new-vault-id', id ?? `${encryptVaultId}@FILE`];
}

function quote(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
