// Services of a project on the embedded homeserver, and the two promises about them: every token is
// stored, and no other session is open.
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startHomeserver } from '../../scripts/homeserver/homeserver.ts';
import type { Homeserver, HomeserverOptions } from '../../scripts/homeserver/homeserver.ts';
import { deviceIds } from './homeserver.ts';
import { makeProject } from './provision-project.ts';
import type { Cleanup, Project } from './provision-project.ts';

export const HOST = 'matrix.example.com';
export const FILES = `host_vars/${HOST}/vault_matrix_tokens`;
export const STATE = `${FILES}/.matrix-tokens`;

export interface Stored {
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: string;
}

export interface Services {
  readonly project: Project;
  readonly homeserver: Homeserver;
  readonly names: readonly string[];
}

export interface ServicesOptions extends HomeserverOptions {
  readonly names?: readonly string[];
  /** Further keys of every definition, as YAML in flow style: `device_id: FIXED`. */
  readonly keys?: readonly string[];
  /** Of all users; default: one for each. */
  readonly password?: string;
  readonly passwordOf?: (name: string) => string;
  readonly vaultPassword?: string;
  /** Users are not there yet: the host has the secret to create them. */
  readonly isMissing?: boolean;
}

export const REGISTRATION_SECRET = 'the registration secret';

/** Starts a homeserver with a user for each service, unless they are missing, and makes a project that defines them. */
export async function servicesFor(
  t: Cleanup,
  { names = ['news', 'rss'], keys = [], ...options }: ServicesOptions = {},
): Promise<Services> {
  const { password, passwordOf = (name) => password ?? `the password of ${name}` } = options;
  const users = names.map((name) => ({ localpart: name, password: passwordOf(name) }));
  const registrationSecret =
    options.isMissing === true ? { registrationSecret: REGISTRATION_SECRET } : {};
  const there = options.isMissing === true ? [] : users;
  const homeserver = await startHomeserver({ ...registrationSecret, ...options, users: there });
  t.after(() => homeserver.stop());
  const project = await makeProject(t, options.vaultPassword);
  await writeDefinitions({ project, homeserver, names }, keys, options);
  const sealed = await Promise.all(
    users.map(async (user) => {
      return `vault_${user.localpart}_password: ${await project.sealed(user.password)}\n`;
    }),
  );
  await project.write(`host_vars/${HOST}/vault.yml`, sealed.join(''));
  return { project, homeserver, names };
}

async function writeDefinitions(
  services: Services,
  keys: readonly string[],
  { isMissing }: ServicesOptions,
): Promise<void> {
  const { project, homeserver, names } = services;
  await project.write('inventory.yml', `all:\n  hosts:\n    ${HOST}:\n`);
  const definitions = names.map((name) => {
    const variables = `variables: {access_token: vault_${name}_token, device_id: vault_${name}_device}`;
    const parts = [`password: "{{ vault_${name}_password }}"`, variables, ...keys];
    return `  ${name}: {${parts.join(', ')}}\n`;
  });
  const lines = [
    `matrix_tokens_server_name: ${homeserver.serverName}\n`,
    `matrix_tokens_homeserver_url: ${homeserver.baseUrl}\n`,
    'matrix_tokens_services:\n',
    ...definitions,
    ...(isMissing === true
      ? [`matrix_tokens_register: {shared_secret: ${REGISTRATION_SECRET}}\n`]
      : []),
  ];
  await project.write(`host_vars/${HOST}/vars.yml`, lines.join(''));
}

/** Reads what a run has stored for a service in its own file. */
export async function readStored(project: Project, name: string): Promise<Stored> {
  const text = await project.read(`${FILES}/${name}.yml`);
  const [, userId = '', comment = ''] = / user_id=(\S+) device_id=(\S+)\n/.exec(text) ?? [];
  const open = async (key: string): Promise<string> => {
    const block = new RegExp(`^vault_${name}_${key}: !vault \\|\\n((?: +\\S+\\n)+)`, 'm').exec(
      text,
    );
    return project.open(block?.[1] ?? '');
  };
  const deviceId = await open('device');
  assert.equal(comment, deviceId);
  return { userId, deviceId, accessToken: await open('token') };
}

/** Fails unless every token is stored and works, and there is nothing else: no session, no file. */
export async function assertConverged({ project, homeserver, names }: Services): Promise<void> {
  for (const name of names) {
    const stored = await readStored(project, name);
    const session = homeserver.state.sessions.get(stored.accessToken);
    assert.equal(session?.user.userId, `@${name}:${homeserver.serverName}`, 'the token works');
    assert.equal(session.device.deviceId, stored.deviceId);
    assert.deepEqual(deviceIds(homeserver, name), [stored.deviceId], 'no other device');
  }
  assert.equal(homeserver.state.sessions.size, names.length, 'no other token');
  assert.deepEqual([...project.tree().keys()], expectedPaths(names));
}

function expectedPaths(names: readonly string[]): string[] {
  const folders = ['host_vars', `host_vars/${HOST}`];
  const vars = [`host_vars/${HOST}/vars.yml`, `host_vars/${HOST}/vault.yml`];
  const files = names.map((name) => `${FILES}/${name}.yml`);
  const all = [...folders, ...vars, FILES, ...files, 'inventory.yml', 'vault_pass'];
  return all.toSorted();
}

/** Makes all journal entries older, so that a run need not wait until their requests have ended. */
export async function ageJournal(project: Project, ms = 60_000): Promise<number> {
  const folder = join(project.folder, STATE);
  const names = (await readdir(folder).catch(() => [])).filter((name) =>
    name.endsWith('session.json'),
  );
  for (const name of names) {
    const entry = JSON.parse(await readFile(join(folder, name), 'utf8')) as { at: number };
    await writeFile(join(folder, name), JSON.stringify({ ...entry, at: entry.at - ms }));
  }
  return names.length;
}
