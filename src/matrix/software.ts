// Which software a homeserver is, as far as it says so to strangers: commands and settings differ.
import { isSuccess } from './answers.ts';
import type { Homeserver } from './homeserver.ts';
import type { HttpClient } from './http.ts';
import { PRODUCTS } from './known-words.ts';

/** `mas`: Matrix Authentication Service before a homeserver. */
export type Software = (typeof PRODUCTS)[number] | 'mas';

/** Gives the software of a name, in any case of letters, or null for one that is not known here. */
export function softwareNamed(name: string): Software | null {
  return PRODUCTS.find((one) => one === name.toLowerCase()) ?? null;
}

/**
 * Asks, without a token, what a homeserver is: by what stands before it, its Server header, and what
 * it tells other homeservers. Null: it does not say.
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1version
 */
export async function identifySoftware(
  client: HttpClient,
  homeserver: Homeserver,
): Promise<Software | null> {
  const { baseUrl, software } = homeserver;
  const header = software === undefined ? null : softwareNamed(software);
  const name = header ?? (await federationName(client, baseUrl));
  // Others have an OAuth 2.0 API of their own.
  if (name !== null && name !== 'synapse') return name;
  return (await hasOAuth(client, homeserver)) ? 'mas' : name;
}

async function hasOAuth(client: HttpClient, homeserver: Homeserver): Promise<boolean> {
  if (homeserver.isOAuthOnly === true) return true;
  const url = `${homeserver.baseUrl}/_matrix/client/v1/auth_metadata`;
  const result = await client.request('GET', url);
  return isSuccess(result) && typeof result.json?.['issuer'] === 'string';
}

async function federationName(client: HttpClient, baseUrl: string): Promise<Software | null> {
  const result = await client.request('GET', `${baseUrl}/_matrix/federation/v1/version`);
  const server = isSuccess(result) ? result.json?.['server'] : undefined;
  if (typeof server !== 'object' || server === null || !('name' in server)) return null;
  return typeof server.name === 'string' ? softwareNamed(server.name) : null;
}
