// Runs one case of tests/cli.
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeCase, openCase } from './cli-case.ts';
import type { Case } from './cli-case.ts';
import * as files from './cli-files.ts';
import * as homeservers from './cli-homeserver.ts';
import { findLeaks } from './cli-leaks.ts';
import * as output from './cli-output.ts';
import { substitute } from './cli-script.ts';
import type { Script, ScriptLine } from './cli-script.ts';
import { ansibleBin } from './python.ts';

type Command = (one: Case, args: readonly string[]) => unknown;

/** What stands before the files are written, since these may name it. */
const FIRST: Readonly<Record<string, Command>> = {
  needs: useAnsible,
  secret: setSecret,
  env: setEnvironment,
  homeserver: homeservers.startNamed,
};

const COMMANDS: Readonly<Record<string, Command>> = {
  ...FIRST,
  append: files.append,
  'begins-as': files.checkBeginning,
  'change-user': homeservers.changeUser,
  chmod: files.changeMode,
  cmp: output.compare,
  crlf: files.useCrlf,
  devices: homeservers.checkDevices,
  exec: output.exec,
  'exec-deaf': output.execDeaf,
  exists: files.checkExists,
  exit: output.checkExit,
  fault: homeservers.addFault,
  finish: output.finishOne,
  grep: files.checkText,
  'is-link': files.checkLink,
  json: output.checkJson,
  'looks-like': files.checkLook,
  mkdir: files.makeFolder,
  mode: files.checkMode,
  own: files.takeOwn,
  replace: files.replace,
  requests: homeservers.checkRequests,
  reveal: files.reveal,
  'same-files': files.checkSameFiles,
  'same-tree': files.checkSameTree,
  seal: files.seal,
  session: homeservers.addSession,
  signal: output.signalOne,
  snapshot: files.snapshot,
  start: output.startOne,
  stderr: output.checkStderr,
  stdout: output.checkStdout,
  stop: (one, args) => homeservers.pickNamed(one, args)[0].stop(),
  stored: files.checkStored,
  symlink: files.makeLink,
  terminal: output.execInTerminal,
  type: (one, [text = '']) => one.typed.push(text),
  unprivileged: output.dropPrivileges,
  'wait-requests': waitForRequests,
  width: output.checkWidth,
};

/** Runs a case and gives what it printed. Throws an Error that holds the same, and the line. */
export async function runScript(script: Script): Promise<string> {
  const one = openCase();
  try {
    const isFirst = ({ command }: ScriptLine): boolean => Object.hasOwn(FIRST, command);
    const begin = script.lines.findIndex((line) => !isFirst(line));
    for (const line of script.lines.slice(0, begin)) await runLine(one, line);
    await files.writeFiles(one, script.files);
    for (const line of script.lines.slice(begin)) await runLine(one, line);
    assert.deepEqual(findLeaks(one), [], 'a secret leaked');
    return one.transcript.join('\n');
  } catch (error) {
    throw withTranscript(error, one);
  } finally {
    await closeCase(one);
  }
}

/** A cause would be printed as well, and with it everything a second time. */
function withTranscript(error: unknown, one: Case): Error {
  return new Error(`${(error as Error).message}\n\n${one.transcript.join('\n')}`);
}

async function runLine(one: Case, line: ScriptLine): Promise<void> {
  const command = COMMANDS[line.command];
  if (command === undefined) throw new Error(`line ${line.number}: no such command`);
  one.transcript.push(`${line.number}> ${line.text}`);
  const args = line.args.map((arg) => substitute(arg, one.values));
  const failure = await failureOf(async () => command(one, args));
  if (failure !== null && !(failure instanceof assert.AssertionError)) throw failure;
  if (line.negated === (failure !== null)) return;
  const why = failure === null ? 'it did not fail' : failure.message;
  throw new Error(`line ${line.number}: ${line.text}\n${why}`);
}

async function failureOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
    return null;
  } catch (error) {
    return error;
  }
}

/** `needs ansible`: its programs are found, and Python; without it the case is skipped. */
async function useAnsible(one: Case): Promise<void> {
  const folder = dirname(await ansibleBin('ansible-vault'));
  one.env['PATH'] = `${one.env['PATH'] ?? ''}:${folder}`;
}

/** `secret NAME VALUE`: `$NAME` stands for it, and it must not be seen anywhere. */
function setSecret(one: Case, [name = '', value = '']: readonly string[]): void {
  one.secrets.set(name, value);
  one.values.set(name, value);
}

/** `env NAME=VALUE` */
function setEnvironment(one: Case, [pair = '']: readonly string[]): void {
  const at = pair.indexOf('=');
  one.env[pair.slice(0, at)] = pair.slice(at + 1);
}

/** `wait-requests N [METHOD PATH]`: until the homeserver has seen so many. */
async function waitForRequests(one: Case, args: readonly string[]): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    const failure = await failureOf(async () => homeservers.checkRequests(one, args));
    if (failure === null) return;
    await sleep(10);
  }
  throw new Error('no such requests came');
}
