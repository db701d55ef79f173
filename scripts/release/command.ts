// Programs that a release is made and tried with: in an environment of their own, so that nothing
// that the operator has set or cached is what makes them work.
import { execFile } from 'node:child_process';
import { delimiter } from 'node:path';

export interface Surroundings {
  /** An empty home folder. */
  readonly home: string;
  readonly signal: AbortSignal;
}

export interface Place {
  readonly cwd: string;
  /** Folders that are searched for programs before PATH. */
  readonly bin?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const MOST_OUTPUT = 10_000_000;

/** Runs a program and gives its standard output. Throws with all that it said where it fails. */
export function runCommand(
  [file = '', ...args]: readonly string[],
  { cwd, bin = [], env = {} }: Place,
  { home, signal }: Surroundings,
): Promise<string> {
  const path = [...bin, process.env['PATH'] ?? ''].join(delimiter);
  const options = {
    cwd,
    signal,
    env: { PATH: path, HOME: home, LANG: 'C.UTF-8', NO_COLOR: '1', ...env },
    encoding: 'utf8',
    maxBuffer: MOST_OUTPUT,
  } as const;
  return new Promise((done, fail) => {
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      if (error === null) done(stdout);
      else fail(new Error(`${[file, ...args].join(' ')}\n${stdout}${stderr}${error.message}`));
    });
    child.stdin?.end();
  });
}
