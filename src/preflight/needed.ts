// Which secrets a run needs: those that a service may log in with, and the one that users are
// created with, where somebody may be missing.
import type { ServiceDefinition } from '../definitions/types.ts';
import { loginMethod } from '../matrix/login/registry.ts';
import type { NeededSecret, ReadSecret, Secrets } from './secrets.ts';

/** Gives the secrets that a service may log in with. */
export function loginSecrets(definition: ServiceDefinition): NeededSecret[] {
  const { host, name, userId, homeserver, secrets } = definition;
  return [...secrets].map(([login, source]) => {
    const { noun, of } = loginMethod(login).secret;
    const isOwn = of === 'service';
    return {
      source,
      host,
      noun,
      owner: isOwn ? `service '${name}'` : `host ${host.name}`,
      subject: isOwn ? userId : homeserver.serverName,
    };
  });
}

/** Gives the secret that a missing user is created with. */
export function registrationSecrets({ host, homeserver }: ServiceDefinition): NeededSecret[] {
  if (homeserver.register === null) return [];
  return [
    {
      source: homeserver.register.secret,
      host,
      noun: 'registration secret',
      owner: `host ${host.name}`,
      subject: homeserver.serverName,
    },
  ];
}

/** The secrets of a service that were read, by the way to log in that takes them. */
export type LoginSecrets = ReadonlyMap<string, ReadSecret>;

/** Picks the secrets of one service. */
export function pickSecrets({ secrets }: ServiceDefinition, read: Secrets): LoginSecrets {
  return new Map(
    [...secrets].flatMap(([login, source]) => {
      const secret = read.get(source);
      return secret === undefined ? [] : [[login, secret] as const];
    }),
  );
}
