// What the terminal can do: a prompt that shows nothing, a line that counts down.
import { openSync } from 'node:fs';
import type { ReadStream } from 'node:tty';
import type { Progress, World } from '../src/provision/world.ts';
import { WIDTH } from '../src/report/wrap.ts';
import { redact } from '../src/secret.ts';
import { toLines } from './lines.ts';
import { PromptCancelled } from './prompt-cancelled.ts';

/** Gives a prompt on the terminal that shows nothing of what is typed; null where there is none. */
export function openPrompt(): World['prompt'] {
  if (!process.stdin.isTTY && !process.stderr.isTTY) return null;
  return async (text) => {
    const tty = await import('node:tty');
    const fd = openSync('/dev/tty', 'r+');
    const input = new tty.ReadStream(fd);
    const output = new tty.WriteStream(fd);
    output.write(text);
    try {
      return await readHidden(input);
    } finally {
      output.write('\n');
      input.setRawMode(false);
      input.destroy();
    }
  };
}

const ENTER = /[\r\n]/;
const CONTROL_C = '\u0003';
const CONTROL_D = '\u0004';
const ERASE = /[\b\u007f]/;

function readHidden(input: ReadStream): Promise<string> {
  input.setRawMode(true);
  input.setEncoding('utf8');
  return new Promise((resolve, reject) => {
    const typed: string[] = [];
    input.on('error', reject);
    input.on('data', (data) => {
      for (const char of String(data)) {
        if (ENTER.test(char) || char === CONTROL_D) resolve(typed.join(''));
        else if (char === CONTROL_C) reject(new PromptCancelled());
        else if (ERASE.test(char)) typed.pop();
        else typed.push(char);
      }
    });
  });
}

/** Gives what is still to be waited of a wait that goes on. */
function shortened(event: Extract<Progress, { ms: number }>, ms: number): Progress {
  if (event.kind !== 'pause' || event.aboutMs === null) return { ...event, ms };
  return { ...event, ms, aboutMs: Math.max(ms, event.aboutMs - (event.ms - ms)) };
}

/** Shows what a run is waiting for: a line that counts down on a terminal, plain lines elsewhere. */
export function progressOn(
  stream: NodeJS.WriteStream,
  fit: (text: string) => string = (text) => text,
): {
  show(event: Progress): void;
  /** Removes the line that counts down. */
  clear(): void;
} {
  let timer: NodeJS.Timeout | undefined;
  const clear = (): void => {
    if (timer === undefined) return;
    clearInterval(timer);
    timer = undefined;
    stream.write('\r\u001b[K');
  };
  // A line that the terminal breaks cannot be taken back.
  const cut = (text: string): string => {
    const width = (stream.columns || WIDTH + 1) - 1;
    return fit(text.length <= width ? text : `${text.slice(0, width - 1)}…`);
  };
  const countDown = (event: Extract<Progress, { ms: number }>): void => {
    const end = Date.now() + event.ms;
    const draw = (): void => {
      const left = Math.max(0, end - Date.now());
      if (left === 0) clear();
      else stream.write(`\r\u001b[K${cut(redact(describeProgress(shortened(event, left))))}`);
    };
    draw();
    timer = setInterval(draw, 1000);
    timer.unref();
  };
  return {
    clear,
    show(event) {
      clear();
      if (stream.isTTY && 'ms' in event && event.ms >= 1000) countDown(event);
      else stream.write(fit(toLines(describeProgress(event))));
    },
  };
}

/** Gives what a run is doing in a line. */
export function describeProgress(event: Progress): string {
  switch (event.kind) {
    case 'pause':
      return `${event.server}: ${causeOf(event.code)}, waiting ${seconds(event.ms)} (${event.remaining} to go${aboutOf(event)})`;
    case 'forecast':
      return describeForecast(event);
    case 'settle':
      return `${event.server}: waiting ${seconds(event.ms)} until a lost login must have ended`;
    case 'lock':
      return `waiting for ${event.holder}, which works on ${event.file}`;
    case 'login':
      return `${event.server}: logging in ${event.userId}`;
    case 'register':
      return `${event.server}: creating the missing user ${event.userId}`;
    case 'stored':
      return `${event.service}: stored in ${event.file}`;
  }
}

type ProgressOf<Kind extends Progress['kind']> = Extract<Progress, { kind: Kind }>;

function aboutOf({ aboutMs, remaining }: ProgressOf<'pause'>): string {
  return aboutMs === null || remaining < 2 ? '' : `, about ${seconds(aboutMs)}`;
}

function describeForecast(event: ProgressOf<'forecast'>): string {
  const { server, total, done, everyMs, aboutMs, affordable } = event;
  const begin = `${total} logins on ${server}: ${done} now, then`;
  if (everyMs === null || aboutMs === null) {
    return `${begin} as it lets them through; how often that is, it does not say`;
  }
  const deferred = total - done - affordable;
  const rest = deferred === 0 ? '' : `; ${deferred} of them would wait longer than allowed`;
  // Up for what is waited, but to the next one for what is only about right.
  const every = seconds(Math.max(1000, Math.round(everyMs / 1000) * 1000));
  return `${begin} one every ${every}, about ${seconds(aboutMs)}${rest}`;
}

function causeOf(code: string): string {
  return code === 'M_LIMIT_EXCEEDED' ? 'rate limited' : `${code}, to be tried again`;
}

function seconds(ms: number): string {
  const total = Math.ceil(ms / 1000);
  return total < 120 ? `${total} s` : `${Math.floor(total / 60)} min ${total % 60} s`;
}
