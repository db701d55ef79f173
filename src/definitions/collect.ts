// From a host's variables to one checked map a service: which variables are ours, what stands in
// them once references are followed, and every fault against the schema.
import type { Fault, Position } from '../errors.ts';
import { formatPosition, InputError } from '../errors.ts';
import type { HostView } from '../inventory.ts';
import type { MapEntry, MapNode, YamlNode } from '../yaml/node.ts';
import { describeType, getEntry, scalarText } from '../yaml/node.ts';
import { faultsOf } from './faults.ts';
import { knownKeys } from './known-keys.ts';
import { ROLE_VARIABLES } from './schema.ts';
import { HOST_SECRETS, SERVICE_SECRETS } from './secret-places.ts';
import { readSecretSetting, readSecretShape } from './secret-shape.ts';
import { strayNames } from './stray-names.ts';
import { validateVars, type SchemaError } from './validator.ts';
import {
  ClosedVaultError,
  isLiteral,
  readTree,
  readValue,
  toPlain,
  type ValueReader,
} from './values.ts';

const PREFIX = 'matrix_tokens_';
/** Names that begin so are ours, or nearly ours by mistake. */
const NEAR_PREFIX = 'matrix_token';
const SERVICES = 'matrix_tokens_services';

/** One service as vars have it, references followed, but for its password. */
export interface RawService {
  readonly name: string;
  readonly at: Position;
  readonly map: MapNode;
}

interface Closed {
  readonly name: string;
  readonly at: Position;
  readonly reason: string;
}

/** What a host's variables say, before the catalog is asked. */
export interface RawHost {
  readonly host: HostView;
  readonly services: readonly RawService[];
  /** The settings matrix_tokens_* but for services, by name. */
  readonly settings: ReadonlyMap<string, MapEntry>;
  /** Services that only a closed vault could tell about. */
  readonly closed: readonly Closed[];
  /** Settings that only a closed vault could tell. */
  readonly closedSettings: readonly Closed[];
  readonly notes: readonly string[];
  /** What is wrong with services; those are not among `services`. */
  readonly faults: readonly Fault[];
  /** What is wrong with settings. */
  readonly settingFaults: readonly Fault[];
}

/** Gives what the variables of a host say, and what is wrong with them. */
export async function collectHost(reader: ValueReader): Promise<RawHost> {
  const { host } = reader;
  const nearNames = host.names(NEAR_PREFIX);
  const names = [...nearNames].filter(isOurs).toSorted();
  const collected: Collected = {
    services: [],
    settings: new Map(),
    closed: [],
    closedSettings: [],
    faults: [],
    settingFaults: [],
    roots: [],
  };
  for (const name of names) {
    const found = host.lookup(name).found;
    if (found === null) continue;
    if (isServices(name)) await readServices(found.entry, name, reader, collected);
    else await readSetting(found.entry, name, reader, collected);
  }
  checkSchema(collected);
  collected.settingFaults.push(...strayNames(host, nearNames));
  return {
    host,
    services: collected.services,
    settings: collected.settings,
    closed: collected.closed,
    closedSettings: collected.closedSettings,
    faults: collected.faults,
    settingFaults: collected.settingFaults,
    notes: names.filter(isServices).flatMap((name) => hiddenNotes(name, host)),
  };
}

/** What is gathered while a host's variables are read. */
interface Collected {
  services: RawService[];
  readonly settings: Map<string, MapEntry>;
  readonly closed: Closed[];
  readonly closedSettings: Closed[];
  readonly faults: Fault[];
  readonly settingFaults: Fault[];
  /** Our variables as they were read, for the schema. */
  readonly roots: MapEntry[];
}

function isOurs(name: string): boolean {
  return name.startsWith(PREFIX) && !ROLE_VARIABLES.includes(name);
}

function isServices(name: string): boolean {
  return name === SERVICES || name.startsWith(`${SERVICES}_`);
}

async function readSetting(
  entry: MapEntry,
  name: string,
  reader: ValueReader,
  into: Collected,
): Promise<void> {
  const aside = { ...into, faults: into.settingFaults, closed: into.closedSettings };
  const secretKey = HOST_SECRETS.get(name);
  const read = (): Promise<YamlNode> =>
    secretKey === undefined
      ? readTree(entry.value, reader)
      : readSecretSetting(entry.value, secretKey, reader);
  const value = await attempt(read, name, entry.at, aside);
  if (value === null) return;
  into.roots.push({ ...entry, value });
  into.settings.set(name, { ...entry, value });
}

async function readServices(
  entry: MapEntry,
  name: string,
  reader: ValueReader,
  into: Collected,
): Promise<void> {
  const value = await attempt(() => readValue(entry.value, reader), name, entry.at, into);
  if (value === null) return;
  if (value.kind !== 'map') {
    into.roots.push({ ...entry, value });
    return;
  }
  const entries: MapEntry[] = [];
  for (const service of value.entries) {
    if (typeof service.key !== 'string') {
      into.faults.push(unquotedName(service));
      continue;
    }
    const map = await readService(service, reader, into);
    if (map !== null) entries.push({ ...service, value: map });
    if (map?.kind === 'map') addService(service.key, service.at, map, into);
  }
  into.roots.push({ ...entry, value: { ...value, entries } });
}

function addService(name: string, at: Position, map: MapNode, into: Collected): void {
  const earlier = into.services.find((service) => service.name === name);
  if (earlier === undefined) {
    into.services.push({ name, at, map });
    return;
  }
  into.faults.push({
    code: 'E_DUPLICATE_SERVICE',
    at,
    found: `service '${name}' for a second time (the first: ${formatPosition(earlier.at)})`,
    wanted: 'each service of a host in one variable only',
    fix: 'remove one of them, or give it another name',
  });
}

/** YAML takes words like `off` and `yes` for booleans, and digits for a number. */
function unquotedName({ key, at }: MapEntry): Fault {
  return {
    code: 'E_VALUE',
    at,
    found: `${describeType({ kind: 'scalar', at, value: key })} as the name of a service`,
    wanted: 'a name of lower-case letters, digits and _',
    fix: 'put it into quotes: in YAML, words like off, yes and 10 are no strings',
  };
}

/** Reads one definition; its secrets stay as they stand, since they may not be needed. */
async function readService(
  service: MapEntry,
  reader: ValueReader,
  into: Collected,
): Promise<YamlNode | null> {
  const name = scalarText(service.key);
  const value = await attempt(() => readValue(service.value, reader), name, service.at, into);
  if (value === null) return null;
  if (value.kind === 'scalar' && value.value === null) {
    return { kind: 'map', at: service.at, entries: [] };
  }
  if (value.kind !== 'map') return value;
  if (await isSwitchedOff(value, reader)) return onlyEnabled(value);
  return attempt(() => readKeys(value, reader), name, service.at, into);
}

/** A service that is switched off may refer to what does not exist: nobody needs it. */
async function isSwitchedOff(map: MapNode, reader: ValueReader): Promise<boolean> {
  const entry = getEntry(map, 'enabled');
  if (entry === undefined) return false;
  try {
    const value = await readValue(entry.value, reader);
    return value.kind === 'scalar' && value.value === false;
  } catch {
    // The same fault comes up again, with its place, when all keys are read.
    return false;
  }
}

function onlyEnabled(map: MapNode): MapNode {
  const off: YamlNode = { kind: 'scalar', at: map.at, value: false };
  const entries = map.entries.flatMap((entry) => {
    if (entry.key === 'enabled') return [{ ...entry, value: off }];
    return isUnread(entry.value) ? [] : [entry];
  });
  return { ...map, entries };
}

function isUnread(node: YamlNode): boolean {
  if (node.kind !== 'scalar') return false;
  return node.tag === 'vault' || (typeof node.value === 'string' && node.value.includes('{{'));
}

/** Gives the map itself where reading changes nothing: hosts of one group share its definitions. */
async function readKeys(map: MapNode, reader: ValueReader): Promise<MapNode> {
  const entries: MapEntry[] = [];
  for (const entry of map.entries) {
    const value = await readKey(entry, reader);
    entries.push(value === entry.value ? entry : { ...entry, value });
  }
  return entries.every((entry, index) => entry === map.entries[index]) ? map : { ...map, entries };
}

function readKey({ key, value }: MapEntry, reader: ValueReader): YamlNode | Promise<YamlNode> {
  if (typeof key === 'string' && SERVICE_SECRETS.has(key)) return readSecretShape(value, reader);
  return isLiteral(value) ? value : readTree(value, reader);
}

/** Gives what the work gives, or null after noting why it could not be done. */
async function attempt<T>(
  work: () => Promise<T>,
  name: string,
  at: Position,
  into: Collected,
): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof InputError) into.faults.push(...error.faults);
    else if (error instanceof ClosedVaultError)
      into.closed.push({ name, at, reason: error.message });
    else throw error;
    return null;
  }
}

function checkSchema(collected: Collected): void {
  const first = collected.roots[0];
  if (first === undefined) return;
  const root: MapNode = { kind: 'map', at: first.at, entries: collected.roots };
  if (validateVars(toPlain(root))) return;
  const errors = validateVars.errors ?? [];
  const wrong = new Set(errors.map(serviceOf));
  collected.services = collected.services.filter(({ name }) => !wrong.has(name));
  for (const error of errors) {
    const list = isServices(variableOf(error)) ? collected.faults : collected.settingFaults;
    list.push(...faultsOf([error], root, knownKeys));
  }
}

function variableOf({ instancePath }: SchemaError): string {
  return instancePath.split('/')[1] ?? '';
}

function serviceOf({ instancePath, propertyName }: SchemaError): string | undefined {
  return propertyName ?? instancePath.split('/')[2];
}

/**
 * Maps of one variable replace each other, as everywhere in Ansible (unless it merges them): said
 * where it happens.
 */
function hiddenNotes(name: string, host: HostView): string[] {
  const holders = host.layers.filter((layer) => layer.vars?.has(name) === true);
  const wins = holders.at(-1)?.vars?.get(name);
  if (wins === undefined || wins.value !== host.lookup(name).found?.entry.value) return [];
  return holders.slice(0, -1).flatMap((layer) => {
    const entry = layer.vars?.get(name);
    if (entry === undefined) return [];
    return [
      `${host.name}: ${name} at ${formatPosition(wins.at)} hides the one at ${formatPosition(entry.at)}` +
        `; give one of them a name of its own, such as ${SERVICES}_more`,
    ];
  });
}
