// Reads the passwords of services that are needed, each source once. Programs run and people are
// asked one after the other, people only when nothing else is wrong.
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import type { Renderer } from '../ansible/render.ts';
import type { Decrypt, PasswordSource, ServiceDefinition } from '../definitions/types.ts';
import { readValue } from '../definitions/values.ts';
import { InputError, settleAll, type Fault, type Position } from '../errors.ts';
import type { World } from '../provision/world.ts';
import { Secret } from '../secret.ts';
import { isEnvelope } from '../vault/envelope.ts';
import { describeType, type YamlNode } from '../yaml/node.ts';

/** A password with the place where it stands, which an error names. */
export interface Password {
  readonly secret: Secret;
  readonly at: Position;
}

/** What passwords are read with. */
export interface PasswordTools {
  readonly decrypt: Decrypt | null;
  readonly renderer: Renderer;
  readonly world: Pick<World, 'env' | 'prompt' | 'run'>;
}

type Source<Kind extends PasswordSource['kind']> = Extract<PasswordSource, { kind: Kind }>;

/** Passwords by definition; a service that has none is not among them. */
export type Passwords = ReadonlyMap<ServiceDefinition, Password>;

/** Reads all passwords that nobody has to type. Throws InputError with all faults. */
export async function readPasswords(
  definitions: readonly ServiceDefinition[],
  tools: PasswordTools,
): Promise<Passwords> {
  await renderValues(definitions, tools.renderer);
  const run = inTurn((program, args) => tools.world.run(program, args));
  const found = await settleAll(
    definitions.map(async (definition): Promise<[ServiceDefinition, Password][]> => {
      const { password: source } = definition;
      if (source === null || source.kind === 'prompt') return [];
      const { text, at } = await readSource(source, definition, { ...tools, run });
      return [[definition, toPassword(text, at, definition)]];
    }),
  );
  return new Map(found.flat());
}

async function renderValues(
  definitions: readonly ServiceDefinition[],
  renderer: Renderer,
): Promise<void> {
  for (const { host, password } of definitions) {
    if (password?.kind !== 'value' || password.node.kind !== 'scalar') continue;
    if (host.resolve(password.node).kind === 'template') renderer.find(host, password.node);
  }
  await renderer.renderNoted();
}

/** Asks for the passwords that are to be typed, once a user. Throws InputError. */
export async function askPasswords(
  definitions: readonly ServiceDefinition[],
  prompt: World['prompt'],
): Promise<Passwords> {
  const typed = new Map<string, Password>();
  const asked = definitions.filter(({ password }) => password?.kind === 'prompt');
  if (prompt === null && asked.length > 0) throw new InputError(asked.map(noTerminal));
  for (const definition of asked) {
    const { password, userId } = definition;
    if (password === null || prompt === null || typed.has(userId)) continue;
    const text = await prompt(`Password of ${userId}: `);
    typed.set(userId, toPassword(text, password.at, definition));
  }
  return new Map(
    asked.flatMap((definition) => {
      const password = typed.get(definition.userId);
      return password === undefined ? [] : [[definition, password] as const];
    }),
  );
}

function toPassword(text: string, at: Position, { name }: ServiceDefinition): Password {
  if (text !== '') return { secret: new Secret(text), at };
  throw new InputError({
    code: 'E_NO_PASSWORD',
    at,
    found: `an empty password for service '${name}'`,
    wanted: 'the password of the user',
  });
}

type Run = (words: readonly string[], at: Position) => Promise<string>;

/** Gives a password with its place: where a reference leads to, not where the reference stands. */
async function readSource(
  source: Exclude<PasswordSource, { kind: 'prompt' }>,
  definition: ServiceDefinition,
  tools: PasswordTools & { readonly run: Run },
): Promise<{ text: string; at: Position }> {
  const { at } = source;
  switch (source.kind) {
    case 'value': {
      const { decrypt, renderer } = tools;
      const reader = { host: definition.host, decrypt, renderer };
      const value = await readValue(source.node, reader);
      return { text: textOf(value, `the password of service '${definition.name}'`), at: value.at };
    }
    case 'file': {
      const path = expandHome(source, definition, tools.world.env);
      return { text: await readPasswordFile({ ...source, path }, tools.decrypt), at };
    }
    case 'env':
      return { text: readVariable(source, tools.world.env), at };
    case 'command':
      return { text: await tools.run(source.words, at), at };
  }
}

async function readPasswordFile(
  { path, at }: Source<'file'>,
  decrypt: Decrypt | null,
): Promise<string> {
  const text = await readText(path, at);
  if (!isEnvelope(text)) return withoutLineEnd(text);
  if (decrypt !== null)
    return withoutLineEnd(await decrypt(text, { file: path, line: 1, column: 1 }));
  throw new InputError({
    code: 'E_VAULT_PASSWORD',
    at,
    found: `the password file ${path}, which is encrypted, and no vault password was given`,
    wanted: 'the vault password',
    fix: 'give it with `--vault-password-file FILE`',
  });
}

/** A path that began with `~` was taken for one below the folder of the inventory. */
function expandHome(
  { path, at }: Source<'file'>,
  { host }: ServiceDefinition,
  env: World['env'],
): string {
  const named = relative(host.inventoryFolder, path);
  if (!named.startsWith('~')) return path;
  if (named.startsWith('~/')) return join(env['HOME'] ?? homedir(), named.slice(2));
  throw new InputError({
    code: 'E_FILE',
    at,
    found: `the password file ${named}: the home folder of somebody else is not looked for`,
    wanted: 'a path that begins with ~/, or the path that it stands for',
  });
}

async function readText(path: string, at: Position): Promise<string> {
  const bytes = await readRegular(path).catch((error: NodeJS.ErrnoException) => {
    throw new InputError(fileFault(path, at, `cannot be read (${error.code})`));
  });
  if (bytes === null) throw new InputError(fileFault(path, at, 'is no regular file'));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new InputError(fileFault(path, at, 'is not UTF-8'));
  }
}

/** Gives null for what is no file: reading a pipe would wait for ever for somebody who writes. */
async function readRegular(path: string): Promise<Buffer | null> {
  const stats = await stat(path);
  return stats.isFile() ? readFile(path) : null;
}

function fileFault(path: string, at: Position, why: string): Fault {
  return {
    code: 'E_FILE',
    at,
    found: `the password file ${path}, which ${why}`,
    wanted: 'a file with the password; relative paths start at the folder of the inventory',
  };
}

function readVariable({ name, at }: Source<'env'>, env: World['env']): string {
  const text = env[name];
  if (text !== undefined) return text;
  throw new InputError({
    code: 'E_NO_PASSWORD',
    at,
    found: `the environment variable ${name}, which is not set`,
    wanted: 'the password in it',
    fix: `set it for this run:\nread -rs ${name} && export ${name}`,
  });
}

/** Password managers ask people things, so one program follows the other, and each runs once. */
function inTurn(run: World['run']): Run {
  const printed = new Map<string, Promise<string>>();
  let last: Promise<unknown> = Promise.resolve();
  return (words, at) => {
    const key = JSON.stringify(words);
    const result = printed.get(key) ?? last.then(() => runCommand(words, at, run));
    printed.set(key, result);
    last = result.catch(() => null);
    return result;
  };
}

async function runCommand(
  [program = '', ...args]: readonly string[],
  at: Position,
  run: World['run'],
): Promise<string> {
  const { exitCode, stdout } = await run(program, args).catch(() => {
    throw new InputError(commandFault(program, at, 'cannot be run'));
  });
  if (exitCode !== 0) {
    const why = exitCode === 127 ? 'was not found' : `ended with code ${exitCode}`;
    throw new InputError(commandFault(program, at, why));
  }
  try {
    return withoutLineEnd(new TextDecoder('utf-8', { fatal: true }).decode(stdout));
  } catch {
    throw new InputError(commandFault(program, at, 'printed something else than text in UTF-8'));
  }
}

function commandFault(program: string, at: Position, why: string): Fault {
  return {
    code: 'E_NO_PASSWORD',
    at,
    found: `the password command ${program}, which ${why}`,
    wanted: 'a program that prints the password and ends with code 0',
    fix: 'try it in a terminal; its words are handed over as they stand',
  };
}

function noTerminal({ password, userId, at }: ServiceDefinition): Fault {
  return {
    code: 'E_NO_PASSWORD',
    at: password?.at ?? at,
    found: `the password of ${userId}, which should be typed, and there is no terminal`,
    wanted: 'a terminal, or a password from elsewhere: {file}, {env}, {command} or a vaulted value',
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
