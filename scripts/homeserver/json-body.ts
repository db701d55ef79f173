import { errorAnswer } from './answer.ts';
import type { Answer } from './answer.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export type ParsedBody =
  | { readonly ok: true; readonly body: JsonObject }
  | { readonly ok: false; readonly answer: Answer };

/** Reads JSON, whatever the Content-Type says; null: it is none. */
export function parseJson(text: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

/** Reads a request's body as a JSON object, with Synapse's answers where it is none. */
export function parseJsonBody(text: string): ParsedBody {
  const parsed = parseJson(text);
  if (parsed === null) return { ok: false, answer: NOT_JSON };
  if (isJsonObject(parsed.value)) return { ok: true, body: parsed.value };
  return { ok: false, answer: NOT_AN_OBJECT };
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export const NOT_JSON = errorAnswer(400, 'M_NOT_JSON', 'Content not JSON.');
export const NOT_AN_OBJECT = errorAnswer(400, 'M_BAD_JSON', 'Content must be a JSON object.');
