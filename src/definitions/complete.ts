// From one checked map to a definition: the catalog fills in what the map leaves open.
import { isAbsolute, resolve } from 'node:path';
import type { Fault, Position } from '../errors.ts';
import { InputError } from '../errors.ts';
import { makeUserId, parseServerName, parseUserId } from '../matrix/user-id.ts';
import type { MapNode, YamlNode } from '../yaml/node.ts';
import { describeType, getEntry } from '../yaml/node.ts';
import type { CatalogEntry } from './catalog.ts';
import { catalogEntry, catalogNames } from './catalog.ts';
import type { RawService } from './collect.ts';
import type { HostSettings } from './host-settings.ts';
import { chooseHomeserver } from './host-settings.ts';
import { suggest } from './suggest.ts';
import type {
  PasswordSource,
  ServiceDefinition,
  TargetVariables,
  UnwantedService,
  VariablePath,
} from './types.ts';
import { keyText, readValue, type ValueReader } from './values.ts';

/** Gives a definition, or why none is wanted. Throws InputError or ClosedVaultError. */
export async function completeService(
  raw: RawService,
  settings: HostSettings,
  reader: ValueReader,
): Promise<ServiceDefinition | UnwantedService> {
  const catalog = findCatalogEntry(raw);
  const map = withDefaults(raw.map, settings.defaults);
  const password = await findPassword(map, catalog, reader);
  const reason = await whyUnwanted(map, catalog, password, reader);
  if (reason !== null) {
    const { serverName } = settings;
    return { host: reader.host, name: raw.name, at: raw.at, serverName, reason };
  }
  checkRenamed(catalog, reader);
  const user = await findUser(raw, map, catalog, reader);
  return {
    ...identify(user, map, raw, settings),
    ...describe(raw, map, catalog, reader),
    password,
  };
}

function describe(
  raw: RawService,
  map: MapNode,
  catalog: CatalogEntry | undefined,
  reader: ValueReader,
): Omit<ServiceDefinition, 'userId' | 'localpart' | 'homeserver' | 'password'> {
  const file = getEntry(map, 'vault_file');
  return {
    host: reader.host,
    name: raw.name,
    at: raw.at,
    variables: findVariables(raw.name, map, catalog),
    deviceId: textOf(map, 'device_id'),
    displayName: textOf(map, 'device_display_name') ?? `${raw.name} (matrix-tokens)`,
    vaultFile: file === undefined ? null : { path: String(scalar(file.value)), at: file.value.at },
    vaultFormat: textOf(map, 'vault_format') === 'file' ? 'file' : 'inline',
    vaultId: textOf(map, 'vault_id'),
    installTag: catalog?.install_tag ?? null,
  };
}

/** A name near a known one, with nothing that makes it a service of its own, is a typing error. */
function findCatalogEntry(raw: RawService): CatalogEntry | undefined {
  const named = getEntry(raw.map, 'service');
  const name = named === undefined ? raw.name : String(scalar(named.value));
  const entry = catalogEntry(name);
  if (entry !== undefined) return entry;
  const near = suggest(name, catalogNames());
  if (named !== undefined) throw new InputError(unknownService(name, named.value.at, near));
  const ownKeys = ['user', 'variables', 'enabled'];
  const isOwn = ownKeys.some((key) => getEntry(raw.map, key) !== undefined);
  if (near !== undefined && !isOwn) throw new InputError(unknownService(name, raw.at, near));
  return undefined;
}

function unknownService(name: string, at: Position, near: string | undefined): Fault {
  const meant = near === undefined ? '' : `did you mean '${near}'? `;
  return {
    code: 'E_UNKNOWN_SERVICE',
    at,
    found: `a service '${name}' that the catalog does not have`,
    wanted: `one of ${catalogNames().join(', ')}`,
    fix: `${meant}A service of your own needs no catalog entry: give it 'user'`,
  };
}

function withDefaults(map: MapNode, defaults: MapNode | null): MapNode {
  if (defaults === null) return map;
  const missing = defaults.entries.filter(
    (entry) => getEntry(map, String(entry.key)) === undefined,
  );
  return { ...map, entries: [...map.entries, ...missing] };
}

async function whyUnwanted(
  map: MapNode,
  catalog: CatalogEntry | undefined,
  password: PasswordSource | null,
  reader: ValueReader,
): Promise<string | null> {
  const enabled = getEntry(map, 'enabled');
  if (enabled !== undefined) return scalar(enabled.value) === false ? 'enabled: false' : null;
  if (catalog?.enabled !== undefined) {
    const value = await readVariable(catalog.enabled, reader);
    if (isFalse(value)) return `${catalog.enabled} is false`;
  }
  const kind = textOf(map, 'kind') ?? catalog?.kind ?? 'bot';
  if (kind === 'bridge' && password === null) return 'uses its as_token';
  return conflictingMode(catalog, reader);
}

async function conflictingMode(
  catalog: CatalogEntry | undefined,
  reader: ValueReader,
): Promise<string | null> {
  for (const { variable, equals } of catalog?.unwanted_when ?? []) {
    const value = await readVariable(variable, reader, { open: equals !== undefined });
    if (value === null) continue;
    if (equals === undefined && isSet(value)) return `${variable} is set: no token is wanted`;
    if (equals !== undefined && isEqual(value, equals)) {
      return `${variable} is ${String(equals)}: no token is wanted`;
    }
  }
  return null;
}

/** Gives the value of a variable of the catalog, or null where the inventory has none. */
async function readVariable(
  name: string,
  reader: ValueReader,
  { open = true }: { open?: boolean } = {},
): Promise<YamlNode | null> {
  const entry = reader.host.lookup(name).found?.entry;
  if (entry === undefined) return null;
  if (!open && entry.value.kind === 'scalar' && entry.value.tag === 'vault') return entry.value;
  return readValue(entry.value, reader);
}

function isFalse(node: YamlNode | null): boolean {
  return node?.kind === 'scalar' && isEqual(node, false);
}

/** Ansible's playbooks compare after `| bool`, so the words count like the values. */
function isEqual(node: YamlNode, wanted: string | number | boolean): boolean {
  if (node.kind !== 'scalar') return false;
  if (typeof wanted !== 'boolean') return node.value === wanted;
  const words = wanted
    ? ['true', 'yes', 'on', '1', 'y', 't']
    : ['false', 'no', 'off', '0', 'n', 'f'];
  return words.includes(String(node.value).toLowerCase());
}

function isSet(node: YamlNode): boolean {
  return node.kind !== 'scalar' || (node.value !== null && node.value !== '');
}

function checkRenamed(catalog: CatalogEntry | undefined, reader: ValueReader): void {
  const faults = Object.entries(catalog?.renamed ?? {}).flatMap(([old, current]): Fault[] => {
    const found = reader.host.lookup(old).found;
    if (found === null) return [];
    return [
      {
        code: 'E_RENAMED',
        at: found.entry.at,
        found: `the variable '${old}', which has another name now`,
        wanted: `'${String(current)}'`,
        fix: `rename it to '${String(current)}'`,
      },
    ];
  });
  if (faults.length > 0) throw new InputError(faults);
}

async function findPassword(
  map: MapNode,
  catalog: CatalogEntry | undefined,
  reader: ValueReader,
): Promise<PasswordSource | null> {
  const own = getEntry(map, 'password');
  if (own !== undefined) return passwordSource(own.value, own.at, reader);
  for (const name of catalog?.password ?? []) {
    const entry = reader.host.lookup(name).found?.entry;
    if (entry !== undefined && isSet(entry.value)) {
      return { kind: 'value', node: entry.value, at: entry.value.at };
    }
  }
  return null;
}

function passwordSource(node: YamlNode, at: Position, reader: ValueReader): PasswordSource {
  if (node.kind !== 'map') return { kind: 'value', node, at: node.at };
  const file = textOf(node, 'file');
  if (file === null) return { kind: 'env', name: textOf(node, 'env') ?? '', at };
  return { kind: 'file', path: fromInventory(file, reader), at };
}

/** Relative paths in vars are relative to the inventory's folder. */
function fromInventory(path: string, reader: ValueReader): string {
  return isAbsolute(path) ? path : resolve(reader.host.inventoryFolder, path);
}

interface FoundUser {
  readonly text: string;
  readonly at: Position;
}

async function findUser(
  raw: RawService,
  map: MapNode,
  catalog: CatalogEntry | undefined,
  reader: ValueReader,
): Promise<FoundUser> {
  const own = getEntry(map, 'user');
  if (own !== undefined) return { text: String(scalar(own.value)), at: own.value.at };
  const variable = catalog?.user?.variable;
  const value = variable === undefined ? null : await readVariable(variable, reader);
  if (variable !== undefined && value !== null && isSet(value)) {
    if (value.kind === 'scalar' && typeof value.value === 'string') {
      return { text: value.value, at: value.at };
    }
    throw new InputError({
      code: 'E_USER_ID',
      at: value.at,
      found: `${variable} is ${describeType(value)}`,
      wanted: 'a localpart or a full user ID',
    });
  }
  return { text: catalog?.user?.default ?? raw.name, at: raw.at };
}

function identify(
  user: FoundUser,
  map: MapNode,
  raw: RawService,
  settings: HostSettings,
): Pick<ServiceDefinition, 'userId' | 'localpart' | 'homeserver'> {
  const parsed = user.text.startsWith('@') ? parseUserId(user.text) : null;
  if (user.text.startsWith('@') && parsed === null) throw new InputError(badUser(user));
  const own = getEntry(map, 'homeserver');
  const homeserver = chooseHomeserver({
    settings,
    serverOfUser: parsed?.serverName ?? null,
    own: own === undefined ? null : { text: String(scalar(own.value)), at: own.value.at },
    at: raw.at,
    service: raw.name,
  });
  if (parseServerName(homeserver.serverName) === null) {
    throw new InputError(
      badServerName(homeserver.serverName, own?.value.at ?? settings.serverNameAt ?? raw.at),
    );
  }
  const whole = parsed ?? makeUserId(user.text, homeserver.serverName);
  if (whole === null) throw new InputError(badUser(user));
  return { userId: whole.userId, localpart: whole.localpart, homeserver };
}

function badUser(user: FoundUser): Fault {
  return {
    code: 'E_USER_ID',
    at: user.at,
    found: 'a user that is neither a localpart nor a full user ID',
    wanted: 'a localpart like bot.rss, or a user ID like @bot.rss:example.com, 255 bytes at most',
  };
}

function badServerName(name: string, at: Position): Fault {
  return {
    code: 'E_USER_ID',
    at,
    found: `the server name '${name.slice(0, 60)}'`,
    wanted:
      'a host name or IP address, with a port if need be, as it stands after the colon of a user ID',
    fix: 'a URL belongs into matrix_tokens_homeserver_url',
  };
}

function findVariables(
  name: string,
  map: MapNode,
  catalog: CatalogEntry | undefined,
): TargetVariables {
  const own = getEntry(map, 'variables')?.value;
  if (own?.kind === 'map') {
    return {
      accessToken: nodePath(getEntry(own, 'access_token')?.value) ?? defaultPath(name),
      deviceId: nodePath(getEntry(own, 'device_id')?.value),
    };
  }
  return {
    accessToken: plainPath(catalog?.variables?.access_token) ?? defaultPath(name),
    deviceId: plainPath(catalog?.variables?.device_id),
  };
}

function defaultPath(name: string): VariablePath {
  return [`vault_${name}_access_token`];
}

function nodePath(node: YamlNode | undefined): VariablePath | null {
  if (node?.kind === 'scalar') return [String(node.value)];
  if (node?.kind !== 'seq') return null;
  return toPath(node.items.map((item) => (item.kind === 'scalar' ? String(item.value) : '')));
}

function plainPath(value: unknown): VariablePath | null {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? toPath(value.map(String)) : null;
}

function toPath(parts: readonly string[]): VariablePath | null {
  const [first, ...rest] = parts;
  return first === undefined ? null : [first, ...rest];
}

function textOf(map: MapNode, key: string): string | null {
  const node = getEntry(map, key)?.value;
  return node?.kind === 'scalar' && node.value !== null ? keyText(node.value) : null;
}

function scalar(node: YamlNode): unknown {
  return node.kind === 'scalar' ? node.value : null;
}
