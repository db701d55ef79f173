// What a handler gives back, and the forms that Matrix servers give it.

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const CORS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'GET, HEAD, POST, PUT, DELETE, OPTIONS',
  'Access-Control-Allow-Headers': 'X-Requested-With, Content-Type, Authorization, Date',
};

/** Gives an answer with a JSON body, as Synapse heads it. */
export function jsonAnswer(
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-cache, no-store, must-revalidate',
      ...CORS,
      ...headers,
    },
    body: JSON.stringify(body),
  };
}

/** Gives a standard error response. @see Client-Server API, "Standard error response" */
export function errorAnswer(status: number, errcode: string, error: string): Answer {
  return jsonAnswer(status, { errcode, error });
}

/** Tells an answer from whatever else a function of a manner gives. */
export function isAnswer(value: unknown): value is Answer {
  return typeof value === 'object' && value !== null && 'status' in value && 'headers' in value;
}

/** The answer to OPTIONS. @see Client-Server API, "Web Browser Clients" */
export const PREFLIGHT: Answer = { status: 204, headers: CORS, body: '' };
