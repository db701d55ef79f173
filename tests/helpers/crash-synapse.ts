// The same situations on a real Synapse, which forgets nothing: each crash has a user of its own.
import { join } from 'node:path';
import {
  countClear,
  countEmpty,
  countLeft,
  countMissing,
  createReader,
  NONE,
} from './crash-counts.ts';
import type { Counts, Tree } from './crash-counts.ts';
import { recoverAsProgram, restoreTree } from './crash-fixture.ts';
import type { Fixture } from './crash-fixture.ts';
import type { Scenario } from './crash-scenarios.ts';
import { makeProject } from './provision-project.ts';
import type { Cleanup, Project } from './provision-project.ts';
import { ageJournal, HOST } from './provision-services.ts';
import type { Synapse, TestUser } from './synapse.ts';
import { watchRun } from './watch-calls.ts';

/** Makes the situation of a scenario on a Synapse. */
export async function makeSynapseFixture(
  t: Cleanup,
  scenario: Scenario,
  synapse: Synapse,
): Promise<Fixture> {
  const project = await makeProject(t);
  const empty = project.tree();
  const read = createReader(project);
  let clean: Tree = empty;
  let user: TestUser;
  const secrets = async () => [user.password, ...(await synapse.tokensOf(user.userId))];
  const countDamage = async () => {
    const tree = project.tree();
    const { closed } = await read(tree);
    const lost = await countMissing(read, clean, tree);
    return { closed, lost, clear: countClear(withoutVars(tree), await secrets()) };
  };
  return {
    project,
    disk: null,
    reset: async () => {
      await restoreTree(project.folder, empty);
      user = await synapse.newUser('news');
      await writeVars(project, synapse, user, scenario);
      clean = project.tree();
      for (const watch of scenario.killedBefore ?? []) {
        await watchRun(project, watch);
        await ageJournal(project);
      }
    },
    countDamage,
    findUntrue: () => Promise.resolve([]),
    countEmpty: () => ({ ...NONE, temp: countEmpty(clean, project.tree()) }),
    count: async () => {
      const damage = await countDamage();
      const { values } = await read(project.tree());
      const sessions = await countSessions(synapse, user, values);
      const lost = damage.lost + sessions.lost;
      return { ...NONE, ...damage, ...sessions, lost, ...countLeft(clean, project.tree()) };
    },
    recover: () => recoverAsProgram(project),
    runUnreachable: () => Promise.reject(new Error('a Synapse that is shared stays up')),
  };
}

async function writeVars(
  project: Project,
  synapse: Synapse,
  { userId, password }: TestUser,
  { options }: Scenario,
): Promise<void> {
  const variables = 'variables: {access_token: vault_news_token, device_id: vault_news_device}';
  const keys = [`user: "${userId}"`, `password: "${password}"`, variables, ...(options.keys ?? [])];
  const vars = [
    `matrix_tokens_server_name: ${synapse.serverName}`,
    `matrix_tokens_homeserver_url: ${synapse.baseUrl}`,
    `matrix_tokens_services: {news: {${keys.join(', ')}}}\n`,
  ];
  await project.write('inventory.yml', `all:\n  hosts:\n    ${HOST}:\n`);
  await project.write(VARS, vars.join('\n'));
}

async function countSessions(
  synapse: Synapse,
  { userId }: TestUser,
  values: ReadonlyMap<string, string>,
): Promise<Pick<Counts, 'tokens' | 'devices' | 'lost'>> {
  const [token, device] = [values.get('vault_news_token'), values.get('vault_news_device')];
  const [tokens, devices] = await Promise.all([
    synapse.tokensOf(userId),
    synapse.devicesOf(userId),
  ]);
  return {
    lost: token !== undefined && tokens.includes(token) ? 0 : 1,
    tokens: tokens.filter((one) => one !== token).length,
    devices: devices.filter((one) => one.device_id !== device).length,
  };
}

const VARS = join('host_vars', HOST, 'vars.yml');

/** The password stands there in clear. */
function withoutVars(tree: Tree): Tree {
  return new Map([...tree].filter(([path]) => path !== VARS));
}
