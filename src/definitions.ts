// The stage between variables and plan: every bot and bridge of every host, checked and complete.
import { join } from 'node:path';
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
import type { Renderer } from './ansible/render.ts';
import { ClosedVaultError, type ValueReader } from './definitions/values.ts';
import { InputError, settleAll, type Fault } from './errors.ts';
import type { HostView } from './inventory.ts';

/**
 * Gives the definitions of all hosts. Throws InputError with the faults of all of them.
 * Without `decrypt`, services that only a vault could tell about are `unknown`. What only Ansible can
 * render is noted, rendered for all hosts at once, and read again.
 */
export async function readDefinitions(
  hosts: readonly HostView[],
  decrypt: Decrypt | null,
  renderer?: Renderer,
): Promise<Definitions> {
  for (;;) {
    try {
      const definitions = await readHosts(hosts, decrypt, renderer);
      if ((await renderer?.renderNoted()) !== true) return definitions;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if ((await renderer?.renderNoted()) !== true) throw error;
    }
  }
}

async function readHosts(
  hosts: readonly HostView[],
  decrypt: Decrypt | null,
  renderer: Renderer | undefined,
): Promise<Definitions> {
  const more = renderer === undefined ? {} : { renderer };
  const parts = await settleAll(hosts.map((host) => readHost({ host, decrypt, ...more })));
  return {
    services: parts.flatMap((part) => part.services),
    unwanted: parts.flatMap((part) => part.unwanted),
    unknown: parts.flatMap((part) => part.unknown),
    folders: [...new Set(parts.flatMap((part) => part.folders))],
    notes: [...new Set(parts.flatMap((part) => part.notes))],
  };
}

async function readHost(reader: ValueReader): Promise<Definitions> {
  const raw = await collectHost(reader);
  // Where there is no service, nothing is worth a call of Ansible.
  const { host, decrypt } = reader;
  const isIdle = raw.services.length === 0;
  const settings = await readHostSettings(raw, isIdle ? { host, decrypt } : reader);
  const faults = [...raw.settingFaults, ...raw.faults];
  const results: Result[] = [];
  for (const service of raw.services) {
    try {
      results.push(await readService(service, settings, reader));
    } catch (error) {
      faults.push(...faultsIn(error, raw));
    }
  }
  if (faults.length > 0) throw new InputError(faults);
  return {
    services: results.filter((result) => 'userId' in result),
    unwanted: results.filter((result) => isUnwanted(result)),
    unknown: [...results.filter((result) => isUnknown(result)), ...closedServices(raw, reader)],
    folders: settings.vaultDir === null ? [] : [join(settings.vaultDir.path, host.name)],
    notes: raw.notes,
  };
}

/** What a service lacks may be just what a faulty setting was to say. */
function faultsIn(error: unknown, { settingFaults }: RawHost): readonly Fault[] {
  if (!(error instanceof InputError)) throw error;
  return error.faults.filter(({ code }) => code !== 'E_REQUIRED' || settingFaults.length === 0);
}

type Result = ServiceDefinition | UnwantedService | (UnknownService & { readonly closed: true });

async function readService(
  raw: RawService,
  settings: HostSettings,
  reader: ValueReader,
): Promise<Result> {
  try {
    if (settings.closed !== null) throw settings.closed;
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
