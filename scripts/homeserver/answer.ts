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

/** The answer to an endpoint that the server does not have. */
export const UNRECOGNIZED = errorAnswer(404, 'M_UNRECOGNIZED', 'Unrecognized request');

/** The answer to an endpoint that the server has, but not with this method. */
export const WRONG_METHOD = errorAnswer(405, 'M_UNRECOGNIZED', 'Unrecognized request');

/** The answer to OPTIONS. @see Client-Server API, "Web Browser Clients" */
export const PREFLIGHT: Answer = { status: 204, headers: CORS, body: '' };

/** What stands outside of /_matrix and /_synapse: the web server's own page. */
export const NO_SUCH_RESOURCE: Answer = {
  status: 404,
  headers: { 'Content-Type': 'text/html; charset=utf-8' },
  body: `
<html>
  <head><title>404 - No Such Resource</title></head>
  <body>
    <h1>No Such Resource</h1>
    <p>Sorry. No luck finding that resource.</p>
  </body>
</html>
`,
};
