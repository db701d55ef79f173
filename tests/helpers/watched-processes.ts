// What everybody on the machine can see of a process and its children while they run.
import { readFileSync, readdirSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';

/** Looks every few milliseconds until the process ends; gives what was seen, by file. */
export function watchProcesses(child: ChildProcess): () => Readonly<Record<string, string>> {
  const seen = new Map<string, string>();
  const look = (): void => {
    for (const pid of familyOf(child.pid ?? 0)) {
      for (const name of ['cmdline', 'environ']) {
        const text = read(`/proc/${pid}/${name}`);
        if (text !== '') seen.set(`/proc/${pid}/${name}`, text);
      }
    }
  };
  look();
  const timer = setInterval(look, 5);
  child.on('exit', () => clearInterval(timer));
  return () => Object.fromEntries(seen);
}

function familyOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    // The name of the program stands in brackets and may hold anything.
    const parent = /\) \S (\d+) /.exec(read(`/proc/${name}/stat`))?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const family = [pid];
  for (const [one, parent] of parents) if (family.includes(parent)) family.push(one);
  return family;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
