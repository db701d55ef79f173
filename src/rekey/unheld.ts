// Services of which no file holds a vaulted value that could be encrypted again, and why.
import type { UnwantedService, VariablePath } from '../definitions/types.ts';
import { formatPosition } from '../errors.ts';
import { findEnd } from '../plan/presence.ts';
import type { LocatedService } from '../plan/types.ts';
import type { Outcome } from '../report/types.ts';
import { getEntry, type YamlNode } from '../yaml/node.ts';
import { emptyOutcome } from './outcomes.ts';

/** Gives an outcome for each service that `isHeld` says nothing of. */
export function unheldOutcomes(
  services: readonly LocatedService[],
  unwanted: readonly UnwantedService[],
  isHeld: (host: string, service: string) => boolean,
): Outcome[] {
  const located = services.map((service) => ({
    host: service.definition.host.name,
    name: service.definition.name,
    at: service.definition.at,
    userId: service.definition.userId,
    message: describe(service),
  }));
  const others = unwanted.map(({ host, name, at, reason }) => ({
    host: host.name,
    name,
    at,
    userId: null,
    message: reason,
  }));
  return [...located, ...others]
    .filter(({ host, name }) => !isHeld(host, name))
    .map((one) => emptyOutcome(one));
}

function describe(service: LocatedService): string {
  const path = findEnd(service, service.definition.variables.accessToken);
  const found = valueAt(service, path);
  if (found === null) return `${path.join('.')} has no value`;
  if (found.kind !== 'scalar' || found.tag !== 'vault') return `${path.join('.')} is not encrypted`;
  return `its value stands at ${formatPosition(found.at)}, which is in no vars file: encrypt it again by hand`;
}

function valueAt({ definition }: LocatedService, [name, ...keys]: VariablePath): YamlNode | null {
  let node: YamlNode | null = definition.host.lookup(name).found?.entry.value ?? null;
  for (const key of keys) node = node?.kind === 'map' ? (getEntry(node, key)?.value ?? null) : null;
  return node;
}
