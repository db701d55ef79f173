// What a host says for all of its services: its homeserver and the defaults.
import { isAbsolute, resolve } from 'node:path';
import { InputError, type Fault, type Position } from '../errors.ts';
import { BASE_URL_PROBLEMS, parseBaseUrl } from '../matrix/base-url.ts';
import type { MapNode, YamlNode } from '../yaml/node.ts';
import { getEntry } from '../yaml/node.ts';
import type { RawHost } from './collect.ts';
import { playbookSecret, readPlain, readPlaybook } from './playbook.ts';
import { HOST_SECRETS } from './secret-places.ts';
import { secretSource } from './secret-source.ts';
import type { HomeserverSettings, PlaybookFacts, Registration, SecretSource } from './types.ts';
import { ClosedVaultError, readValue, textOf, type ValueReader } from './values.ts';

const DEFAULT_MAX_WAIT_S = 600;

export interface HostSettings {
  /** Null where nothing names it; an error only if a service needs it. */
  readonly serverName: string | null;
  readonly serverNameAt: Position | null;
  readonly url: string | null;
  readonly urlAt: Position | null;
  /** What is wrong with the URL, which counts only for a service that uses it. */
  readonly urlFault: Fault | null;
  readonly allowHttp: boolean;
  readonly caFile: string | null;
  readonly caFileAt: Position | undefined;
  readonly maxWait: number;
  /** Absolute, with its place. */
  readonly vaultDir: { readonly path: string; readonly at: Position } | null;
  readonly defaults: MapNode | null;
  /** Secrets of the homeserver, by the variable that holds them. */
  readonly secrets: ReadonlyMap<string, HostSecret>;
  readonly register: CheckedRegistration | null;
  readonly playbook: PlaybookFacts;
  /** Where a closed vault may hold the server name that nothing else names. */
  readonly hiddenName: string | null;
  /** Why the variable that should name it could not be read. */
  readonly nameFaults: readonly Fault[];
  /** What only a closed vault could tell; then nothing is known of the host's services. */
  readonly closed: ClosedVaultError | null;
}

/** With what is wrong with its URL, which counts only for a service that may need it. */
type CheckedRegistration = Registration & { readonly fault: Fault | null };

/** A secret of the homeserver, and whether the operator gave it for us. */
export interface HostSecret {
  readonly source: SecretSource;
  /** False: the playbook has it for itself. */
  readonly isGiven: boolean;
}

/** Gives the settings of a host. Throws InputError or ClosedVaultError. */
export async function readHostSettings(raw: RawHost, reader: ValueReader): Promise<HostSettings> {
  const value = (name: string): YamlNode | undefined => raw.settings.get(name)?.value;
  const named = value('matrix_tokens_server_name') ?? (await readPlain('matrix_domain', reader));
  const serverName = textOrNull(named ?? undefined);
  const caFile = plain(value('matrix_tokens_ca_file'));
  const defaults = value('matrix_tokens_defaults');
  const [hidden] = raw.closedSettings;
  const urlNode = value('matrix_tokens_homeserver_url') ?? (await playbookUrl(reader));
  const url = textOrNull(urlNode ?? undefined);
  const allowHttp = plain(value('matrix_tokens_allow_http')) === true;
  return {
    serverName,
    serverNameAt: named?.at ?? null,
    url,
    urlAt: urlNode?.at ?? null,
    urlFault: url === null ? null : checkUrl(url, urlNode?.at, allowHttp),
    allowHttp,
    caFileAt: value('matrix_tokens_ca_file')?.at,
    caFile: typeof caFile === 'string' ? fromFolder(caFile, reader.host.inventoryFolder) : null,
    maxWait: Number(plain(value('matrix_tokens_max_wait')) ?? DEFAULT_MAX_WAIT_S),
    vaultDir: readVaultDir(value('matrix_tokens_vault_dir'), reader),
    defaults: defaults?.kind === 'map' ? defaults : null,
    secrets: await findSecrets(raw, reader),
    register: findRegistration(raw, reader),
    playbook: await readPlaybook(reader),
    closed:
      hidden === undefined ? null : new ClosedVaultError(`${hidden.name} is vaulted`, hidden.at),
    ...(serverName === null ? await whyUnnamed(reader) : { hiddenName: null, nameFaults: [] }),
  };
}

function readVaultDir(node: YamlNode | undefined, { host }: ValueReader): HostSettings['vaultDir'] {
  const path = textOrNull(node);
  return node === undefined || path === null
    ? null
    : { path: fromFolder(path, host.inventoryFolder), at: node.at };
}

/** Why nothing is known of a server name, where something may name it. */
interface Unnamed {
  readonly hiddenName: string | null;
  readonly nameFaults: readonly Fault[];
}

async function whyUnnamed(reader: ValueReader): Promise<Unnamed> {
  const { found } = reader.host.lookup('matrix_domain');
  try {
    if (found !== null) await readValue(found.entry.value, reader);
  } catch (error) {
    if (error instanceof InputError) return { hiddenName: null, nameFaults: error.faults };
    if (!(error instanceof ClosedVaultError)) throw error;
    return { hiddenName: 'matrix_domain is vaulted', nameFaults: [] };
  }
  const { closed } = reader.host.lookup('matrix_tokens_server_name');
  const isOpen = reader.decrypt !== null || closed.length === 0;
  const hiddenName = isOpen ? null : `the server name may stand in ${closed.join(', ')}`;
  return { hiddenName, nameFaults: [] };
}

/** matrix-docker-ansible-deploy serves the API there; its well-known often does not exist. */
async function playbookUrl(reader: ValueReader): Promise<YamlNode | null> {
  const node = await readPlain('matrix_server_fqn_matrix', reader);
  const name = textOrNull(node ?? undefined);
  if (node === null || name === null) return null;
  const tls = await readPlain('matrix_playbook_ssl_enabled', reader);
  const scheme = plain(tls ?? undefined) === false ? 'http' : 'https';
  return { kind: 'scalar', at: node.at, value: `${scheme}://${name}` };
}

async function findSecrets(
  raw: RawHost,
  reader: ValueReader,
): Promise<ReadonlyMap<string, HostSecret>> {
  const secrets = new Map<string, HostSecret>();
  for (const variable of HOST_SECRETS.keys()) {
    const own = ownSecret(variable, raw, reader);
    const source = own ?? (await playbookSecret(variable, reader));
    if (source !== null) secrets.set(variable, { source, isGiven: own !== null });
  }
  return secrets;
}

function ownSecret(variable: string, raw: RawHost, reader: ValueReader): SecretSource | null {
  const map = raw.settings.get(variable)?.value;
  const key = HOST_SECRETS.get(variable);
  const entry = map?.kind === 'map' && key !== undefined ? getEntry(map, key) : undefined;
  return entry === undefined ? null : secretSource(entry.value, entry.at, reader);
}

/** Nobody is created by mistake: here nothing counts but what the operator wrote for us. */
function findRegistration(raw: RawHost, reader: ValueReader): CheckedRegistration | null {
  const secret = ownSecret('matrix_tokens_register', raw, reader);
  const map = raw.settings.get('matrix_tokens_register')?.value;
  if (secret === null || map?.kind !== 'map') return null;
  const url = textOf(map, 'url');
  const at = getEntry(map, 'url')?.value.at;
  const allowHttp = plain(raw.settings.get('matrix_tokens_allow_http')?.value) === true;
  const fault = url === null ? null : checkUrl(url, at ?? map.at, allowHttp);
  return { secret, url: url === null ? null : url.replace(/\/+$/, ''), fault };
}

export interface HomeserverQuestion {
  readonly settings: HostSettings;
  /** The server name in a full user ID, or null. */
  readonly serverOfUser: string | null;
  /** The service's own `homeserver`, or null. */
  readonly own: { readonly text: string; readonly at: Position } | null;
  readonly at: Position;
  readonly service: string;
}

/** Gives the homeserver of one service. Throws InputError where nothing names it. */
export function chooseHomeserver(question: HomeserverQuestion): HomeserverSettings {
  const { settings, serverOfUser, own } = question;
  const ownUrl = own?.text.includes('://') === true ? own.text : null;
  const ownName = own !== null && ownUrl === null ? own.text : null;
  const serverName = serverOfUser ?? ownName ?? settings.serverName;
  if (serverName === null && settings.hiddenName !== null) {
    throw new ClosedVaultError(settings.hiddenName, question.at);
  }
  if (serverName === null) {
    const { nameFaults } = settings;
    throw new InputError(nameFaults.length > 0 ? nameFaults : noServerName(question));
  }
  const isHosts = ownName === null && serverName === settings.serverName;
  const url = ownUrl ?? (isHosts ? settings.url : null);
  const fault = ownUrl === null ? settings.urlFault : checkUrl(ownUrl, own?.at, settings.allowHttp);
  if (url !== null && fault !== null) throw new InputError(fault);
  // The secret is that of the host's homeserver: no other server is to see anything made of it.
  const register = serverName === settings.serverName ? settings.register : null;
  if (register !== null && register.fault !== null) throw new InputError(register.fault);
  return {
    serverName,
    url,
    allowHttp: settings.allowHttp,
    caFile: settings.caFile,
    caFileAt: settings.caFileAt,
    maxWait: settings.maxWait,
    register,
  };
}

/** A password goes there: what is wrong with the address is told before anybody is contacted. */
function checkUrl(url: string, at: Position | undefined, allowHttp: boolean): Fault | null {
  const parsed = parseBaseUrl(url, { allowHttp });
  if (parsed.kind === 'base_url') return null;
  return {
    code: 'E_USER_ID',
    at,
    found: `the URL of a homeserver, which ${BASE_URL_PROBLEMS[parsed.problem]}`,
    wanted: 'https://<host>, with a port or path if need be',
    fix:
      parsed.problem === 'insecure'
        ? 'use https, or set matrix_tokens_allow_http: true'
        : undefined,
  };
}

function noServerName({ at, service }: HomeserverQuestion): Fault {
  return {
    code: 'E_REQUIRED',
    at,
    found: `service '${service}' on a host whose homeserver is not named`,
    wanted: 'matrix_tokens_server_name (or matrix_domain), or a full user ID in `user`',
    fix: 'add `matrix_tokens_server_name: example.com` to the vars of the host',
  };
}

function fromFolder(path: string, folder: string): string {
  return isAbsolute(path) ? path : resolve(folder, path);
}

function plain(node: YamlNode | undefined): unknown {
  return node?.kind === 'scalar' ? node.value : undefined;
}

function textOrNull(node: YamlNode | undefined): string | null {
  const value = plain(node);
  return typeof value === 'string' && value !== '' ? value : null;
}
