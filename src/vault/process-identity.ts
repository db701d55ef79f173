// Who holds a lock, and whether that process is proved to be dead. A process ID alone proves nothing:
// it is used again, and in another PID namespace it means somebody else. Everything that is not
// proved counts as alive.
import { createHash } from 'node:crypto';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { systemCode } from './store-error.ts';

/** A process of a machine. The last three are null where the system does not tell them (no /proc). */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** A hash of the machine ID; null where there is none, as in many containers. */
  readonly machine: string | null;
  readonly bootId: string | null;
  readonly pidNamespace: string | null;
  /** Clock ticks since the boot, as /proc/<pid>/stat has it. */
  readonly startTime: string | null;
}

const identities = new Map<string, Promise<ProcessIdentity>>();

/** Gives the identity of this process, read once. `proc` is where the proc file system is. */
export function readOwnIdentity(proc: string): Promise<ProcessIdentity> {
  const known = identities.get(proc) ?? readIdentity(proc);
  identities.set(proc, known);
  return known;
}

async function readIdentity(proc: string): Promise<ProcessIdentity> {
  const plain = { host: hostname(), pid: process.pid, machine: null };
  const unknown = { ...plain, bootId: null, pidNamespace: null, startTime: null };
  try {
    // A /proc that was mounted in another PID namespace speaks of other processes.
    if ((await readlink(join(proc, 'self'))) !== String(process.pid)) return unknown;
    return {
      ...plain,
      machine: await readMachine(),
      bootId: (await readFile(join(proc, 'sys/kernel/random/boot_id'), 'latin1')).trim(),
      pidNamespace: await readlink(join(proc, 'self/ns/pid')),
      startTime: parseStat(await readFile(join(proc, 'self/stat'), 'latin1')).startTime,
    };
  } catch {
    return unknown;
  }
}

/** Tells whether `other` is proved to run no more, seen from the process `own`. */
export async function isProvedDead(
  other: ProcessIdentity,
  own: ProcessIdentity,
  proc: string,
): Promise<boolean> {
  if (other.host !== own.host || other.bootId === null || own.bootId === null) return false;
  if (other.bootId !== own.bootId) {
    // Another boot of this machine, unless it only has the same name as another one.
    return other.machine !== null && other.machine === own.machine;
  }
  if (other.pidNamespace === null || other.pidNamespace !== own.pidNamespace) return false;
  return (await isGone(other.pid)) || hasEnded(other, proc);
}

/** Tells whether `other` is proved to be running, seen from the process `own`. */
export async function isProvedAlive(
  other: ProcessIdentity,
  own: ProcessIdentity,
  proc: string,
): Promise<boolean> {
  const { host, bootId, pidNamespace, startTime } = other;
  if (bootId === null || pidNamespace === null || startTime === null) return false;
  const isHere = host === own.host && bootId === own.bootId && pidNamespace === own.pidNamespace;
  if (!isHere || (await isGone(other.pid))) return false;
  return (await isListed(other.pid, proc)) && !(await hasEnded(other, proc));
}

/** What /proc hides may be another process with the same number. */
async function isListed(pid: number, proc: string): Promise<boolean> {
  return readFile(join(proc, String(pid), 'stat'), 'latin1').then(
    () => true,
    () => false,
  );
}

/** Root's or another user's process may be hidden in /proc; the signal 0 still finds it. */
async function isGone(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return systemCode(error) === 'ESRCH';
  }
}

async function hasEnded({ pid, startTime }: ProcessIdentity, proc: string): Promise<boolean> {
  try {
    const stat = parseStat(await readFile(join(proc, String(pid), 'stat'), 'latin1'));
    if (stat.startTime !== startTime) return startTime !== null;
    // A zombie runs no more, once its last thread has ended.
    return stat.state === 'Z' && (await readdir(join(proc, String(pid), 'task'))).length === 1;
  } catch {
    return false;
  }
}

/** The name of the program, in parentheses, may hold anything. */
function parseStat(text: string): { state: string; startTime: string } {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  if (state === undefined || startTime === undefined) throw new Error('unknown form of stat');
  return { state, startTime };
}

/** The machine ID is confidential: a hash of it is as good. */
async function readMachine(): Promise<string | null> {
  const id = (await readFile('/etc/machine-id', 'latin1').catch(() => '')).trim();
  if (id === '') return null;
  return createHash('sha256').update(`matrix-tokens ${id}`).digest('hex').slice(0, 32);
}
