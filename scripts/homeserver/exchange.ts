// One request and its answer on the wire, with the fault that is planned for it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './answer.ts';
import type { HomeserverFault } from './faults.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly fault: HomeserverFault | null;
  /** The `Server` header, where the answer has none; null: there is none. */
  readonly software: string | null;
  /** Executes the request; called at most once. */
  readonly execute: () => Promise<Answer>;
}

/** Carries the exchange out. Gives the status that was answered, or null if none was. */
export async function carryOut(exchange: Exchange): Promise<number | null> {
  const { request, fault } = exchange;
  if (fault?.cut === 'before' || fault?.cut === 'while') request.socket.destroy();
  if (fault?.cut === 'before') return null;
  await pause(fault?.delayBeforeMs);
  const answer = await answerTo(exchange);
  await pause(fault?.delayAfterMs);
  if (fault?.cut === 'after') request.socket.destroy();
  if (request.socket.destroyed) return null;
  await send(exchange, answer);
  return answer.status;
}

async function answerTo({ fault, execute }: Exchange): Promise<Answer> {
  const planned = fault?.answer;
  const real = planned === undefined || planned.execute === true ? await execute() : null;
  if (planned === undefined && real !== null) return real;
  return {
    status: planned?.status ?? real?.status ?? 200,
    headers: planned?.headers ?? real?.headers ?? {},
    body: planned?.body ?? real?.body ?? '',
  };
}

async function send({ request, response, fault, software }: Exchange, answer: Answer) {
  const body = Buffer.from(request.method === 'HEAD' ? '' : answer.body);
  response.writeHead(answer.status, {
    ...(software === null ? {} : { Server: software }),
    ...answer.headers,
    ...(answer.status === 204 ? {} : { 'Content-Length': Buffer.byteLength(answer.body) }),
  });
  if (fault?.cut === 'answering') {
    response.write(body.subarray(0, Math.floor(body.length / 2)), () => request.socket.destroy());
    return;
  }
  if (fault?.dripMs !== undefined) await drip(response, body, fault.dripMs);
  response.end(fault?.dripMs === undefined ? body : undefined);
}

async function drip(response: ServerResponse, body: Buffer, everyMs: number): Promise<void> {
  for (const byte of body) {
    if (response.destroyed) return;
    response.write(Buffer.of(byte));
    await sleep(everyMs);
  }
}

async function pause(ms: number | undefined): Promise<void> {
  if (ms !== undefined && ms > 0) await sleep(ms);
}
