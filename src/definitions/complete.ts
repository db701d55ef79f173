// From one checked map to a definition: the catalog fills in what the map leaves open.
import type { Fault, Position } from '../errors.ts';
import { InputError } from '../errors.ts';
import { makeUserId, parseServerName, parseUserId } from '../matrix/user-id.ts';
import type { MapNode, YamlNode } from '../yaml/node.ts';
import { describeType, getEntry, scalarText } from '../yaml/node.ts';
import type { CatalogEntry } from './catalog.ts';
import { catalogEntry, catalogNames } from './catalog.ts';
import type { RawService } from './collect.ts';
import type { HostSettings } from './host-settings.ts';
import { chooseHomeserver } from './host-settings.ts';
import { findLogins } from './logins.ts';
import { hideOpenSecret } from './secret-shape.ts';
import { secretSource } from './secret-source.ts';
import { suggest } from './suggest.ts';
import type {
  SecretSource,
  ServiceDefinition,
  TargetVariables,
  UnwantedService,
  VariablePath,
} from './types.ts';
import { isSet, readVariable, whyUnwanted } from './unwanted.ts';
import { nodeText, textOf, type ValueReader } from './values.ts';

/** Gives a definition, or why none is wanted. Throws InputError or ClosedVaultError. */
export async function completeService(
  raw: RawService,
  settings: HostSettings,
  reader: ValueReader,
): Promise<ServiceDefinition | UnwantedService> {
  const catalog = findCatalogEntry(raw);
  const map = withDefaults(raw.map, settings.defaults);
  const password = await findPassword(raw, map, catalog, reader);
  const hasLogin = getEntry(raw.map, 'login') !== undefined;
  const reason = await whyUnwanted(map, catalog, { password, hasLogin }, reader);
  if (reason !== null) {
    const { serverName } = settings;
    return { host: reader.host, name: raw.name, at: raw.at, serverName, reason };
  }
  checkRenamed(catalog, reader);
  const user = await findUser(raw, map, catalog, reader);
  const identity = identify(user, map, raw, settings);
  const isOfHost = identity.homeserver.serverName === settings.serverName;
  const file = getEntry(map, 'vault_file');
  return {
    host: reader.host,
    name: raw.name,
    at: raw.at,
    ...identity,
    ...findLogins({ service: raw.name, map, password, settings, isOfHost, reader }),
    playbook: settings.playbook,
    variables: findVariables(raw.name, map, catalog),
    deviceId: textOf(map, 'device_id'),
    displayName: textOf(map, 'device_display_name') ?? `${raw.name} (matrix-tokens)`,
    vaultDir: settings.vaultDir,
    vaultFile: file === undefined ? null : { path: nodeText(file.value), at: file.value.at },
    vaultFormat: textOf(map, 'vault_format') === 'file' ? 'file' : 'inline',
    vaultId: textOf(map, 'vault_id'),
    vaultIdAt: getEntry(map, 'vault_id')?.value.at ?? null,
    installTag: catalog?.install_tag ?? null,
    ...findRegisterAs(map, catalog),
  };
}

/** Whether somebody becomes a server administrator is written down, never guessed. */
function findRegisterAs(
  map: MapNode,
  catalog: CatalogEntry | undefined,
): Pick<ServiceDefinition, 'registerAs' | 'needsAdmin'> {
  const own = textOf(map, 'register_as');
  const needsAdmin = own === 'admin' || (own === null && catalog?.needs_admin === true);
  if (own !== null) return { registerAs: needsAdmin ? 'admin' : 'bot', needsAdmin };
  return { registerAs: needsAdmin ? null : 'bot', needsAdmin };
}

/** A name near a known one, with nothing that makes it a service of its own, is a typing error. */
function findCatalogEntry(raw: RawService): CatalogEntry | undefined {
  const named = getEntry(raw.map, 'service');
  const name = named === undefined ? raw.name : nodeText(named.value);
  const entry = catalogEntry(name);
  if (entry !== undefined) return entry;
  const ownKeys = ['user', 'variables', 'enabled'];
  const isOwn = ownKeys.some((key) => getEntry(raw.map, key) !== undefined);
  if (named === undefined && isOwn) return undefined;
  const near = suggest(name, catalogNames());
  if (named !== undefined) throw new InputError(unknownService(name, named.value.at, near));
  if (near !== undefined) throw new InputError(unknownService(name, raw.at, near));
  return undefined;
}

function unknownService(name: string, at: Position, near: string | undefined): Fault {
  return {
    code: 'E_UNKNOWN_SERVICE',
    at,
    found: `a service '${name}' that the catalog does not have`,
    wanted: near === undefined ? `one of ${catalogNames().join(', ')}` : 'a service of the catalog',
    fix:
      near === undefined
        ? "leave 'service' away for a service of your own"
        : `did you mean '${near}'? A service of your own is told by its 'user'`,
  };
}

function withDefaults(map: MapNode, defaults: MapNode | null): MapNode {
  if (defaults === null) return map;
  const missing = defaults.entries.filter(
    (entry) => getEntry(map, scalarText(entry.key)) === undefined,
  );
  return { ...map, entries: [...map.entries, ...missing] };
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
        wanted: `'${current}'`,
        fix: `rename it to '${current}'`,
      },
    ];
  });
  if (faults.length > 0) throw new InputError(faults);
}

async function findPassword(
  raw: RawService,
  map: MapNode,
  catalog: CatalogEntry | undefined,
  reader: ValueReader,
): Promise<SecretSource | null> {
  const own = getEntry(map, 'password');
  if (own !== undefined) return secretSource(own.value, own.at, reader);
  for (const name of catalog?.password ?? []) {
    const entry = reader.host.lookup(name).found?.entry;
    if (entry !== undefined && isSet(entry.value)) {
      hideOpenSecret(entry.value, reader);
      return { kind: 'value', node: entry.value, at: entry.value.at };
    }
  }
  return closedPassword(raw, catalog, reader);
}

/** A closed vault may hold the password: a reference that waits until it is open. */
function closedPassword(
  { at }: RawService,
  catalog: CatalogEntry | undefined,
  reader: ValueReader,
): SecretSource | null {
  const [name] = catalog?.password ?? [];
  if (name === undefined || reader.decrypt !== null) return null;
  if (reader.host.lookup(name).closed.length === 0) return null;
  return { kind: 'value', node: { kind: 'scalar', at, value: `{{ ${name} }}` }, at };
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
  if (own !== undefined) return { text: nodeText(own.value), at: own.value.at };
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
    own: own === undefined ? null : { text: nodeText(own.value), at: own.value.at },
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
    // What stands before an @ is a user with a password that somebody forgot to take out.
    found: name.includes('@')
      ? 'a server name with an @ in it'
      : `the server name '${name.slice(0, 60)}'`,
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
  if (node?.kind === 'scalar') return [nodeText(node)];
  if (node?.kind !== 'seq') return null;
  return toPath(node.items.map(nodeText));
}

function plainPath(value: unknown): VariablePath | null {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? toPath(value.map(String)) : null;
}

function toPath(parts: readonly string[]): VariablePath | null {
  const [first, ...rest] = parts;
  return first === undefined ? null : [first, ...rest];
}
