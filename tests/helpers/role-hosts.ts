// Hosts with services on one embedded homeserver, and playbooks that give them the role.
import { startHomeserver } from '../../scripts/homeserver/homeserver.ts';
import type { Homeserver, HomeserverOptions } from '../../scripts/homeserver/homeserver.ts';
import { makeProject } from './provision-project.ts';
import type { Cleanup, Project } from './provision-project.ts';
import { playbooksIn, showTask } from './role.ts';
import type { Playbooks, PlayRun } from './role.ts';

export interface RoleHosts {
  readonly project: Project;
  readonly homeserver: Homeserver;
  readonly playbooks: Playbooks;
}

export interface RoleHostsOptions extends HomeserverOptions {
  /** The services of each host; a service has a user of its name. */
  readonly hosts: Readonly<Record<string, readonly string[]>>;
  /** Further keys of every definition, as YAML in flow style. */
  readonly keys?: readonly string[];
  /** Further lines of the vars of every host. */
  readonly vars?: string;
  readonly vaultPassword?: string;
}

/** The password of a user, encrypted in vars. */
export function passwordOf(name: string): string {
  return `the-password-of-${name}`;
}

/** Makes hosts whose services have no token yet, each in a variable `vault_<service>_access_token`. */
export async function roleHosts(t: Cleanup, options: RoleHostsOptions): Promise<RoleHosts> {
  const { hosts, keys = [], vars = '', vaultPassword } = options;
  const names = Object.values(hosts).flat();
  const users = names.map((name) => ({ localpart: name, password: passwordOf(name) }));
  const homeserver = await startHomeserver({ ...options, users });
  t.after(() => homeserver.stop());
  const project = await makeProject(t, vaultPassword);
  const lines = Object.keys(hosts).map((host) => `    ${host}:\n`);
  await project.write('inventory.yml', `matrix_servers:\n  hosts:\n${lines.join('')}`);
  for (const [host, services] of Object.entries(hosts)) {
    const text = [
      `matrix_tokens_server_name: ${homeserver.serverName}\n`,
      `matrix_tokens_homeserver_url: ${homeserver.baseUrl}\n`,
      'matrix_tokens_services:\n',
      ...services.map((name) => definition(name, keys)),
      vars,
    ];
    await project.write(`host_vars/${host}/vars.yml`, text.join(''));
    const sealed = services.map(
      async (name) => `vault_${name}_password: ${await project.sealed(passwordOf(name))}\n`,
    );
    await project.write(`host_vars/${host}/vault.yml`, (await Promise.all(sealed)).join(''));
  }
  return { project, homeserver, playbooks: await playbooksIn(t, project) };
}

function definition(name: string, keys: readonly string[]): string {
  const parts = [`user: ${name}`, `password: "{{ vault_${name}_password }}"`, ...keys];
  return `  ${name}: {${parts.join(', ')}}\n`;
}

export interface PlayText {
  /** Lines of the play, before its roles. */
  readonly keywords?: readonly string[];
  /** Default: the role. */
  readonly roles?: string;
  /** Variables that are written down after the role. */
  readonly show?: readonly string[];
  /** Further tasks and handlers, as they stand in a play. */
  readonly more?: string;
}

/** Writes play.yml: a play with the role, then a task that writes down what it sees. */
export async function writePlay(
  { project, playbooks }: Pick<RoleHosts, 'project' | 'playbooks'>,
  { keywords = [], roles = '[matrix_tokens]', show = [], more = '' }: PlayText = {},
): Promise<void> {
  const task = showTask(`${playbooks.home}/shown`, show).replaceAll(/^/gm, '    ');
  const lines = [
    '- hosts: all',
    '  gather_facts: false',
    ...keywords.map((line) => `  ${line}`),
    `  roles: ${roles}`,
    ...(show.length > 0 ? ['  tasks:', task] : []),
    more,
  ];
  await project.write('play.yml', `${lines.join('\n')}\n`);
}

/** Gives the result of the role's main task on a host; the last one, if there are several. */
export function resultOf(run: PlayRun, host: string): Readonly<Record<string, unknown>> {
  const found = run.results.findLast(
    (one) => one.host === host && one.task.endsWith('Get the access tokens that are missing'),
  );
  if (found === undefined) throw new Error(`no result for ${host}\n${run.stdout}${run.stderr}`);
  return found.result;
}

/** Gives how many logins a homeserver has seen. */
export function loginsAt({ requests }: Homeserver): number {
  return requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/login')).length;
}

/** Gives the token that a user's only session has. */
export function tokenOf({ state }: Homeserver, localpart: string): string {
  const tokens = [...state.sessions].filter(([, { user }]) => user.localpart === localpart);
  const [first] = tokens;
  if (first === undefined || tokens.length > 1) {
    throw new Error(`${localpart} has ${tokens.length} sessions`);
  }
  return first[0];
}
