import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { Case } from './cli-case.ts';

export interface Finished {
  /** A signal that ended it counts as 128 plus its number, as in a shell. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly finished: Promise<Finished>;
  kill(signal: NodeJS.Signals): void;
}

/** A command that takes longer hangs. */
const LONGEST_MS = 60_000;

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGKILL: 9,
  SIGTERM: 15,
};

/** Starts a program in the folder and the environment of a case. */
export function start(
  one: Case,
  [file = '', ...args]: readonly string[],
  { deaf = false } = {},
): Started {
  const child = spawn(file, args, {
    cwd: one.work,
    env: one.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...one.user,
  });
  // The reader of a pipe may be gone before anything is written.
  if (deaf) child.stdout.destroy();
  return { finished: finish(child), kill: (signal) => child.kill(signal) };
}

async function finish(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Finished> {
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  try {
    const [stdout, stderr, [code, signal]] = await Promise.all([
      textOf(child.stdout),
      textOf(child.stderr),
      once(child, 'close') as Promise<[number | null, string | null]>,
    ]);
    return { exitCode: code ?? 128 + (SIGNAL_NUMBERS[signal ?? ''] ?? 0), stdout, stderr };
  } finally {
    clearTimeout(timer);
  }
}

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'close');
  return Buffer.concat(chunks).toString('utf8');
}
