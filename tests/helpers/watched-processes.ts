// What everybody on the machine can see of a process and its children while they run.
import { readFileSync } from 'node:fs';
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
  const children = read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean);
  return [pid, ...children.flatMap((child) => familyOf(Number(child)))];
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
