// What a client asks before it logs in. @see Client-Server API, "Server Discovery"
import { isAnswer, jsonAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { Call } from './call.ts';

/** GET /.well-known/matrix/client */
export function wellKnown(call: Call): Answer {
  const { publicBaseUrl, manner, serverName } = call.server;
  const baseUrl = publicBaseUrl ?? manner.unconfiguredBaseUrl?.(serverName);
  if (baseUrl === undefined) return manner.answers.noWellKnown;
  return jsonAnswer(200, homeserverInformation(baseUrl));
}

/** The object of .well-known and of `well_known` in the answer to a login. */
export function homeserverInformation(baseUrl: string): object {
  return { 'm.homeserver': { base_url: baseUrl } };
}

/** GET /_matrix/client/versions */
export function versions(call: Call): Answer {
  return jsonAnswer(200, { versions: call.server.versions, unstable_features: {} });
}

/** GET /_matrix/client/v1/auth_metadata @see Client-Server API, "Server metadata discovery" */
export function authMetadata(call: Call): Answer {
  const { authMetadata: metadata, answers } = call.server.manner;
  if (metadata === null) return answers.unrecognized;
  return isAnswer(metadata) ? metadata : jsonAnswer(200, metadata(call.baseUrl));
}
