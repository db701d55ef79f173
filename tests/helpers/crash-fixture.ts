// A project and its homeserver in a given situation, to which both can be set back again and again.
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Homeserver } from '../../scripts/homeserver/homeserver.ts';
import type { ServerState } from '../../scripts/homeserver/state.ts';
import {
  countClear,
  countEmpty,
  countLeft,
  countMissing,
  createReader,
  NONE,
} from './crash-counts.ts';
import type { Contents, Counts, Tree } from './crash-counts.ts';
import type { Scenario } from './crash-scenarios.ts';
import { makeDisk, makeSmallDisk } from './crash-disk.ts';
import type { Disk } from './crash-disk.ts';
import { rememberBefore, saidBy, sessionsOf } from './crash-truth.ts';
import type { Cleanup, Project, Run } from './provision-project.ts';
import { ageJournal, FILES, HOST, servicesFor } from './provision-services.ts';
import type { Services } from './provision-services.ts';
import { outcomeOf, provisionInside } from './provision-world.ts';
import { watchRun } from './watch-calls.ts';

export interface Fixture {
  readonly project: Project;
  /** Null: the usual one, which makes no trouble. */
  readonly disk: Disk | null;
  /** Sets everything back; the homeserver answers, or it does not. */
  reset(options?: { readonly isUnreachable?: boolean | undefined }): Promise<void>;
  /** Counts what is wrong at once after a crash: nothing may be damaged at any time. */
  countDamage(): Promise<Pick<Counts, 'closed' | 'lost' | 'clear'>>;
  /** Gives what a run that went on said, and what is not so. */
  findUntrue(run: Run): Promise<readonly string[]>;
  /** Counts folders that hold nothing, after a run that stored nothing. */
  countEmpty(): Counts;
  /** Counts what is wrong at the end. */
  count(): Promise<Counts>;
  /** Runs to the end, in this process or as a program. Gives what is wrong with how it ended. */
  recover(how: 'inside' | 'program'): Promise<string | null>;
  /** Runs while no homeserver answers. */
  runUnreachable(): Promise<void>;
}

/** The file that somebody keeps, and what stands in it besides. */
export const KEPT_FILE = `host_vars/${HOST}/tokens.yml`;

/** Makes the situation of a scenario on the embedded homeserver. */
export async function makeFixture(t: Cleanup, scenario: Scenario): Promise<Fixture> {
  const disk = await diskOf(t, scenario);
  const services = await servicesOn(t, scenario, disk);
  const { project, homeserver } = services;
  await prepareTarget(services, scenario.target ?? 'own file');
  const clean = project.tree();
  for (const watch of scenario.killedBefore ?? []) {
    const { point } = await watchRun(project, watch);
    if (point === null) throw new Error(`${scenario.name}: a run before was not killed`);
    await ageJournal(project);
  }
  const [begin, state] = [project.tree(), copyState(homeserver.state)];
  await disk?.keep();
  const read = createReader(project);
  let judge = rememberBefore(services, stateParent(scenario));
  const look = async () => ({ tree: project.tree(), ...(await read(project.tree())) });
  return {
    project,
    disk,
    reset: async ({ isUnreachable } = {}) => {
      await disk?.reset();
      if (scenario.disk !== 'power cut') await restoreTree(project.folder, begin);
      restoreState(homeserver.state, state);
      homeserver.faults.length = 0;
      if (isUnreachable === true) homeserver.faults.push({ cut: 'before' });
      judge = rememberBefore(services, stateParent(scenario));
    },
    countDamage: async () => {
      const { tree, closed } = await look();
      const lost = await countMissing(read, clean, tree);
      return { closed, lost, clear: countClear(tree, secretsOf(services)) };
    },
    findUntrue: (run) => judge(saidBy(run)),
    countEmpty: () => ({ ...NONE, temp: countEmpty(clean, project.tree()) }),
    count: async () => {
      const { tree, closed, values } = await look();
      const sessions = countSessions(services, values);
      const missing = await countMissing(read, clean, tree);
      const clear = countClear(tree, secretsOf(services));
      const lost = missing + sessions.lost;
      return { ...NONE, ...sessions, ...countLeft(clean, tree), closed, lost, clear };
    },
    recover: (how) => {
      homeserver.faults.length = 0;
      return how === 'inside' ? recoverInside(services) : recoverAsProgram(project);
    },
    runUnreachable: async () => {
      homeserver.faults.push({ cut: 'before' });
      await provisionInside(services);
      homeserver.faults.length = 0;
    },
  };
}

async function diskOf(t: Cleanup, { disk }: Scenario): Promise<Disk | null> {
  if (disk === undefined) return null;
  return disk === 'full' ? makeSmallDisk(t) : makeDisk(t);
}

async function servicesOn(t: Cleanup, { options }: Scenario, disk: Disk | null): Promise<Services> {
  if (disk === null) return servicesFor(t, options);
  const { TMPDIR } = process.env;
  process.env['TMPDIR'] = disk.folder;
  try {
    return await servicesFor(t, options);
  } finally {
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
  }
}

async function prepareTarget({ project }: Services, target: Scenario['target']): Promise<void> {
  if (target === 'own file') return;
  if (target === 'three new folders') {
    await mkdir(join(project.folder, 'group_vars'));
    await rename(join(project.folder, `host_vars/${HOST}`), join(project.folder, 'group_vars/all'));
    return rm(join(project.folder, 'host_vars'), { recursive: true });
  }
  const vars = `host_vars/${HOST}/vars.yml`;
  const text = await project.read(vars);
  const named = text.replaceAll(': {password', `: {vault_file: ${KEPT_FILE}, password`);
  await project.write(vars, named);
  const kept = [
    '# kept by hand\n---\nmine:   0644   # as it is\n',
    `vault_mine: ${await project.sealed('what I keep')}\n`,
    'list:\n- one\n- "two"\n',
  ].join('');
  const sealed = await project.sealed('kept_secret: !unsafe "what I keep"\n', 0);
  const isWhole = target === 'encrypted file';
  await project.write(KEPT_FILE, isWhole ? `${sealed.slice('!vault |\n'.length)}\n` : kept);
}

function countSessions(
  services: Services,
  values: Contents['values'],
): Pick<Counts, 'tokens' | 'devices' | 'lost'> {
  const { stored, open } = sessionsOf(services, values);
  const held = new Set(values.values());
  const foreign = [...services.homeserver.state.sessions.keys()].filter((one) => !held.has(one));
  const lost = services.names.length - stored.length;
  return { lost, tokens: foreign.length, devices: open.length };
}

/** The folder of the file that the token is for. */
function stateParent({ target }: Scenario): string {
  return target?.endsWith('file') === true && target !== 'own file' ? dirname(KEPT_FILE) : FILES;
}

async function recoverInside(services: Services): Promise<string | null> {
  const inside = await provisionInside(services);
  const outcomes = services.names.map((name) => outcomeOf(inside, name));
  const isGood = outcomes.every((one) => one === 'ok' || one === 'changed');
  if (isGood && inside.report.leftovers.length === 0) return null;
  return `${outcomes.join(', ')}; ${JSON.stringify(inside.report.leftovers)}`;
}

/** Runs the program to its end. Gives what is wrong with how it ended. */
export async function recoverAsProgram(project: Project): Promise<string | null> {
  await ageJournal(project);
  const { exitCode, stderr, stdout } = await project.run();
  return exitCode === 0 ? null : `exit code ${exitCode}\n${stderr}${stdout}`;
}

function secretsOf({ project, homeserver }: Services): string[] {
  const { users, sessions, ended } = homeserver.state;
  const passwords = [...users.values()].map((user) => user.password);
  return [project.vaultPassword, ...passwords, ...sessions.keys(), ...ended.keys()];
}

type Maps = Pick<ServerState, 'users' | 'devices' | 'sessions' | 'ended'>;

/** Sessions and devices stay the same objects among each other. */
function copyState({ users, devices, sessions, ended }: Homeserver['state']): Maps {
  return structuredClone({ users, devices, sessions, ended });
}

function restoreState(state: ServerState, from: Maps): void {
  const copy = structuredClone(from);
  for (const name of ['users', 'devices', 'sessions', 'ended'] as const) {
    const [map, wanted] = [state[name] as Map<string, unknown>, copy[name] as Map<string, unknown>];
    map.clear();
    for (const [key, value] of wanted) map.set(key, value);
  }
}

/** Makes a folder hold exactly this. */
export async function restoreTree(folder: string, tree: Tree): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
  for (const [path, content] of tree) {
    const whole = join(folder, path);
    await mkdir(content === null ? whole : dirname(whole), { recursive: true });
    if (content !== null) await writeFile(whole, content, { encoding: 'latin1', mode: 0o600 });
  }
}
