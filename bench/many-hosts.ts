// (d) Nothing to do on a large inventory: two sizes, so that time and memory a service can be told from
// what every run costs. The definitions stand in group_vars, the tokens in a file each.
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ansibleBin, ansibleSkip } from '../tests/helpers/python.ts';
import { formatInline, formatSession } from '../src/store/text.ts';
import { formatEnvelope } from '../src/vault/envelope.ts';
import { measure } from './measure.ts';
import type { Bench, Measured, Way } from './measure.ts';
import { VAULT_PASSWORD, VAULT_PASSWORD_FILE, provisionCommand } from './project.ts';
import { absoluteLine, ratioHead, ratioRow } from './ratios.ts';

const SERVICES = 10;
const SIZES = [500, 2000] as const;

/** Our run against `ansible-inventory --list`, which reads the same files and does nothing else. */
export async function manyHosts(bench: Bench): Promise<void> {
  const skip = await ansibleSkip();
  const all: Measured[] = [];
  for (const hosts of SIZES) {
    const folder = join(bench.scratch, `hosts-${hosts}`);
    await writeInventory(folder, hosts);
    const ways = [ourWay(`matrix-tokens, ${hosts} hosts`, folder, bench)];
    if (skip === false) ways.push(await listing(`ansible-inventory, ${hosts} hosts`, folder));
    const rounds = Math.max(2, Math.round(bench.rounds / 5));
    all.push(...(await measure(ways, { ...bench, rounds, memoryRuns: 2 })));
  }
  bench.say(ratioHead(`nothing to do, ${SERVICES} services a host`));
  for (const one of all.filter(({ name }) => name.startsWith('matrix-tokens'))) {
    const other = all.find(({ name }) => name === one.name.replace(/^\S+/, 'ansible-inventory,'));
    if (other !== undefined) bench.say(ratioRow(one, other));
  }
  if (skip !== false) bench.say(`against ansible-inventory: left out, ${skip}`);
  bench.say(`\n${absoluteLine(all)}\n${perService(all)}\n`);
}

/** What one more service costs, from the two sizes. */
function perService(all: readonly Measured[]): string {
  const [small, large] = all.filter(({ name }) => name.startsWith('matrix-tokens'));
  const services = (SIZES[1] - SIZES[0]) * SERVICES;
  const kib = (least(large?.peakKib) - least(small?.peakKib)) / services;
  const ms = (least(large?.ms) - least(small?.ms)) / services;
  return `one more service: ${kib.toFixed(1)} KiB, ${(ms * 1000).toFixed(0)} µs`;
}

function least(values: readonly number[] = []): number {
  return Math.min(...values);
}

function ourWay(name: string, cwd: string, bench: Bench): Way {
  const [node = '', bundle = '', task = '', , , ...vault] = provisionCommand(bench.scratch);
  return quietly(name, cwd, [node, bundle, task, '-i', 'hosts', ...vault]);
}

async function listing(name: string, cwd: string): Promise<Way> {
  const command = await ansibleBin('ansible-inventory');
  const password = ['--vault-password-file', VAULT_PASSWORD_FILE];
  return quietly(name, cwd, [command, '-i', 'hosts', '--list', ...password]);
}

/** Megabytes of output are not what is measured. */
function quietly(name: string, cwd: string, command: readonly string[]): Way {
  const argv = ['sh', '-c', '"$@" >/dev/null && echo done', 'sh', ...command];
  return { name, prepare: async () => ({ argv, cwd, isDone: (stdout) => stdout === 'done\n' }) };
}

async function writeInventory(folder: string, hosts: number): Promise<void> {
  const names = Array.from({ length: hosts }, (_, index) => `matrix.h${index}.example.com`);
  await mkdir(join(folder, 'group_vars'), { recursive: true });
  await writeFile(join(folder, 'hosts'), `[matrix_servers]\n${names.join('\n')}\n`);
  await writeFile(join(folder, VAULT_PASSWORD_FILE), `${VAULT_PASSWORD.reveal()}\n`);
  await writeFile(join(folder, 'group_vars/matrix_servers.yml'), definitions());
  for (const name of names) await writeHost(join(folder, 'host_vars', name), name);
}

function definitions(): string {
  const services = serviceNames().map(
    (name) => `  ${name}:\n    user: ${name}\n    password: '{{ vault_${name}_password }}'\n`,
  );
  return `matrix_tokens_services:\n${services.join('')}`;
}

async function writeHost(folder: string, host: string): Promise<void> {
  const tokens = join(folder, 'vault_matrix_tokens');
  const serverName = host.replace('matrix.', '');
  await mkdir(tokens, { recursive: true });
  const url = `https://${host}`;
  const vars = `matrix_tokens_server_name: ${serverName}\nmatrix_tokens_homeserver_url: ${url}\n`;
  await writeFile(join(folder, 'vars.yml'), vars);
  const passwords = serviceNames().map((name) => `vault_${name}_password: ${sealed()}\n`);
  await writeFile(join(folder, 'vault.yml'), passwords.join(''));
  for (const service of serviceNames()) {
    const session = { service, userId: `@${service}:${serverName}`, deviceId: 'MTDEVICE' };
    const text = `${formatSession(session)}\nvault_${service}_access_token: ${sealed()}\n`;
    await writeFile(join(tokens, `${service}.yml`), text);
  }
}

function serviceNames(): string[] {
  return Array.from({ length: SERVICES }, (_, index) => `bot_${index}`);
}

/** An envelope that nobody opens: with nothing to do, neither side does. */
function sealed(): string {
  const [salt, mac, ciphertext] = [randomBytes(32), randomBytes(32), randomBytes(64)];
  return formatInline(formatEnvelope({ label: null, salt, mac, ciphertext }), 0);
}
