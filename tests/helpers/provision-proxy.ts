// Stands between a run and its homeserver, and changes what passes.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { Cleanup, Project } from './provision-project.ts';
import { HOST } from './provision-services.ts';

export interface Passing {
  /** Method and path. */
  readonly request: string;
  readonly requestBody: string;
  readonly authorization: string | undefined;
  readonly status: number;
  readonly statusMessage: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

export interface Rewrites {
  /** Gives the body that is sent on. */
  readonly request?: (request: string, body: string) => string;
  /** Gives what is answered in place of the real answer. */
  readonly answer?: (passing: Passing) => Partial<Passing>;
}

/** Starts a proxy in front of a homeserver and lets the project use it. */
export async function putProxyBefore(
  t: Cleanup,
  project: Project,
  homeserver: { readonly baseUrl: string },
  rewrites: Rewrites,
): Promise<void> {
  const server = createServer((incoming, response) => {
    void pass(incoming, homeserver.baseUrl, rewrites).then(
      (passing) => {
        response.writeHead(passing.status, passing.statusMessage, {
          ...passing.headers,
          'content-length': Buffer.byteLength(passing.body),
        });
        response.end(passing.body);
      },
      () => response.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  const vars = `host_vars/${HOST}/vars.yml`;
  const text = await project.read(vars);
  await project.write(vars, text.replace(homeserver.baseUrl, `http://127.0.0.1:${address.port}`));
}

async function pass(
  incoming: IncomingMessage,
  baseUrl: string,
  rewrites: Rewrites,
): Promise<Passing> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const request = `${incoming.method} ${incoming.url}`;
  const requestBody = Buffer.concat(chunks).toString('utf8');
  const sent = rewrites.request?.(request, requestBody) ?? requestBody;
  const answer = await fetch(`${baseUrl}${incoming.url}`, {
    method: incoming.method ?? 'GET',
    headers: headersOf(incoming),
    body: incoming.method === 'POST' ? sent : null,
  });
  const passing = {
    request,
    requestBody,
    authorization: incoming.headers.authorization,
    status: answer.status,
    statusMessage: answer.statusText,
    headers: { 'content-type': answer.headers.get('content-type') ?? '' },
    body: await answer.text(),
  };
  return { ...passing, ...rewrites.answer?.(passing) };
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const { authorization, 'content-type': type } = headers;
  return {
    ...(authorization === undefined ? {} : { authorization }),
    ...(type === undefined ? {} : { 'content-type': type }),
  };
}
