// The real ansible-core and the real Synapse for tests. A test file asks once at its top:
//
//   const skip = await ansibleSkip();
//   test('…', { skip }, async () => { … await ansibleBin('ansible-vault') … });
//
// The test runner makes the environments beforehand and names them in two variables.
import { join } from 'node:path';
import { pythonEnvironment } from '../../scripts/python-environment.ts';
import type { PythonEnvironment } from '../../scripts/python-environment.ts';
import { ANSIBLE_VERSIONS, SYNAPSE_VERSIONS } from '../../scripts/python-versions.ts';

/** Name the folders of virtual environments that are already there. */
export const ANSIBLE_VARIABLE = 'MATRIX_TOKENS_ANSIBLE_VENV';
export const SYNAPSE_VARIABLE = 'MATRIX_TOKENS_SYNAPSE_VENV';

/** The variable in which the test runner says why there is none. */
export function missing(variable: string): string {
  return `${variable}_MISSING`;
}

/** Gives false where ansible-core can be used, else the reason for skipping (in CI: false, too). */
export async function ansibleSkip(): Promise<string | false> {
  return skipReason(await ansibleEnvironment());
}

/** Gives false where Synapse can be used, else the reason for skipping (in CI: false, too). */
export async function synapseSkip(): Promise<string | false> {
  return skipReason(await synapseEnvironment());
}

/** Gives the path of a Python that can import ansible. Throws with the reason where there is none. */
export async function ansiblePython(): Promise<string> {
  return ansibleBin('python');
}

/** Gives the path of an ansible-core command, such as `ansible-vault`. Throws where there is none. */
export async function ansibleBin(name: string): Promise<string> {
  return join(folderOf(await ansibleEnvironment()), 'bin', name);
}

/** Gives the path of a Python that can import synapse. Throws with the reason where there is none. */
export async function synapsePython(): Promise<string> {
  return join(folderOf(await synapseEnvironment()), 'bin/python');
}

async function ansibleEnvironment(): Promise<PythonEnvironment> {
  return (
    given(ANSIBLE_VARIABLE) ??
    (await pythonEnvironment({ versions: ANSIBLE_VERSIONS, env: process.env }))
  );
}

async function synapseEnvironment(): Promise<PythonEnvironment> {
  return (
    given(SYNAPSE_VARIABLE) ??
    (await pythonEnvironment({ versions: SYNAPSE_VERSIONS, env: process.env }))
  );
}

function given(variable: string): PythonEnvironment | null {
  const folder = process.env[variable] ?? '';
  if (folder !== '') return { kind: 'ready', folder };
  const reason = process.env[missing(variable)] ?? '';
  return reason === '' ? null : { kind: 'missing', reason };
}

function skipReason(environment: PythonEnvironment): string | false {
  return environment.kind === 'ready' || process.env['CI'] === 'true' ? false : environment.reason;
}

function folderOf(environment: PythonEnvironment): string {
  if (environment.kind === 'missing') throw new Error(environment.reason);
  return environment.folder;
}
