// Reads the secrets that are needed: passwords of users, secrets of homeservers, each source once.
// Programs run and people are asked one after the other, people only when nothing else is wrong.
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import type { Renderer } from '../ansible/render.ts';
import type { Decrypt, SecretSource } from '../definitions/types.ts';
import { readValue } from '../definitions/values.ts';
import { InputError, settleAll, type Fault, type Position } from '../errors.ts';
import type { HostView } from '../inventory.ts';
import type { World } from '../provision/world.ts';
import { Secret } from '../secret.ts';
import { isEnvelope } from '../vault/envelope.ts';
import { describeType, type YamlNode } from '../yaml/node.ts';

/** A secret that is needed. */
export interface NeededSecret {
  readonly source: SecretSource;
  readonly host: HostView;
  /** In messages: `password`. */
  readonly noun: string;
  /** Whose definition names it: `service 'rss'`. */
  readonly owner: string;
  /** Who has it, for the prompt: the user ID, or the name of the homeserver. */
  readonly subject: string;
}

/** A secret with the place where it stands, which an error names. */
export interface ReadSecret {
  readonly secret: Secret;
  readonly at: Position;
}

/** What secrets are read with. */
export interface SecretTools {
  readonly decrypt: Decrypt | null;
  readonly renderer: Renderer;
  readonly world: Pick<World, 'env' | 'prompt' | 'run'>;
}

type Source<Kind extends SecretSource['kind']> = Extract<SecretSource, { kind: Kind }>;

export type Secrets = ReadonlyMap<SecretSource, ReadSecret>;

/** Reads all secrets that nobody has to type. Throws InputError with all faults. */
export async function readSecrets(
  needed: readonly NeededSecret[],
  tools: SecretTools,
): Promise<Secrets> {
  const distinct = [...new Map(needed.map((one) => [one.source, one])).values()];
  await renderValues(distinct, tools.renderer);
  const run = inTurn((program, args) => tools.world.run(program, args));
  const found = await settleAll(
    distinct.map(async (one): Promise<[SecretSource, ReadSecret][]> => {
      const { source } = one;
      if (source.kind === 'prompt') return [];
      const { text, at } = await readSource(source, one, { ...tools, run });
      return [[source, toSecret(text, at, one)]];
    }),
  );
  return new Map(found.flat());
}

async function renderValues(needed: readonly NeededSecret[], renderer: Renderer): Promise<void> {
  for (const { host, source } of needed) {
    if (source.kind !== 'value' || source.node.kind !== 'scalar') continue;
    if (host.resolve(source.node).kind === 'template') renderer.find(host, source.node);
  }
  await renderer.renderNoted();
}

/** Asks for the secrets that are to be typed, once for each who has one. Throws InputError. */
export async function askSecrets(
  needed: readonly NeededSecret[],
  prompt: World['prompt'],
): Promise<Secrets> {
  const typed = new Map<string, ReadSecret>();
  const asked = needed.filter(({ source }) => source.kind === 'prompt');
  if (prompt === null && asked.length > 0) throw new InputError(asked.map(noTerminal));
  const keyOf = ({ noun, subject }: NeededSecret): string => `${noun} of ${subject}`;
  for (const one of asked) {
    const key = keyOf(one);
    if (prompt === null || typed.has(key)) continue;
    const text = await prompt(`${key.charAt(0).toUpperCase()}${key.slice(1)}: `);
    typed.set(key, toSecret(text, one.source.at, one));
  }
  return new Map(
    asked.flatMap((one) => {
      const secret = typed.get(keyOf(one));
      return secret === undefined ? [] : [[one.source, secret] as const];
    }),
  );
}

/** Gives a secret of its text. Throws InputError for an empty one. */
export function toSecret(text: string, at: Position, { noun, owner }: NeededSecret): ReadSecret {
  if (text !== '') return { secret: new Secret(text), at };
  throw new InputError({
    code: codeOf(noun),
    at,
    found: `an empty ${noun} for ${owner}`,
    wanted: isPassword(noun) ? 'the password of the user' : `the ${noun}`,
  });
}

function isPassword(noun: string): boolean {
  return noun === 'password';
}

function codeOf(noun: string): 'E_NO_PASSWORD' | 'E_NO_SECRET' {
  return isPassword(noun) ? 'E_NO_PASSWORD' : 'E_NO_SECRET';
}

type Run = (words: readonly string[], place: Place) => Promise<string>;

/** Where a secret is named, and what it is. */
interface Place {
  readonly at: Position;
  readonly noun: string;
}

/** Gives a secret with its place: where a reference leads to, not where the reference stands. */
async function readSource(
  source: Exclude<SecretSource, { kind: 'prompt' }>,
  needed: NeededSecret,
  tools: SecretTools & { readonly run: Run },
): Promise<{ text: string; at: Position }> {
  const { at } = source;
  const { host, noun, owner } = needed;
  switch (source.kind) {
    case 'value': {
      const { decrypt, renderer } = tools;
      const value = await readValue(source.node, { host, decrypt, renderer });
      return { text: textOf(value, `the ${noun} of ${owner}`), at: value.at };
    }
    case 'file': {
      const path = expandHome(source, needed, tools.world.env);
      return { text: await readSecretFile({ ...source, path }, noun, tools.decrypt), at };
    }
    case 'env':
      return { text: readVariable(source, noun, tools.world.env), at };
    case 'command':
      return { text: await tools.run(source.words, { at, noun }), at };
  }
}

async function readSecretFile(
  { path, at }: Source<'file'>,
  noun: string,
  decrypt: Decrypt | null,
): Promise<string> {
  const text = await readText(path, { at, noun });
  if (!isEnvelope(text)) return withoutLineEnd(text);
  if (decrypt !== null)
    return withoutLineEnd(await decrypt(text, { file: path, line: 1, column: 1 }));
  throw new InputError({
    code: 'E_VAULT_PASSWORD',
    at,
    found: `the ${noun} file ${path}, which is encrypted, and no vault password was given`,
    wanted: 'the vault password',
    fix: 'give it with `--vault-password-file FILE`',
  });
}

/**
 * A path that began with `~` was taken for one below the folder of the inventory. Throws InputError for
 * the home folder of somebody else.
 */
export function expandHome(
  { path, at }: Source<'file'>,
  { host, noun }: NeededSecret,
  env: World['env'],
): string {
  const named = relative(host.inventoryFolder, path);
  if (!named.startsWith('~')) return path;
  if (named.startsWith('~/')) return join(env['HOME'] ?? homedir(), named.slice(2));
  throw new InputError({
    code: 'E_FILE',
    at,
    found: `the ${noun} file ${named}: the home folder of somebody else is not looked for`,
    wanted: 'a path that begins with ~/, or the path that it stands for',
  });
}

async function readText(path: string, place: Place): Promise<string> {
  const bytes = await readRegular(path).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(fileFault(path, place, `cannot be read (${error.code})`));
  });
  if (bytes === null) throw new InputError(fileFault(path, place, 'is no regular file'));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new InputError(fileFault(path, place, 'is not UTF-8'));
  }
}

/** Gives null for what is no file: reading a pipe would wait for ever for somebody who writes. */
async function readRegular(path: string): Promise<Buffer | null> {
  const stats = await stat(path);
  return stats.isFile() ? readFile(path) : null;
}

/** Gives the fault of a file that should hold a secret. */
export function fileFault(path: string, { at, noun }: Place, why: string): Fault {
  return {
    code: 'E_FILE',
    at,
    found: `the ${noun} file ${path}, which ${why}`,
    wanted: `a file with the ${noun}; relative paths start at the folder of the inventory`,
  };
}

function readVariable({ name, at }: Source<'env'>, noun: string, env: World['env']): string {
  const text = env[name];
  if (text !== undefined) return text;
  throw new InputError({
    code: codeOf(noun),
    at,
    found: `the environment variable ${name}, which is not set`,
    wanted: `the ${noun} in it`,
    fix: `set it for this run:\nread -rs ${name} && export ${name}`,
  });
}

/** Password managers ask people things, so one program follows the other, and each runs once. */
function inTurn(run: World['run']): Run {
  const printed = new Map<string, Promise<string>>();
  let last: Promise<unknown> = Promise.resolve();
  return (words, place) => {
    const key = JSON.stringify(words);
    const result = printed.get(key) ?? last.then(() => runCommand(words, place, run));
    printed.set(key, result);
    last = result.catch(() => null);
    return result;
  };
}

async function runCommand(
  [program = '', ...args]: readonly string[],
  place: Place,
  run: World['run'],
): Promise<string> {
  const { exitCode, stdout } = await run(program, args).catch(() => {
    throw new InputError(commandFault(program, place, 'cannot be run'));
  });
  if (exitCode !== 0) {
    const why = exitCode === 127 ? 'was not found' : `ended with code ${exitCode}`;
    throw new InputError(commandFault(program, place, why));
  }
  try {
    return withoutLineEnd(new TextDecoder('utf-8', { fatal: true }).decode(stdout));
  } catch {
    throw new InputError(commandFault(program, place, 'printed something else than text in UTF-8'));
  }
}

function commandFault(program: string, { at, noun }: Place, why: string): Fault {
  return {
    code: codeOf(noun),
    at,
    found: `the ${noun} command ${program}, which ${why}`,
    wanted: `a program that prints the ${noun} and ends with code 0`,
    fix: 'try it in a terminal; its words are handed over as they stand',
  };
}

function noTerminal({ source, noun, subject }: NeededSecret): Fault {
  return {
    code: codeOf(noun),
    at: source.at,
    found: `the ${noun} of ${subject}, which should be typed, and there is no terminal`,
    wanted: `a terminal, or a ${noun} from elsewhere: {file}, {env}, {command} or a vaulted value`,
  };
}

function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}

/** Gives a string; `what` names it in the error. Throws InputError for any other value. */
export function textOf(node: YamlNode, what: string): string {
  if (node.kind === 'scalar' && typeof node.value === 'string') return node.value;
  throw new InputError({
    code: 'E_VALUE',
    at: node.at,
    found: `${describeType(node)} as ${what}`,
    wanted: 'a string',
    fix: 'put it into quotes',
  });
}
