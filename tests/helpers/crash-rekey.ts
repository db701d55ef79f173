// The situation of a rekey: tokens in every form that it knows, and two passwords.
import type { Fixture } from './crash-fixture.ts';
import { makeFixture, restoreTree } from './crash-fixture.ts';
import { countClear, countEmpty, countLeft, NONE } from './crash-counts.ts';
import { makeDisk, makeSmallDisk } from './crash-disk.ts';
import type { Disk } from './crash-disk.ts';
import type { Scenario } from './crash-scenarios.ts';
import { reportOf } from './provision-project.ts';
import type { Cleanup, ReportedService, Run } from './provision-project.ts';
import { FILE_OF, FILES, makeRekeyProject, SECRETS, stateOf } from './rekey-project.ts';
import type { FileState, RekeyProject } from './rekey-project.ts';

/** The arguments of the run that meets the trouble. */
export const REKEY_ARGS: readonly string[] = ['--new-vault-id', 'prod@new_pass'];

/** Those of a run that has both passwords. */
const BOTH: readonly string[] = ['--vault-id', 'prod@new_pass'];

/** Makes the situation of any scenario that needs no real Synapse. */
export function makeLocalFixture(t: Cleanup, scenario: Scenario): Promise<Fixture> {
  return scenario.task === 'rekey' ? makeRekeyFixture(t, scenario) : makeFixture(t, scenario);
}

/** Makes the situation, on a disk of its own where the scenario has one. */
async function makeRekeyFixture(t: Cleanup, scenario: Scenario): Promise<Fixture> {
  const disk = await diskOf(t, scenario);
  const rekey = await projectOn(t, disk);
  const { project } = rekey;
  const begin = project.tree();
  await disk?.keep();
  const statesOf = () => Promise.all(FILES.map((file) => stateOf(rekey, file)));
  const clearIn = () =>
    countClear(new Map([...project.tree()].filter(([path]) => path !== 'new_pass')), SECRET_TEXTS);
  return {
    project,
    disk,
    reset: async () => {
      await disk?.reset();
      if (scenario.disk !== 'power cut') await restoreTree(project.folder, begin);
    },
    countDamage: async () => {
      const states = await statesOf();
      return { closed: count(states, 'closed'), lost: count(states, 'gone'), clear: clearIn() };
    },
    findUntrue: async (run) => findUntrue(run, await statesOf()),
    countEmpty: () => ({ ...NONE, temp: countEmpty(begin, project.tree()) }),
    count: async () => {
      const states = await statesOf();
      const [old, fresh] = [count(states, 'old'), count(states, 'new')];
      // All or nothing: whoever is in the minority was left behind.
      const lost = count(states, 'gone') + Math.min(old, fresh);
      const left = countLeft(begin, project.tree());
      return { ...NONE, ...left, closed: count(states, 'closed'), lost, clear: clearIn() };
    },
    recover: (how) => recover(rekey, how),
    runUnreachable: () => Promise.reject(new Error('a rekey reaches nobody')),
  };
}

const SECRET_TEXTS = Object.values(SECRETS);

function count(states: readonly FileState[], state: FileState): number {
  return states.filter((one) => one === state).length;
}

async function diskOf(t: Cleanup, { disk }: Scenario): Promise<Disk | null> {
  if (disk === undefined) return null;
  return disk === 'full' ? makeSmallDisk(t) : makeDisk(t);
}

async function projectOn(t: Cleanup, disk: Disk | null): Promise<RekeyProject> {
  if (disk === null) return makeRekeyProject(t);
  const { TMPDIR } = process.env;
  process.env['TMPDIR'] = disk.folder;
  try {
    return await makeRekeyProject(t);
  } finally {
    if (TMPDIR === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = TMPDIR;
  }
}

/** Any run ends it: mostly `provision`, which needs no password for it, and the rekey itself. */
async function recover(
  { project }: RekeyProject,
  how: 'inside' | 'program',
): Promise<string | null> {
  const { exitCode, stderr, stdout } =
    how === 'inside' ? await project.run(BOTH) : await project.run(REKEY_ARGS, { task: 'rekey' });
  return exitCode === 0 ? null : `exit code ${exitCode}\n${stderr}${stdout}`;
}

/** Gives a sentence for each thing that the run said and that is not so. */
function findUntrue(run: Run, states: readonly FileState[]): string[] {
  const { exitCode, stderr } = run;
  if (exitCode === 70) return [`a bug: ${stderr}`];
  const isAll = (state: FileState): boolean => states.every((one) => one === state);
  if (exitCode === 5) return isAll('old') ? [] : [`exit code 5, and files were changed`];
  const services = servicesOf(run);
  if (services === null) return [`no report: exit code ${exitCode}, ${stderr}`];
  const untrue = services.filter((one) => !isTrue(one, states[indexOf(one)]));
  const said = untrue.map(
    ({ service, outcome, message }) => `${service} is ${outcome}: ${message}`,
  );
  const isWhole = exitCode !== 0 || isAll('new');
  return [...said, ...(isWhole ? [] : ['exit code 0, and not all is done'])];
}

function servicesOf(run: Run): readonly ReportedService[] | null {
  try {
    return reportOf(run).services;
  } catch {
    return null;
  }
}

function indexOf({ service }: ReportedService): number {
  return FILES.findIndex((file) => file === FILE_OF[service]);
}

function isTrue({ outcome, message }: ReportedService, state: FileState | undefined): boolean {
  if (outcome !== 'failed') return state === 'new';
  return state === (message.includes('the new content is there') ? 'new' : 'old');
}
