// A lock for scripts/setup.mjs, which runs before anything is installed or built. A lock of a dead
// process is taken over under a guard that is named after it, so that two waiting processes never
// both remove it (the second would remove the lock that the first has just made).
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_MS = 200;
const PATIENCE_MS = 15 * 60 * 1000;

/**
 * Runs `work` while holding the lock. `onWait` is told once who holds it, if there is a wait.
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} work
 * @param {(holder: string) => void} onWait
 * @returns {Promise<T>}
 */
export async function withLock(path, work, onWait) {
  mkdirSync(dirname(path), { recursive: true });
  const mine = JSON.stringify({
    pid: process.pid,
    host: hostname(),
    start: startOf('self'),
    nonce: randomUUID(),
  });
  let told = false;
  const giveUpAt = Date.now() + PATIENCE_MS;
  while (!tryCreate(path, mine)) {
    const holder = readHolder(path);
    if (holder !== null && isDead(holder)) takeOver(path, holder);
    else {
      if (!told && holder !== null) onWait(`process ${holder.pid}`);
      told ||= holder !== null;
      if (Date.now() > giveUpAt)
        throw new Error(`${path} is held for too long; if nothing runs, remove it`);
      await sleep(RETRY_MS);
    }
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** A link appears with its whole content or not at all. */
function tryCreate(path, content) {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, content);
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function readHolder(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

/** Only what is proved counts: another host's process may be alive. */
function isDead({ pid, host, start }) {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error.code === 'ESRCH';
  }
  const now = startOf(pid);
  return start !== null && now !== null && now !== start;
}

/** When a process started, in clock ticks since boot; null where there is no /proc. */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

function takeOver(path, dead) {
  const guard = `${path}.${dead.nonce}`;
  try {
    writeFileSync(guard, '', { flag: 'wx' });
  } catch {
    return;
  }
  if (readHolder(path)?.nonce === dead.nonce) rmSync(path, { force: true });
  rmSync(guard, { force: true });
}
