// The task play, for the role's action plugin: JSON comes in by stdin and goes out by stdout, a line
// each. While a question is asked nothing else goes on, and none is asked once logins have begun.
import { readSync, writeSync } from 'node:fs';
import type { Answer, Ask } from '../src/ansible/play-variables.ts';
import { InputError } from '../src/errors.ts';
import { openPlay, readPlayRequest, type PlayRequest } from '../src/play.ts';
import { findLoads, findStandIns } from '../src/play/loads.ts';
import { provisionFrom } from '../src/provision.ts';
import type { Progress, World } from '../src/provision/world.ts';
import {
  formatPlayFailure,
  formatPlayFaults,
  formatPlayMessage,
  formatPlayResult,
} from '../src/report.ts';
import { describeBug } from './bug.ts';
import { watchEnds, type Ends } from './ends.ts';
import { describeProgress } from './terminal.ts';
import { surroundings } from './world.ts';

/** Shown without any `-v`. */
const ALWAYS = -1;

/** What is waited for is shown always, what is done with `-v`. */
const LEVELS: Readonly<Record<Progress['kind'], number>> = {
  forecast: ALWAYS,
  pause: ALWAYS,
  settle: ALWAYS,
  lock: ALWAYS,
  register: 0,
  stored: 0,
  login: 1,
};

/** The plugin runs in a session of its own, and is gone without a word when Ansible is ended. */
const WATCH_PARENT_MS = 250;

/** The other side has closed its end: nobody waits for an answer any more. */
class PluginGone extends Error {
  override name = 'PluginGone' as const;
}

/** Runs the task and gives the exit code. */
export async function runPlay(): Promise<number> {
  const parent = process.ppid;
  const ends = watchEnds((line) => send(formatPlayMessage(line, ALWAYS)));
  const watch = setInterval(() => {
    if (process.ppid !== parent) ends.end();
  }, WATCH_PARENT_MS);
  try {
    return send(await answer(ends));
  } catch (error) {
    if (error instanceof PluginGone) return 0;
    throw error;
  } finally {
    clearInterval(watch);
  }
}

/** Gives the last line. */
async function answer(ends: Ends): Promise<string> {
  const read = lineReader();
  try {
    const request = readPlayRequest(read());
    const ask: Ask = (question) => {
      send(`${JSON.stringify(question)}\n`);
      return JSON.parse(read()) as Answer;
    };
    return await provisionPlay(request, ask, ends);
  } catch (error) {
    if (error instanceof PluginGone) throw error;
    if (error instanceof InputError) return formatPlayFaults(error.faults);
    return formatPlayFailure(describeBug(error));
  }
}

async function provisionPlay(request: PlayRequest, ask: Ask, ends: Ends): Promise<string> {
  const { check, diff, failOnDeferred, fail } = request;
  const world = makePlayWorld(ends.signal);
  const source = openPlay(request, ask, world);
  const options = { services: [], check, maxWait: undefined, lockTimeout: undefined };
  const { report, actions } = await provisionFrom(source, options, world);
  return formatPlayResult(
    { ...report, interrupted: ends.interruptedBy() },
    {
      diff,
      failOnDeferred,
      fail,
      load: findLoads(actions, check ? [] : report.outcomes),
      standIns: findStandIns(actions),
    },
  );
}

function makePlayWorld(signal: AbortSignal): World {
  return {
    ...surroundings(),
    signal,
    prompt: null,
    log: (line) => send(formatPlayMessage(line, 2)),
    warn: (line) => send(formatPlayMessage(`warning: ${line}`, ALWAYS)),
    progress: (event) => send(formatPlayMessage(describeProgress(event), LEVELS[event.kind])),
  };
}

/** Gives a function that waits for the next line of stdin. */
function lineReader(): () => string {
  const chunk = Buffer.alloc(65_536);
  let rest = Buffer.alloc(0);
  return () => {
    const parts = [rest];
    let end = rest.indexOf(0x0a);
    while (end === -1) {
      const size = readSync(0, chunk);
      if (size === 0) throw new PluginGone();
      const part = Buffer.from(chunk.subarray(0, size));
      end = part.indexOf(0x0a);
      parts.push(part);
    }
    const last = parts.at(-1) ?? rest;
    rest = last.subarray(end + 1);
    return Buffer.concat([...parts.slice(0, -1), last.subarray(0, end)]).toString('utf8');
  };
}

/** What cannot be told any more is no reason to leave a login undone. Gives the exit code. */
function send(line: string): number {
  // Without `process.stdout`, which would turn waiting off for this pipe.
  const bytes = Buffer.from(line);
  try {
    for (let sent = 0; sent < bytes.length;) sent += writeSync(1, bytes, sent);
    return 0;
  } catch {
    return 1;
  }
}
