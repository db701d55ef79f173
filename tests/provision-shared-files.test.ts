// One file that several would write to in one run: services of several homeservers, and hosts whose
// files are the same behind symlinks.
import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { startHomeserver } from '../scripts/homeserver/homeserver.ts';
import type { Homeserver } from '../scripts/homeserver/homeserver.ts';
import { createReader } from './helpers/crash-counts.ts';
import { makeProject, outcomesOf, reportOf } from './helpers/provision-project.ts';
import type { Project } from './helpers/provision-project.ts';

const SERVERS = ['a', 'b', 'c', 'd'];

async function serversFor(t: TestContext): Promise<Homeserver[]> {
  return Promise.all(
    SERVERS.map(async (name) => {
      const users = [{ localpart: name, password: `password of ${name}` }];
      const homeserver = await startHomeserver({ serverName: `${name}.example`, users });
      t.after(() => homeserver.stop());
      return homeserver;
    }),
  );
}

function definition(name: string, { baseUrl }: Homeserver, more = ''): string {
  return `{user: "@${name}:${name}.example", homeserver: "${baseUrl}", password: "password of ${name}"${more}}`;
}

function openSessions(servers: readonly Homeserver[]): string[] {
  return servers.flatMap(({ state }) => [...state.sessions.keys()]);
}

test('services of one file on several homeservers all keep their tokens', async (t) => {
  for (let round = 0; round < 3; round++) {
    const servers = await serversFor(t);
    const project = await makeProject(t);
    await project.write('inventory.yml', 'all: {hosts: {h: }}\n');
    const lines = servers.map((server, index) => {
      const name = SERVERS[index] ?? '';
      return `  ${name}: ${definition(name, server, ', vault_file: host_vars/h/mine.yml')}\n`;
    });
    await project.write('host_vars/h/vars.yml', `matrix_tokens_services:\n${lines.join('')}`);
    await project.write('host_vars/h/mine.yml', 'mine: kept\n');
    const run = await project.run(['--json']);
    assert.equal(run.exitCode, 0, run.stdout + run.stderr);
    assert.deepEqual(new Set(Object.values(outcomesOf(run))), new Set(['changed']));
    const { values } = await createReader(project)(project.tree());
    const stored = SERVERS.map((name) => values.get(`vault_${name}_access_token`));
    assert.deepEqual(new Set(stored), new Set(openSessions(servers)));
  }
});

/** Two hosts with a service of one name each, whose users are different. */
async function twoHosts(t: TestContext): Promise<{ project: Project; servers: Homeserver[] }> {
  const servers = await serversFor(t);
  const project = await makeProject(t);
  return { project, servers };
}

async function define(
  project: Project,
  servers: readonly Homeserver[],
  more: (host: string) => string,
): Promise<void> {
  const vars = SERVERS.slice(0, 2).map((name, index) => {
    const [server] = servers.slice(index);
    assert.ok(server !== undefined);
    return `    ${name}: {matrix_tokens_services: {news: ${definition(name, server, more(name))}}}\n`;
  });
  await project.write('inventory.yml', `all:\n  hosts:\n${vars.join('')}`);
}

async function assertRefused(project: Project, servers: readonly Homeserver[]): Promise<void> {
  for (const args of [['--json', '--check'], ['--json']]) {
    const run = await project.run(args);
    assert.equal(run.exitCode, 5, run.stdout);
    assert.deepEqual(
      reportOf(run).faults.map(({ code }) => code),
      ['E_TARGET'],
    );
  }
  assert.ok(servers.every(({ requests }) => requests.length === 0));
}

test('a folder that is a link makes one file of two hosts: it is refused before any login', async (t) => {
  const { project, servers } = await twoHosts(t);
  await define(project, servers, () => '');
  await mkdir(join(project.folder, 'host_vars/a'), { recursive: true });
  await symlink('a', join(project.folder, 'host_vars/b'));
  await assertRefused(project, servers);
});

test('a vault_file that is a link to that of another host is refused before any login', async (t) => {
  const { project, servers } = await twoHosts(t);
  await define(project, servers, (host) => `, vault_file: host_vars/${host}/vault.yml`);
  await project.write('host_vars/a/vault.yml', 'x: 1\n');
  await mkdir(join(project.folder, 'host_vars/b'), { recursive: true });
  await symlink('../a/vault.yml', join(project.folder, 'host_vars/b/vault.yml'));
  await assertRefused(project, servers);
});

test('a file of ours that is a link to that of another host is refused before any login', async (t) => {
  const { project, servers } = await twoHosts(t);
  await define(project, servers, () => '');
  for (const host of ['a', 'b']) {
    await mkdir(join(project.folder, `host_vars/${host}/vault_matrix_tokens`), { recursive: true });
  }
  const link = join(project.folder, 'host_vars/b/vault_matrix_tokens/news.yml');
  await symlink('../../a/vault_matrix_tokens/news.yml', link);
  const run = await project.run(['--json']);
  assert.equal(run.exitCode, 5, run.stdout);
  assert.ok(servers.every(({ requests }) => requests.length === 0));
});
