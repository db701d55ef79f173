import { jsonAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { ServerManner } from './manner.ts';

/** Gives a 429 that says how long to wait where the server says it. @see "Rate limiting" */
export function limitExceeded(manner: ServerManner, waitMs: number): Answer {
  const body = { errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many Requests' };
  if (manner.waitingTime === 'nowhere') return jsonAnswer(429, body);
  const withTime = { ...body, retry_after_ms: waitMs };
  if (manner.waitingTime === 'body') return jsonAnswer(429, withTime);
  return jsonAnswer(429, withTime, { 'Retry-After': String(Math.ceil(waitMs / 1000)) });
}
