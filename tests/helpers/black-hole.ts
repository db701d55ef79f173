// An address that takes no connection and refuses none, as behind a firewall that drops packets: a
// process that is stopped, whose queue of connections is full.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cleanup } from './provision-project.ts';

const LISTEN = `
  const server = require('node:net').createServer().listen({ host: process.argv[1], port: 0, backlog: 1 });
  server.on('listening', () => process.stdout.write(String(server.address().port)));
`;

/** Gives the port of a black hole on a loopback address. */
export async function openBlackHole(t: Cleanup, host: string): Promise<number> {
  const child = spawn(process.execPath, ['-e', LISTEN, host], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  const port = Number(String(text));
  child.kill('SIGSTOP');
  while (await isTaken(t, host, port)) await sleep(10);
  return port;
}

/** Takes a place in the queue; false: none was left. */
async function isTaken(t: Cleanup, host: string, port: number): Promise<boolean> {
  const socket: Socket = connect(port, host).on('error', () => undefined);
  t.after(() => socket.destroy());
  return Promise.race([once(socket, 'connect').then(() => true), sleep(300).then(() => false)]);
}
