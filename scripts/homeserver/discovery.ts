// What a client asks before it logs in. @see Client-Server API, "Server Discovery"
import { UNRECOGNIZED, errorAnswer, jsonAnswer } from './answer.ts';
import type { Answer } from './answer.ts';
import type { Call } from './call.ts';

/** GET /.well-known/matrix/client */
export function wellKnown(call: Call): Answer {
  const { publicBaseUrl } = call.server;
  if (publicBaseUrl !== null) return jsonAnswer(200, homeserverInformation(publicBaseUrl));
  return errorAnswer(404, 'M_NOT_FOUND', '.well-known not available');
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
  const metadata = call.server.manner.authMetadata;
  return metadata === null ? UNRECOGNIZED : jsonAnswer(200, metadata(call.baseUrl));
}
