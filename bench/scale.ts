// (e) Past one machine: many homeservers, through the role with several forks, and by one process of
// the command line; all to do, and then nothing. Only where it is asked for by name: it takes long.
import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { ansibleBin, ansiblePython, ansibleSkip } from '../tests/helpers/python.ts';
import { expectAllStored, sealPasswords, seenBy, snapshot, startFleet } from './fleet.ts';
import type { Fleet, FleetOptions, Passwords } from './fleet.ts';
import { execute } from './measure.ts';
import type { Bench } from './measure.ts';
import { VAULT_PASSWORD_FILE, provisionCommand } from './project.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const WATCH = join(ROOT, 'bench/watch_command.py');
const FORKS = [1, 4, 16] as const;
const SERVICES = 10;

interface Way {
  readonly name: string;
  readonly argv: readonly string[];
}

/** As bench/watch_command.py writes it down. */
interface Figures {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Of all processes together. */
  readonly peakKib: number;
  readonly processes: number;
}

interface Row extends Figures {
  readonly name: string;
  readonly requests: number;
  readonly logins: number;
  /** Of the machine, when it began. */
  readonly load: number;
}

/** Gives two tables: everything to do, and nothing. */
export async function scale(bench: Bench & { readonly hosts: number }): Promise<void> {
  const skip = await ansibleSkip();
  if (skip !== false) return bench.say(`scale: left out, ${skip}`);
  const options = { folder: join(bench.scratch, 'fleet'), hosts: bench.hosts, services: SERVICES };
  const passwords = await sealPasswords(options);
  const [first, second]: [Row[], Row[]] = [[], []];
  for (const way of await waysOf(bench)) {
    const [all, nothing] = await measureWay(way, { bench, options, passwords });
    first.push(all);
    second.push(nothing);
  }
  const title = `${bench.hosts} homeservers, ${SERVICES} services each`;
  bench.say(`${tableOf(`${title}: all to do`, first)}\n\n${tableOf('nothing to do', second)}\n`);
}

async function waysOf({ scratch }: Bench): Promise<Way[]> {
  const [node = '', bundle = '', task = '', , , ...vault] = provisionCommand(scratch);
  const command = [node, bundle, task, '-i', 'hosts', ...vault];
  const playbook = await ansibleBin('ansible-playbook');
  const settings = [`matrix_tokens_bin=${bundle}`, `matrix_tokens_node=${node}`];
  const extra = settings.flatMap((setting) => ['-e', setting]);
  const plays = FORKS.map((forks) => {
    const flags = [
      '-i',
      'hosts',
      '--forks',
      String(forks),
      '--vault-password-file',
      VAULT_PASSWORD_FILE,
    ];
    const roles = `ANSIBLE_ROLES_PATH=${join(ROOT, 'roles')}`;
    return {
      name: `role, ${forks === 1 ? '1 fork' : `${forks} forks`}`,
      argv: ['env', roles, playbook, ...flags, ...extra, 'play.yml'],
    };
  });
  return [{ name: 'matrix-tokens, one process', argv: command }, ...plays];
}

interface Setting {
  readonly bench: Bench;
  readonly options: FleetOptions;
  readonly passwords: Passwords;
}

/** Runs a way on a fleet of its own, twice, and checks what came of it. */
async function measureWay(way: Way, setting: Setting): Promise<readonly [Row, Row]> {
  const { bench, options, passwords } = setting;
  const fleet = await startFleet(options, passwords);
  try {
    const all = await watch(way, fleet, bench);
    const wanted = options.hosts * options.services;
    if (all.logins !== wanted) throw new Error(`${way.name}: ${all.logins} logins, not ${wanted}`);
    await expectAllStored(fleet);
    const before = await snapshot(fleet);
    const nothing = await watch(way, fleet, bench);
    if (nothing.requests > 0) throw new Error(`${way.name}: the second run sent a request`);
    if ((await snapshot(fleet)) !== before) throw new Error(`${way.name}: the second run wrote`);
    return [all, nothing];
  } finally {
    await fleet.stop();
  }
}

async function watch({ name, argv }: Way, fleet: Fleet, bench: Bench): Promise<Row> {
  const note = join(bench.scratch, 'figures.json');
  const [load = 0] = loadavg();
  const before = seenBy(fleet);
  // Output is not what is measured.
  const quiet = [
    'sh',
    '-c',
    '"$@" >output 2>&1 || { tail -n 30 output >&2; exit 1; }',
    'sh',
    ...argv,
  ];
  await execute([await ansiblePython(), WATCH, note, ...quiet], fleet.folder, bench);
  const after = seenBy(fleet);
  const figures = JSON.parse(await readFile(note, 'utf8')) as Figures;
  bench.say(`${name}: ${figures.seconds.toFixed(1)} s, load before ${load.toFixed(1)}`);
  return {
    ...figures,
    name,
    load,
    requests: after.requests - before.requests,
    logins: after.logins - before.logins,
  };
}

/** Times and sizes as they are, and as ratios to the first row. */
function tableOf(title: string, rows: readonly Row[]): string {
  const [first] = rows;
  const columns = [
    'wall time',
    'CPU time',
    'peak memory',
    'processes',
    'requests',
    'requests/s',
    'logins',
  ];
  const lines = rows.map((row) => [
    row.name,
    withRatio(row.seconds, first?.seconds, 's'),
    withRatio(row.cpuSeconds, first?.cpuSeconds, 's'),
    withRatio(row.peakKib / 1024, (first?.peakKib ?? 0) / 1024, 'MiB'),
    String(row.processes),
    String(row.requests),
    (row.requests / row.seconds).toFixed(0),
    String(row.logins),
  ]);
  return [[title, ...columns], ['---', ...columns.map(() => '---')], ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function withRatio(value: number, base: number | undefined, unit: string): string {
  const shown = `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
  return base === undefined || value === base ? shown : `${shown} (× ${(value / base).toFixed(1)})`;
}
