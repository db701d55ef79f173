// Reads vault passwords: files, programs, prompts. As in Ansible a source that fails is a warning as
// long as another one gives a password; only where none does it ends the run.
import { resolve } from 'node:path';
import type { Fault } from '../errors.ts';
import { InputError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import { DEFAULT_LABEL, isEnvelope } from './envelope.ts';
import type { Keyring, VaultRules, VaultSecret } from './keyring.ts';
import { openEnvelope } from './keyring.ts';
import { bytesToPassword, stripLineEnds, stripWhiteSpace } from './password-bytes.ts';
import type { PasswordSources, Source } from './password-sources.ts';
import { checkLabels, listSources } from './password-sources.ts';

export type { VaultSecret } from './keyring.ts';

/** What reading passwords needs of the outside. */
export interface PasswordIo {
  /** The folder that relative names start from. */
  readonly cwd: string;
  /** For `~` and `$NAME` in names of files. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readFile(file: string): Promise<Buffer>;
  /** True for a file with any executable bit; false for a folder, or where nothing is. */
  isExecutable(file: string): Promise<boolean>;
  /** Runs a program with its arguments as they stand; its stderr is the caller's affair. */
  run(file: string, args: readonly string[]): Promise<{ exitCode: number; stdout: Buffer }>;
  /** Asks without showing what is typed; null where there is no terminal. */
  readonly prompt: ((text: string) => Promise<string>) | null;
  /** Takes one sentence about a source that was passed over. */
  warn(text: string): void;
}

type Prompt = PasswordIo['prompt'];

/** The exit code of a client script for a vault ID that it does not know. */
const UNKNOWN_VAULT_ID = 2;

/**
 * Reads all vault passwords, one after the other, since scripts and prompts may talk to a person.
 * Gives an empty list where no source is named. Throws `InputError`: E_VAULT_PASSWORD where no
 * source gives a password or a prompt fails, E_OPTION for a vault ID that no envelope can carry.
 */
export async function loadVaultSecrets(
  sources: PasswordSources,
  rules: VaultRules,
  io: PasswordIo,
): Promise<readonly VaultSecret[]> {
  const secrets: VaultSecret[] = [];
  const faults: Fault[] = [];
  for (const source of listSources(sources, rules.unnamedId)) {
    try {
      secrets.push(await loadSource(source, { ...rules, secrets }, io));
    } catch (error) {
      if (!(error instanceof InputError) || 'prompt' in source.from) throw error;
      faults.push(...error.faults);
    }
  }
  if (secrets.length === 0 && faults.length > 0) throw new InputError(faults);
  for (const { at, found } of faults) io.warn(at === undefined ? found : `${at.file}: ${found}`);
  return secrets;
}

/**
 * Asks a second time for each password that a person typed, for a run that would be the first to
 * encrypt with it. Throws `InputError` with E_VAULT_PASSWORD where the two differ.
 */
export async function confirmPrompted(
  secrets: readonly VaultSecret[],
  prompt: (text: string) => Promise<string>,
): Promise<void> {
  for (const { label, password } of secrets.filter((secret) => secret.prompted === true)) {
    const again = await ask(`Confirm vault password (${label}): `, prompt);
    if (again.reveal() !== password.reveal()) {
      throw passwordError(`the two passwords typed for vault ID ${label} differ`);
    }
  }
}

/**
 * Reads a password that is to be used for the first time: what is typed is asked for twice, as by
 * `ansible-vault rekey`. `known` opens a file that is vaulted itself. Throws `InputError`:
 * E_VAULT_PASSWORD where the source gives none, E_OPTION for a vault ID that no envelope can carry.
 */
export async function loadNewSecret(
  source: Source,
  known: Keyring,
  io: PasswordIo,
): Promise<VaultSecret> {
  checkLabels([source]);
  const { from } = source;
  if (!('prompt' in from)) return loadSource(source, known, io);
  const [first, second] = ['New', 'Confirm new'].map((word) =>
    from.prompt.replace(/^V/, `${word} v`),
  );
  const secret = await loadSource({ ...source, from: { prompt: first ?? '' } }, known, io);
  const again = await ask(second ?? '', io.prompt);
  if (again.reveal() === secret.password.reveal()) return secret;
  throw passwordError('the two new vault passwords typed differ');
}

async function loadSource(source: Source, known: Keyring, io: PasswordIo): Promise<VaultSecret> {
  const label = source.label ?? known.unnamedId;
  const { from } = source;
  if ('prompt' in from) {
    const password = await ask(from.prompt, io.prompt);
    return { label, password, prompted: true, origin: source.origin };
  }
  const file = expandPath(from.file, io);
  const bytes = (await io.isExecutable(file))
    ? await runScript(file, source, io)
    : await readPasswordFile(file, known, source, io);
  if (bytes.length === 0)
    throw passwordError(`${describeFile(source, file)} gives an empty password`);
  return { label, password: bytesToPassword(bytes), origin: source.origin };
}

async function ask(text: string, prompt: Prompt): Promise<Secret> {
  if (prompt === null) {
    throw passwordError(
      'a vault password should be typed, and there is no terminal',
      'give it with `--vault-password-file FILE`',
    );
  }
  const typed = stripWhiteSpace(Buffer.from(await prompt(text), 'utf8'));
  if (typed.length === 0) throw passwordError('the vault password that was typed is empty');
  return bytesToPassword(typed);
}

async function readPasswordFile(
  file: string,
  known: Keyring,
  source: Source,
  io: PasswordIo,
): Promise<Buffer> {
  const bytes = stripWhiteSpace(await readBytes(file, source, io));
  const text = bytes.toString('latin1');
  if (!isEnvelope(text)) return bytes;
  // A password file may be vaulted itself, with a password that an earlier source gave.
  const { plaintext } = await openEnvelope(text, known, { file, line: 1, column: 1 });
  return stripLineEnds(plaintext);
}

async function readBytes(file: string, source: Source, io: PasswordIo): Promise<Buffer> {
  try {
    return await io.readFile(file);
  } catch (error) {
    const why = { ENOENT: 'was not found', EISDIR: 'is a folder' }[errorCode(error)];
    throw passwordError(
      `${describeFile(source, file)} ${why ?? `cannot be read (${errorCode(error)})`}`,
    );
  }
}

async function runScript(file: string, source: Source, io: PasswordIo): Promise<Buffer> {
  const client = /-client(\.[^./]*)?$/.test(file);
  const args = client && source.label !== null ? ['--vault-id', source.label] : [];
  const { exitCode, stdout } = await runBytes(file, args, source, io);
  if (client && exitCode === UNKNOWN_VAULT_ID) {
    throw passwordError(
      `${describeFile(source, file)} knows no vault ID ${source.label ?? DEFAULT_LABEL}`,
    );
  }
  if (exitCode !== 0)
    throw passwordError(`${describeFile(source, file)} ended with code ${exitCode}`);
  return stripLineEnds(stdout);
}

async function runBytes(file: string, args: readonly string[], source: Source, io: PasswordIo) {
  try {
    return await io.run(file, args);
  } catch (error) {
    throw passwordError(
      `${describeFile(source, file)} cannot be run (${errorCode(error)})`,
      'if it is no script, take its executable bit away',
    );
  }
}

/** `~`, `$NAME` and `${NAME}` as Ansible replaces them; a shell does not after `label@`. */
function expandPath(path: string, io: PasswordIo): string {
  const named = path.replace(/\$(?:(\w+)|\{([^}]*)\})/g, (text, bare?: string, braced?: string) => {
    return io.env[bare ?? braced ?? ''] ?? text;
  });
  return resolve(io.cwd, named.replace(/^~(?=\/|$)/, io.env['HOME'] ?? '~'));
}

function describeFile(source: Source, file: string): string {
  const kind = source.label === null || source.label === DEFAULT_LABEL ? '' : ` of ${source.label}`;
  return `the vault password file${kind} ${file} (${source.origin})`;
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

function passwordError(found: string, fix?: string): InputError {
  return new InputError({ code: 'E_VAULT_PASSWORD', found, fix });
}
