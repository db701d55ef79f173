// What a service can log in with: the secrets that its definition, its host or the playbook has for
// the ways to log in that come into question.
import { byReach } from '../matrix/login/choose.ts';
import type { LoginMethod } from '../matrix/login/method.ts';
import { LOGIN_METHODS, loginMethod } from '../matrix/login/registry.ts';
import type { MapNode } from '../yaml/node.ts';
import { getEntry } from '../yaml/node.ts';
import type { HostSettings } from './host-settings.ts';
import { secretSource } from './secret-source.ts';
import type { SecretSource, ServiceDefinition } from './types.ts';
import { textOf, type ValueReader } from './values.ts';

export interface LoginQuestion {
  readonly service: string;
  /** The definition, with the defaults of its host. */
  readonly map: MapNode;
  /** From the definition or the catalog. */
  readonly password: SecretSource | null;
  readonly settings: HostSettings;
  /** True for a user of the homeserver that the settings of the host are about. */
  readonly isOfHost: boolean;
  readonly reader: ValueReader;
}

type Logins = Pick<ServiceDefinition, 'logins' | 'secrets' | 'lack'>;

/** Gives the ways to log in that a definition has secrets for, or what it lacks. */
export function findLogins(question: LoginQuestion): Logins {
  const wanted = textOf(question.map, 'login') ?? 'auto';
  const methods = wanted === 'auto' ? byReach(LOGIN_METHODS) : [loginMethod(wanted)];
  const secrets = new Map<string, SecretSource>();
  for (const method of methods) {
    // A secret that opens every account is not even read where nobody asked for it.
    const isLastResort = wanted === 'auto' && secrets.size > 0;
    const source = findSecret(method, question, { isLastResort });
    if (source !== null) secrets.set(method.name, source);
  }
  const logins = methods.filter(({ name }) => secrets.has(name)).map(({ name }) => name);
  if (logins.length > 0) return { logins, secrets, lack: null };
  const lacks = methods.map((one) => one.validate({ service: question.service, hasSecret: false }));
  const known = lacks.flatMap((lack) => (lack === null ? [] : [lack]));
  return {
    logins,
    secrets,
    lack: {
      login: wanted,
      wanted: known.map((lack) => lack.wanted).join('; or '),
      fix: known[0]?.fix ?? '',
      closed: closedPlaces(methods, question.reader),
    },
  };
}

function findSecret(
  { secret, name }: LoginMethod,
  { map, password, settings, isOfHost, reader }: LoginQuestion,
  { isLastResort }: { readonly isLastResort: boolean },
): SecretSource | null {
  if (name === 'password') return password;
  if (secret.of === 'service') {
    const entry = getEntry(map, secret.key);
    return entry === undefined ? null : secretSource(entry.value, entry.at, reader);
  }
  const found = isOfHost ? settings.secrets.get(secret.variable) : undefined;
  if (found === undefined || (isLastResort && !found.isGiven)) return null;
  return found.source;
}

/** Files that were left closed and may hold a secret of the host. */
function closedPlaces(methods: readonly LoginMethod[], { host, decrypt }: ValueReader): string[] {
  if (decrypt !== null) return [];
  const closed = methods.flatMap(({ secret }) => {
    if (secret.of !== 'host') return [];
    const { found, closed } = host.lookup(secret.variable);
    return found === null ? closed : [];
  });
  return [...new Set(closed)];
}
