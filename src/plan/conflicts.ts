// What must not be true of two services at once.
import { formatPosition, type Fault } from '../errors.ts';
import type { TargetVariables, VariablePath } from '../definitions/types.ts';
import type { LocatedService } from './types.ts';

/** Gives a fault for each pair of services that would get into each other's way. */
export function findConflicts(services: readonly LocatedService[]): Fault[] {
  return [
    ...clashes(services, deviceKey, ({ definition }) => ({
      code: 'E_SHARED_DEVICE',
      found: `device_id ${definition.deviceId} of ${definition.userId}, which another service has too`,
      wanted: 'a device of its own for each service: two services on one device break each other',
    })),
    ...variableConflicts(services.map((one) => ({ ...one, write: one.definition.variables }))),
    ...clashes(services, userKey, ({ definition }) => ({
      code: 'E_SHARED_SERVICE',
      found: `service '${definition.name}' of ${definition.userId} on a second host (${definition.host.name})`,
      wanted: 'one host for a service: two running copies of one bot disturb each other',
      fix: 'define it in host_vars of one host, or use --limit',
    })),
    ...clashes(services, fileKey, ({ target }) => ({
      code: 'E_TARGET',
      found: `${target.shown} as the file of two hosts`,
      wanted: 'a file for each host: what stands in a shared one is the same for both',
      fix: 'use a file below host_vars/<host>/; where that is one, a link makes two names of one file',
    })),
  ];
}

/** A service with the variables that get its values. */
type Writer = LocatedService & { readonly write: TargetVariables };

/** Gives a fault for each variable that two values would stand in. */
export function variableConflicts(writers: readonly Writer[]): Fault[] {
  return [
    ...clashes(writers, variableKeys, sharedVariable),
    ...writers.filter(writesOneTwice).map(oneVariableTwice),
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
function clashes<T extends LocatedService>(
  services: readonly T[],
  keysOf: (service: T) => readonly Key[],
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

function variableKeys(writer: Writer): Key[] {
  const { accessToken, deviceId } = writer.write;
  const paths = deviceId === null ? [accessToken] : [accessToken, deviceId];
  const keys = paths.flatMap((path) => pathKeys(writer, path));
  return [...new Map(keys.map((one) => [one.key, one])).values()];
}

/**
 * A variable belongs to one service. Only in a file that is kept by hand several can share a map: each
 * puts its values into the map that is there, as long as none stands in the place of another's.
 */
function pathKeys({ definition, target }: LocatedService, path: VariablePath): Key[] {
  const name = `${definition.host.name} ${path[0]}`;
  if (target.isDefault || path.length === 1) return [{ key: name }];
  const at = (length: number): string => `${target.real} ${JSON.stringify(path.slice(0, length))}`;
  const inner = path.slice(2).map((_, index) => ({ key: at(index + 2), unless: 'a map' }));
  return [{ key: name, unless: target.real }, ...inner, { key: at(path.length) }];
}

function writesOneTwice({ write: { accessToken, deviceId } }: Writer): boolean {
  if (deviceId === null) return false;
  const length = Math.min(accessToken.length, deviceId.length);
  return accessToken.slice(0, length).every((key, index) => key === deviceId[index]);
}

function oneVariableTwice({ definition }: LocatedService): Fault {
  return {
    code: 'E_SHARED_VARIABLE',
    at: definition.at,
    found: `service '${definition.name}' whose token and device ID stand in each other's place`,
    wanted: 'two variables, or two keys of one map',
  };
}

function userKey({ definition }: LocatedService): Key[] {
  return [{ key: `${definition.name} ${definition.userId}`, unless: definition.host.name }];
}

function fileKey({ definition, target }: LocatedService): Key[] {
  return [{ key: target.real, unless: definition.host.name }];
}
