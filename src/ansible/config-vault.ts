// Ansible's settings about vault passwords, read as Ansible reads them, which is not always as they
// look: an empty variable of the environment hides the file, and any text turns vault_id_match on.
import { formatPosition } from '../errors.ts';
import type { Position } from '../errors.ts';

/** The settings about vault passwords. */
export interface VaultConfig {
  /** Absolute. */
  readonly passwordFile: NamedSetting | null;
  /** As `--vault-id` takes them: their paths start at the current folder. */
  readonly identityList: readonly NamedSetting[];
  /** The vault ID that encrypts. */
  readonly encryptIdentity: NamedSetting | null;
  /** Only passwords of an envelope's own vault ID open it. */
  readonly idMatch: boolean;
  /** The vault ID of what names none. */
  readonly identity: string;
  readonly askPass: boolean;
}

/** A value, and the variable or setting that it comes from. */
export interface NamedSetting {
  readonly value: string;
  readonly origin: string;
}

/** A value as it was found. */
export interface FoundSetting {
  readonly value: string;
  /** Absent for a variable of the environment. */
  readonly at?: Position;
}

/** How settings are found and read, by their names in ansible.cfg. */
export interface VaultLookup<Found extends FoundSetting> {
  /** Also gives an empty text, where a variable is set to it. */
  readonly find: (name: string) => Found | null;
  readonly splitList: (found: Found) => readonly FoundSetting[];
  readonly expandPath: (found: Found) => string;
}

const TRUE = /^(?:y|yes|on|1|true|t)$/i;
const FALSE = /^(?:n|no|off|0|false|f|none)$/i;

/** Reads the settings, with what the operator should know. Throws what `lookup` throws. */
export function readVaultConfig<Found extends FoundSetting>(
  lookup: VaultLookup<Found>,
): { config: VaultConfig; notes: readonly string[] } {
  const [file, list, encrypt] = ['password_file', 'identity_list', 'encrypt_identity'].map((name) =>
    filled(lookup.find(`vault_${name}`)),
  );
  const match = lookup.find('vault_id_match');
  const config = {
    passwordFile: file == null ? null : named('vault_password_file', file, lookup.expandPath(file)),
    identityList:
      list == null
        ? []
        : lookup
            .splitList(list)
            .map(({ value }) => named('vault_identity_list', list, unquote(value))),
    encryptIdentity: encrypt == null ? null : named('vault_encrypt_identity', encrypt),
    idMatch: (match?.value ?? '') !== '',
    identity: filled(lookup.find('vault_identity'))?.value ?? 'default',
    askPass: TRUE.test(lookup.find('ask_vault_pass')?.value ?? ''),
  };
  return { config, notes: match !== null && FALSE.test(match.value) ? [matchNote(match)] : [] };
}

function filled<Found extends FoundSetting>(found: Found | null): Found | null {
  return found === null || found.value === '' ? null : found;
}

function named(name: string, found: FoundSetting, value = found.value): NamedSetting {
  const origin = found.at === undefined ? variableOf(name) : `${name} in ${found.at.file}`;
  return { value, origin };
}

/** Gives the variable of the environment that stands for a setting. */
export function variableOf(name: string): string {
  return `ANSIBLE_${name.toUpperCase()}`;
}

/** As Ansible does with the entries of a list. */
function unquote(text: string): string {
  return /^(["'])(.*[^\\])?\1$/s.test(text) ? text.slice(1, -1) : text;
}

function matchNote({ value, at }: FoundSetting): string {
  const where = at === undefined ? variableOf('vault_id_match') : formatPosition(at);
  return `${where}: vault_id_match is on, since for Ansible any text turns it on, "${value}" too: remove the setting to turn it off`;
}
