// Loaded into a run by `node --import`, so that the product itself has no hooks for tests. Sees every
// call that changes the disk or uses the network, and kills the process at one of them. Calls are
// named by what they do, with paths relative to the current folder:
//
//   mkdir P · rmdir P · open P · write P · sync P · truncate P · chmod P · chown P · rename P Q ·
//   link P Q · rm P · connect · send M PATH · receive M PATH · print
//
// Each is a point before it happens; `done …` is the point right after it.
import { writeFileSync } from 'node:fs';
import fsp from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import net from 'node:net';
import { relative } from 'node:path';
import timers from 'node:timers/promises';
import { watchPower } from './provision-power.ts';
import type { Power } from './provision-power.ts';
import { PRELOAD_VARIABLE } from './provision-preload-options.ts';
import type { Preload } from './provision-preload-options.ts';

type Call = (...args: unknown[]) => Promise<unknown>;

const preload = JSON.parse(process.env[PRELOAD_VARIABLE] ?? '{}') as Preload;
const root = process.cwd();
speedUp(preload.speed ?? 1);
const power: Power | null = preload.powerCut === undefined ? null : watchPower(root);
let hasMeddled = false;
let isOver = false;

function point(name: string): void {
  const { meddle, killOn } = preload;
  if (meddle !== undefined && !hasMeddled && new RegExp(meddle.on).test(name)) {
    hasMeddled = true;
    writeFileSync(meddle.file, meddle.text);
  }
  const isTheOne = killOn !== undefined && new RegExp(killOn).test(name);
  if (isTheOne && !isOver) die(name);
}

function die(name: string): void {
  const { powerCut, signal = 'SIGKILL' } = preload;
  isOver = true;
  if (preload.died !== undefined) writeFileSync(preload.died, name);
  if (powerCut !== undefined && power !== null) {
    writeFileSync(powerCut.dump, JSON.stringify(power.remains(powerCut.names)));
  }
  process.kill(process.pid, signal);
}

function shown(path: unknown): string {
  return relative(root, String(path)) || '.';
}

function patch(target: object, name: string, make: (original: Call) => Call): void {
  const original = Reflect.get(target, name) as Call;
  Reflect.set(target, name, make(original));
}

for (const name of ['mkdir', 'rmdir', 'rm', 'unlink', 'chmod', 'chown'] as const) {
  patch(fsp, name, (original) => async (...args) => {
    const label = `${name} ${shown(args[0])}`;
    point(label);
    const result = await original(...args);
    if (name === 'mkdir') power?.made(String(args[0]));
    point(`done ${label}`);
    return result;
  });
}

for (const name of ['rename', 'link'] as const) {
  patch(fsp, name, (original) => async (...args) => {
    const label = `${name} ${shown(args[0])} ${shown(args[1])}`;
    point(label);
    const result = await original(...args);
    point(`done ${label}`);
    return result;
  });
}

const paths = new WeakMap<object, string>();

patch(fsp, 'open', (original) => async (...args) => {
  const isReading = args[1] === undefined || args[1] === 'r' || typeof args[1] === 'number';
  if (!isReading) point(`open ${shown(args[0])}`);
  const handle = (await original(...args)) as FileHandle;
  paths.set(handle, shown(args[0]));
  patchHandles(handle);
  if (args[1] === 'wx') power?.made(String(args[0]));
  return handle;
});

// In its parts, since a kill between them leaves an empty file.
patch(fsp, 'writeFile', () => async (path, text, options) => {
  const { mode } = options as { mode?: number };
  const handle = await fsp.open(String(path), 'w', mode);
  try {
    await handle.write(Buffer.from(String(text)));
  } finally {
    await handle.close();
  }
});

let areHandlesPatched = false;

function patchHandles(handle: FileHandle): void {
  if (areHandlesPatched) return;
  areHandlesPatched = true;
  const prototype = Object.getPrototypeOf(handle) as object;
  for (const name of ['write', 'sync', 'truncate', 'chmod', 'chown'] as const) {
    patch(
      prototype,
      name,
      (original) =>
        async function (this: FileHandle, ...args) {
          const label = `${name} ${paths.get(this) ?? '?'}`;
          point(label);
          const result: unknown = await Reflect.apply(original, this, args);
          if (name === 'sync') power?.synced(this.fd);
          point(`done ${label}`);
          return result;
        },
    );
  }
}

const requests = new WeakMap<object, string>();
type Generic = (this: net.Socket, isVector: boolean, data: unknown, ...rest: unknown[]) => unknown;
const sockets = net.Socket.prototype as unknown as {
  connect: (this: net.Socket, ...args: unknown[]) => unknown;
  read: (this: net.Socket, size?: number) => unknown;
  _writeGeneric: Generic;
};
const { connect, read, _writeGeneric: write } = sockets;

sockets.connect = function (...args) {
  point('connect');
  return Reflect.apply(connect, this, args);
};

sockets._writeGeneric = function (isVector, data, ...rest) {
  const request = /^(?:GET|POST) \S+/.exec(textOf(data))?.[0];
  if (request !== undefined) requests.set(this, request);
  const label = requests.has(this) ? `send ${requests.get(this)}` : 'print';
  point(label);
  const result = Reflect.apply(write, this, [isVector, data, ...rest]);
  point(`done ${label}`);
  return result;
};

sockets.read = function (size) {
  const chunk: unknown = Reflect.apply(read, this, [size]);
  if (chunk !== null && requests.has(this)) point(`receive ${requests.get(this)}`);
  return chunk;
};

/** What is written at once comes as a text, as bytes or as a list of both. */
function textOf(data: unknown): string {
  if (Array.isArray(data)) return textOf((data[0] as { chunk?: unknown } | undefined)?.chunk ?? '');
  return Buffer.isBuffer(data) ? data.toString('latin1', 0, 200) : String(data).slice(0, 200);
}

function speedUp(speed: number): void {
  if (speed === 1) return;
  const { setTimeout: wait, setInterval: repeat } = globalThis;
  const { setTimeout: waitFor } = timers;
  const { now } = Date;
  const begin = now();
  Date.now = () => begin + (now() - begin) * speed;
  const slower = { setTimeout: wait, setInterval: repeat };
  for (const [name, original] of Object.entries(slower)) {
    Reflect.set(globalThis, name, (call: () => void, ms: number, ...args: []) =>
      original(call, ms / speed, ...args),
    );
  }
  Reflect.set(timers, 'setTimeout', (ms: number, ...args: []) => waitFor(ms / speed, ...args));
}
