import { errorAnswer } from './answer.ts';
import type { Answer } from './answer.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export type ParsedBody =
  | { readonly ok: true; readonly body: JsonObject }
  | { readonly ok: false; readonly answer: Answer };

/** Reads a request's body as a JSON object, whatever its Content-Type says, as Synapse does. */
export function parseJsonBody(text: string): ParsedBody {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, answer: errorAnswer(400, 'M_NOT_JSON', 'Content not JSON.') };
  }
  if (isJsonObject(value)) return { ok: true, body: value };
  return { ok: false, answer: errorAnswer(400, 'M_BAD_JSON', 'Content must be a JSON object.') };
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
