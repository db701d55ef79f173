// (e) Past one machine: many homeservers, through the role with several forks, and by one process of
// the command line; all to do, and then nothing. Only where it is asked for by name: it takes long.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { format, resolveConfig } from 'prettier';
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

/** How long a login takes at a real homeserver, where hashing a password is meant to be slow. */
const SLOW_LOGIN_MS = 300;

export interface ScaleBench extends Bench {
  readonly hosts: number;
  /** A page whose part between two comments is replaced by the figures. */
  readonly page: string | undefined;
}

/** Gives three tables: everything to do, nothing, and everything with slow homeservers. */
export async function scale(bench: ScaleBench): Promise<void> {
  const skip = await ansibleSkip();
  if (skip !== false) return bench.say(`scale: left out, ${skip}`);
  const options = { folder: join(bench.scratch, 'fleet'), hosts: bench.hosts, services: SERVICES };
  const setting = { bench, options, passwords: await sealPasswords(options) };
  const slow = { ...setting, options: { ...options, loginMs: SLOW_LOGIN_MS } };
  const all: Row[] = [];
  const nothing: Row[] = [];
  const allSlow: Row[] = [];
  for (const way of await waysOf(bench)) {
    const rows = await measureWay(way, setting);
    all.push(rows.all);
    nothing.push(rows.nothing);
    allSlow.push((await measureWay(way, slow)).all);
  }
  const title = `${bench.hosts} hosts, ${SERVICES} services each`;
  const text = [
    await aboutTheMachine([...all, ...nothing, ...allSlow]),
    tableOf(`${title}: all to do`, all),
    tableOf(`the same, a login takes ${SLOW_LOGIN_MS} ms`, allSlow),
    tableOf('again, nothing to do', nothing),
  ].join('\n\n');
  bench.say(text);
  if (bench.page !== undefined) await writeFigures(bench.page, text);
}

async function aboutTheMachine(rows: readonly Row[]): Promise<string> {
  const loads = rows.map(({ load }) => load);
  const load = `${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}`;
  return (
    `Node ${process.versions.node}, ${await ansibleVersion()}, ${availableParallelism()} cores; the load of the ` +
    `machine, which others use, too, was ${load} when a run began.`
  );
}

/** As `ansible-core 2.19.14`. */
async function ansibleVersion(): Promise<string> {
  const code = 'import ansible.release as release; print(release.__version__)';
  const { stdout } = await promisify(execFile)(await ansiblePython(), ['-I', '-c', code]);
  return `ansible-core ${stdout.trim()}`;
}

/** Replaces what stands between the comments in a page. Throws where there are none. */
async function writeFigures(page: string, figures: string): Promise<void> {
  const text = await readFile(page, 'utf8');
  const [before, , after] = text.split(/(?<=<!-- figures -->\n)|(?=<!-- end of figures -->)/);
  if (before === undefined || after === undefined)
    throw new Error(`${page} has no place for figures`);
  const style = await resolveConfig(page);
  const whole = `${before}\n${figures}\n\n${after}`;
  await writeFile(page, await format(whole, { ...style, parser: 'markdown' }));
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
async function measureWay(
  way: Way,
  setting: Setting,
): Promise<{ readonly all: Row; readonly nothing: Row }> {
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
    return { all, nothing };
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
