// What the test files share: the Python environments and one Synapse, made once for the whole run
// and handed over in the environment, and only if one of the chosen files needs it.
import { ANSIBLE_VARIABLE, SYNAPSE_VARIABLE, missing } from '../tests/helpers/python.ts';
import { SHARED_SYNAPSE_VARIABLE, startSynapse } from '../tests/helpers/synapse.ts';
import { importClosure } from './imports.ts';
import { pythonEnvironment } from './python-environment.ts';
import { ANSIBLE_VERSIONS, SYNAPSE_VERSIONS } from './python-versions.ts';
import type { PythonPackage } from './python-versions.ts';

export interface TestEnvironmentOptions {
  readonly root: string;
  /** The sources of the chosen test files, relative to the root. */
  readonly sources: readonly string[];
  /** Changed: what is made is named in it, for the test files. */
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
}

/** Makes what the files need. Gives the function that stops what was started. */
export async function prepareTestEnvironment(
  options: TestEnvironmentOptions,
): Promise<() => Promise<void>> {
  const { root, sources, env, log } = options;
  const closures = sources.map((file) => importClosure(root, file, { types: false }));
  const isReached = (file: string): boolean => closures.some((closure) => closure.has(file));
  if (!isReached('tests/helpers/python.ts')) return async () => {};
  await handOver(ANSIBLE_VARIABLE, ANSIBLE_VERSIONS, options);
  if (!isReached('tests/helpers/synapse-process.ts')) return async () => {};
  await handOver(SYNAPSE_VARIABLE, SYNAPSE_VERSIONS, options);
  if ((env[SYNAPSE_VARIABLE] ?? '') === '') return async () => {};
  log('starting Synapse');
  const synapse = await startSynapse();
  const { baseUrl, database, serverName, registrationSecret } = synapse;
  const shared = { baseUrl, database, serverName, registrationSecret };
  env[SHARED_SYNAPSE_VARIABLE] = JSON.stringify(shared);
  return () => synapse.stop();
}

async function handOver(
  variable: string,
  versions: readonly PythonPackage[],
  { env, log }: TestEnvironmentOptions,
): Promise<void> {
  if ((env[variable] ?? '') !== '') return;
  const made = await pythonEnvironment({ versions, env, log });
  if (made.kind === 'ready') env[variable] = made.folder;
  else env[missing(variable)] = made.reason;
}
