// What must not be true of two services at once.
import { formatPosition, type Fault } from '../errors.ts';
import type { LocatedService } from './types.ts';

/** Gives a fault for each pair of services that would get into each other's way. */
export function findConflicts(services: readonly LocatedService[]): Fault[] {
  return [
    ...clashes(services, deviceKey, ({ definition }) => ({
      code: 'E_SHARED_DEVICE',
      found: `device_id ${definition.deviceId} of ${definition.userId}, which another service has too`,
      wanted: 'a device of its own for each service: two services on one device break each other',
    })),
    ...clashes(services, variableKeys, sharedVariable),
    ...services.filter(writesOneTwice).map(oneVariableTwice),
    ...clashes(services, userKey, ({ definition }) => ({
      code: 'E_SHARED_SERVICE',
      found: `service '${definition.name}' of ${definition.userId} on a second host (${definition.host.name})`,
      wanted: 'one host for a service: two running copies of one bot disturb each other',
      fix: 'define it in host_vars of one host, or use --limit',
    })),
    ...clashes(services, fileKey, ({ target }) => ({
      code: 'E_TARGET',
      found: `${target.shown} as vault_file of two hosts`,
      wanted: 'a file for each host: what stands in a shared one is the same for both',
      fix: 'use a file below host_vars/<host>/',
    })),
  ];
}

type Described = Pick<Fault, 'code' | 'found' | 'wanted' | 'fix'>;

function sharedVariable({ definition }: LocatedService): Described {
  return {
    code: 'E_SHARED_VARIABLE',
    found: `service '${definition.name}' writes a variable that another service writes too`,
    wanted: 'a variable of its own for each value',
    fix: 'name other ones in `variables`',
  };
}

interface Key {
  readonly key: string;
  /** Two services with the same key are no clash where this is the same too. */
  readonly unless?: string;
}

/** Gives a fault for each service whose key another one before it has too. */
function clashes(
  services: readonly LocatedService[],
  keysOf: (service: LocatedService) => readonly Key[],
  describe: (service: LocatedService) => Described,
): Fault[] {
  const seen = new Map<string, { service: LocatedService; unless: string | undefined }>();
  const faults: Fault[] = [];
  for (const service of services) {
    for (const { key, unless } of keysOf(service)) {
      const first = seen.get(key);
      if (first === undefined) seen.set(key, { service, unless });
      else if (unless === undefined || first.unless !== unless) {
        faults.push(clash(first.service, service, describe));
      }
    }
  }
  return faults;
}

function clash(
  first: LocatedService,
  service: LocatedService,
  describe: (service: LocatedService) => Described,
): Fault {
  const described = describe(service);
  const { name, at } = first.definition;
  const found = `${described.found} (the first: '${name}' at ${formatPosition(at)})`;
  return { ...described, at: service.definition.at, found };
}

function deviceKey({ definition }: LocatedService): Key[] {
  if (definition.deviceId === null) return [];
  return [{ key: `${definition.userId} ${definition.deviceId}` }];
}

function variableKeys({ definition }: LocatedService): Key[] {
  const { accessToken, deviceId } = definition.variables;
  const names = new Set([accessToken[0], deviceId?.[0] ?? accessToken[0]]);
  return [...names].map((name) => ({ key: `${definition.host.name} ${name}` }));
}

function writesOneTwice({ definition }: LocatedService): boolean {
  const { accessToken, deviceId } = definition.variables;
  return JSON.stringify(accessToken) === JSON.stringify(deviceId);
}

function oneVariableTwice({ definition }: LocatedService): Fault {
  return {
    code: 'E_SHARED_VARIABLE',
    at: definition.at,
    found: `service '${definition.name}' with one variable for its token and its device ID`,
    wanted: 'two variables',
  };
}

function userKey({ definition }: LocatedService): Key[] {
  return [{ key: `${definition.name} ${definition.userId}`, unless: definition.host.name }];
}

function fileKey({ definition, target }: LocatedService): Key[] {
  return [{ key: target.file, unless: definition.host.name }];
}
