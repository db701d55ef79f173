// Where vault passwords are to be found, in the order in which Ansible asks: vault IDs, password
// files, what is to be typed. Those of settings and of options stand together, as they do there.
import { InputError } from '../errors.ts';
import { isLabel } from './envelope.ts';

/** Where vault passwords are to be found; names of files as they were written. */
export interface PasswordSources {
  /** Of `vault_identity_list`; they come before those of `--vault-id`. */
  readonly identityList: readonly NamedSource[];
  /** Of `--vault-id`: `label@source` or `source`, where the source is a file or `prompt`. */
  readonly vaultIds: readonly string[];
  /** Of `--vault-password-file`. */
  readonly vaultPasswordFiles: readonly string[];
  /** Of `vault_password_file`; comes after those of the option. */
  readonly settingsFile: NamedSource | null;
  readonly askVaultPass: boolean;
}

/** A source, and the setting that names it. */
interface NamedSource {
  readonly value: string;
  readonly origin: string;
}

/** One source of a password. */
export interface Source {
  /** Null where none was named, which a client script is told by getting no `--vault-id`. */
  readonly label: string | null;
  readonly from: { readonly file: string } | { readonly prompt: string };
  /** The option or setting that named it. */
  readonly origin: string;
}

const ASKED = 'Vault password: ';

/**
 * Gives the sources in the order in which they are tried; `unnamedId` is the vault ID of password
 * files. Throws `InputError` with E_OPTION for vault IDs that no envelope can carry.
 */
export function listSources(sources: PasswordSources, unnamedId: string): readonly Source[] {
  const { settingsFile, askVaultPass } = sources;
  const asked: Source = { label: unnamedId, from: { prompt: ASKED }, origin: '--ask-vault-pass' };
  const list = [
    ...sources.identityList.map(({ value, origin }) => parseVaultId(value, unnamedId, origin)),
    ...sources.vaultIds.map((text) => parseVaultId(text, unnamedId, '--vault-id')),
    ...sources.vaultPasswordFiles.map((file) =>
      passwordFile(file, unnamedId, '--vault-password-file'),
    ),
    ...(settingsFile === null
      ? []
      : [passwordFile(settingsFile.value, unnamedId, settingsFile.origin)]),
    ...(askVaultPass ? [asked] : []),
  ];
  checkLabels(list);
  return list;
}

/** Tells whether a vault ID of an option or a setting names what is to be typed. */
export function isTyped(vaultId: string): boolean {
  return /^(?:.*?@)?prompt(?:_ask_vault_pass)?$/.test(vaultId);
}

/** Gives the source that is a password file. */
export function passwordFile(file: string, label: string, origin: string): Source {
  return { label, from: { file }, origin };
}

/** Reads `label@source` or `source`. */
export function parseVaultId(text: string, unnamedId: string, origin: string): Source {
  const at = text.indexOf('@');
  const label = at > 0 ? text.slice(0, at) : null;
  const file = text.slice(at + 1);
  if (file === 'prompt_ask_vault_pass') return { label, from: { prompt: ASKED }, origin };
  const prompt = `Vault password (${label ?? unnamedId}): `;
  return { label, from: file === 'prompt' ? { prompt } : { file }, origin };
}

/** Throws `InputError` with E_OPTION for vault IDs that no envelope can carry. */
export function checkLabels(sources: readonly Source[]): void {
  const wrong = sources.filter(({ label }) => label !== null && !isLabel(label));
  if (wrong.length === 0) return;
  throw new InputError(
    wrong.map(({ label, origin }) => ({
      code: 'E_OPTION' as const,
      found: `${JSON.stringify(label)} in ${origin} is not a vault ID`,
      wanted: 'printable ASCII without ;',
    })),
  );
}
