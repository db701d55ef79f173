// The stage between variables and plan: every bot and bridge of every host, checked and complete.
import { collectHost, type RawHost, type RawService } from './definitions/collect.ts';
import { completeService } from './definitions/complete.ts';
import { readHostSettings, type HostSettings } from './definitions/host-settings.ts';
import type {
  Decrypt,
  Definitions,
  ServiceDefinition,
  UnknownService,
  UnwantedService,
} from './definitions/types.ts';
import { ClosedVaultError, type ValueReader } from './definitions/values.ts';
import { settleAll } from './errors.ts';
import type { HostView } from './inventory.ts';

/**
 * Gives the definitions of all hosts. Throws InputError with the faults of all of them.
 * Without `decrypt`, services that only a vault could tell about are `unknown`.
 */
export async function readDefinitions(
  hosts: readonly HostView[],
  decrypt: Decrypt | null,
): Promise<Definitions> {
  const parts = await settleAll(hosts.map((host) => readHost({ host, decrypt })));
  return {
    services: parts.flatMap((part) => part.services),
    unwanted: parts.flatMap((part) => part.unwanted),
    unknown: parts.flatMap((part) => part.unknown),
    notes: [...new Set(parts.flatMap((part) => part.notes))],
  };
}

async function readHost(reader: ValueReader): Promise<Definitions> {
  const raw = await collectHost(reader);
  const settings = await readHostSettings(raw, reader);
  const results = await settleAll(
    raw.services.map((service) => readService(service, settings, reader)),
  );
  return {
    services: results.filter((result) => 'userId' in result),
    unwanted: results.filter((result) => isUnwanted(result)),
    unknown: [...results.filter((result) => isUnknown(result)), ...closedServices(raw, reader)],
    notes: raw.notes,
  };
}

type Result = ServiceDefinition | UnwantedService | (UnknownService & { readonly closed: true });

async function readService(
  raw: RawService,
  settings: HostSettings,
  reader: ValueReader,
): Promise<Result> {
  try {
    return await completeService(raw, settings, reader);
  } catch (error) {
    if (!(error instanceof ClosedVaultError)) throw error;
    return { host: reader.host, name: raw.name, at: error.at, reason: error.message, closed: true };
  }
}

function isUnwanted(result: Result): result is UnwantedService {
  return !('userId' in result) && !('closed' in result);
}

function isUnknown(result: Result): result is UnknownService & { closed: true } {
  return 'closed' in result;
}

function closedServices(raw: RawHost, reader: ValueReader): UnknownService[] {
  return raw.closed.map((closed) => ({ host: reader.host, ...closed }));
}
