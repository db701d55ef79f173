// What a run would do, decided without touching anything: no I/O, no clock, no randomness.
import { findConflicts, variableConflicts } from './plan/conflicts.ts';
import { findOverride } from './plan/override.ts';
import { describeMissing, findPresence } from './plan/presence.ts';
import type { Action, LocatedService, Presence } from './plan/types.ts';
import type { TargetVariables } from './definitions/types.ts';
import { InputError, type Fault } from './errors.ts';

/** Gives an action for each service. Throws InputError with every fault of all of them. */
export function planServices(services: readonly LocatedService[]): readonly Action[] {
  const faults: Fault[] = findConflicts(services);
  const actions: Action[] = [];
  for (const service of services) {
    try {
      actions.push(planService(service));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      faults.push(...error.faults);
    }
  }
  // References can lead two values to one variable.
  const logins = actions.filter((action) => action.kind === 'login');
  if (faults.length === 0) faults.push(...variableConflicts(logins));
  if (faults.length > 0) throw new InputError(faults);
  return actions;
}

function planService(service: LocatedService): Action {
  const { variables } = service.definition;
  const token = findPresence(service, variables.accessToken);
  const device = variables.deviceId === null ? null : findPresence(service, variables.deviceId);
  if (token.kind === 'unknown' || device?.kind === 'unknown') {
    return { ...service, kind: 'unknown', reason: describeUnknown(token, device) };
  }
  if (token.kind === 'present') {
    if (device !== null && device.kind !== 'present') throw new InputError(deviceMissing(service));
    const unseen = [token, device].flatMap((one) => unseenName(one, service));
    return { ...service, kind: 'present', accessToken: token.node, holder: token.layer, unseen };
  }
  const write: TargetVariables = {
    accessToken: token.write,
    deviceId: device === null ? null : deviceToWrite(service, device),
  };
  const lack = findLack(service);
  if (lack !== null) return lack;
  checkRegistration(service);
  checkWrite(service, write);
  return {
    ...service,
    kind: 'login',
    reason: describeMissing(token, variables.accessToken),
    write,
    pinned: device?.kind === 'present' ? device.node : null,
  };
}

/** One that is there is asked for. A file of ours gets it, too; one that is kept by hand needs not. */
function deviceToWrite(
  { definition, target }: LocatedService,
  device: Exclude<Presence, { kind: 'unknown' }>,
): TargetVariables['deviceId'] {
  if (device.kind !== 'present') return device.write;
  return target.isDefault ? definition.variables.deviceId : null;
}

function unseenName(presence: Presence | null, { target }: LocatedService): string[] {
  if (presence?.kind !== 'present') return [];
  const { layer, name } = presence;
  return layer?.unseen === true && layer.path === target.file ? [name] : [];
}

function describeUnknown(token: Presence, device: Presence | null): string {
  const closed = [token, device].flatMap((one) => (one?.kind === 'unknown' ? one.closed : []));
  return `it may stand in ${[...new Set(closed)].join(', ')}`;
}

/** Gives null for a service that can log in. Throws InputError for one that cannot. */
function findLack(service: LocatedService): Action | null {
  const { lack, name, at } = service.definition;
  if (lack === null) return null;
  const { login, closed, wanted, fix } = lack;
  if (closed.length > 0) {
    const reason = `what it logs in with may stand in ${closed.join(', ')}`;
    return { ...service, kind: 'unknown', reason };
  }
  const isPassword = login === 'auto' || login === 'password';
  throw new InputError({
    code: isPassword ? 'E_NO_PASSWORD' : 'E_REQUIRED',
    at,
    found: isPassword
      ? `service '${name}' wants a token and has no password to log in with`
      : `service '${name}' wants a token, and there is nothing for its \`login: ${login}\``,
    wanted,
    fix,
  });
}

/** Nobody becomes a server administrator without somebody saying so. */
function checkRegistration({ definition }: LocatedService): void {
  if (definition.registerAs !== null || definition.homeserver.register === null) return;
  throw new InputError({
    code: 'E_REQUIRED',
    at: definition.at,
    found: `service '${definition.name}', whose user has to be a server administrator, and may have to be created`,
    wanted: '`register_as`',
    fix: 'say `register_as: admin` if it may be created as a server administrator, or `register_as: bot` if not',
  });
}

function checkWrite(service: LocatedService, write: TargetVariables): void {
  if (service.target.harm !== null) throw new InputError(service.target.harm);
  const faults = [write.accessToken, write.deviceId].flatMap((path) => {
    const fault = path === null ? null : findOverride(service, path);
    return fault === null ? [] : [fault];
  });
  const [first] = faults;
  if (first !== undefined) throw new InputError(faults);
}

function deviceMissing({ definition }: LocatedService): Fault {
  const { accessToken, deviceId } = definition.variables;
  return {
    code: 'E_DEVICE_MISSING',
    at: definition.at,
    found: `${accessToken.join(' → ')} has a value, but ${(deviceId ?? []).join(' → ')} has none`,
    wanted: 'both values of one login',
    fix: 'write the device ID of that token there, or remove the token so that both are made anew',
  };
}
